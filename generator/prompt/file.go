package prompt

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// prepare takes from a tokenizer.json its own truncation and padding, which the library
// cannot switch off, and finds the number of the pad token.
func prepare(file []byte, padToken string) (prepared []byte, pad int64, err error) {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(file, &parts); err != nil {
		return nil, 0, errors.New("it is no JSON object")
	}
	if parts["model"] == nil {
		return nil, 0, errors.New("it has no model")
	}
	if padToken == "" {
		pad, err = ownPadding(parts["padding"])
	} else {
		pad, err = number(parts, padToken)
	}
	if err != nil {
		return nil, 0, err
	}
	if isPunctuation(padToken) {
		if err := setApart(parts, padToken, pad); err != nil {
			return nil, 0, err
		}
	}
	parts["truncation"], parts["padding"] = json.RawMessage("null"), json.RawMessage("null")
	prepared, err = json.Marshal(parts)
	return prepared, pad, err
}

// isPunctuation reports whether a pad token is what people type, such as the "!" of Stable Diffusion 2 and XL.
func isPunctuation(token string) bool {
	const marks = "<|[" // of tokens that nobody is to type
	return token != "" && !strings.ContainsFunc(token, func(c rune) bool { return !unicode.IsPunct(c) || strings.ContainsRune(marks, c) })
}

// setApart lets a pad token that people type stand for itself wherever it is typed, as transformers does.
func setApart(parts map[string]json.RawMessage, token string, id int64) error {
	var added []object
	if raw := parts["added_tokens"]; raw != nil {
		if err := json.Unmarshal(raw, &added); err != nil {
			return fmt.Errorf("added_tokens: %w", err)
		}
	}
	added = slices.DeleteFunc(added, func(t object) bool { return t["content"] == token })
	word := mark(token, map[string]int64{token: id})
	word["special"] = false // the library is told to read special ones as text
	var err error
	parts["added_tokens"], err = json.Marshal(append(added, word))
	return err
}

func ownPadding(raw json.RawMessage) (int64, error) {
	var padding struct {
		ID *int64 `json:"pad_id"`
	}
	if err := json.Unmarshal(raw, &padding); err != nil || padding.ID == nil {
		return 0, errors.New("no pad token is known; name it as pad_token in tokenizer_config.json")
	}
	return *padding.ID, nil
}

// number finds a token among the added ones, then in the model's vocabulary.
func number(parts map[string]json.RawMessage, token string) (int64, error) {
	var added []struct {
		ID      int64  `json:"id"`
		Content string `json:"content"`
	}
	if raw := parts["added_tokens"]; raw != nil {
		if err := json.Unmarshal(raw, &added); err != nil {
			return 0, fmt.Errorf("added_tokens: %w", err)
		}
	}
	for _, t := range added {
		if t.Content == token {
			return t.ID, nil
		}
	}
	return inVocabulary(parts["model"], token)
}

// inVocabulary looks in a table of numbers by token, or in a Unigram model's list.
func inVocabulary(model json.RawMessage, token string) (int64, error) {
	var m struct {
		Vocab json.RawMessage `json:"vocab"`
	}
	if err := json.Unmarshal(model, &m); err != nil {
		return 0, fmt.Errorf("model: %w", err)
	}
	var table map[string]int64
	if json.Unmarshal(m.Vocab, &table) == nil {
		if id, ok := table[token]; ok {
			return id, nil
		}
	}
	var list [][]json.RawMessage
	if json.Unmarshal(m.Vocab, &list) == nil {
		for id, entry := range list {
			var word string
			if len(entry) > 0 && json.Unmarshal(entry[0], &word) == nil && word == token {
				return int64(id), nil
			}
		}
	}
	return 0, fmt.Errorf("the pad token %q is not in the vocabulary", token)
}
