package model

import (
	"encoding/json"
	"errors"
)

// A Tokenizer is what is needed to turn words into the text encoder's numbers: JSON, or
// Vocab and Merges in models exported by older tools.
type Tokenizer struct {
	JSON          []byte // tokenizer.json
	Vocab, Merges []byte // vocab.json and merges.txt, when there is no tokenizer.json
	MaxLength     int    // tokens a prompt takes, with those that mark its start and end
	PadToken      string // what fills up a short prompt; "" if the files do not tell
}

// special is a token, written plainly or as an object with its content.
type special string

func (s *special) UnmarshalJSON(b []byte) error {
	var object struct {
		Content *string `json:"content"`
	}
	switch {
	case json.Unmarshal(b, (*string)(s)) == nil:
		return nil
	case json.Unmarshal(b, &object) == nil && object.Content != nil:
		*s = special(*object.Content)
		return nil
	}
	return errors.New("pad_token should be a string, or an object with content")
}

type tokenizerConfig struct {
	MaxLength float64 `json:"model_max_length"` // 1e30 is transformers' way not to tell
	PadToken  special `json:"pad_token"`
}

const maxTokens = 1 << 16

// tokenizer reads the files; graphs has run, since a graph may fix the length.
func (in *inspector) tokenizer() {
	t := &in.folder.Tokenizer
	if !in.vocabulary(t) {
		return
	}
	var c tokenizerConfig
	in.read("tokenizer/tokenizer_config.json", &c)
	if c.PadToken == "" {
		var s tokenizerConfig
		in.read("tokenizer/special_tokens_map.json", &s)
		c.PadToken = s.PadToken
	}
	t.PadToken = string(c.PadToken)
	t.MaxLength = in.length(c.MaxLength)
}

func (in *inspector) vocabulary(t *Tokenizer) bool {
	const file = "tokenizer/tokenizer.json"
	var json, vocab, merges bool
	if t.JSON, json = in.bytes(file, maxTokenizer); json || in.reported(file) {
		return json
	}
	t.Vocab, vocab = in.bytes("tokenizer/vocab.json", maxTokenizer)
	t.Merges, merges = in.bytes("tokenizer/merges.txt", maxTokenizer)
	if !vocab || !merges {
		in.problem(file, "is missing, and so is one of vocab.json and merges.txt, which could stand for it; "+
			"copy the tokenizer folder from the model's original")
	}
	return vocab && merges
}

// length settles how many tokens a prompt takes: what the tokenizer says, which must be what
// the graph takes if that fixes it.
func (in *inspector) length(told float64) int {
	const file = "tokenizer/tokenizer_config.json"
	fixed := 0
	if v, ok := in.folder.Signature(TextEncoder).Input("input_ids"); ok && len(v.Shape) == 2 && v.Shape[1] > 0 {
		fixed = int(min(v.Shape[1], maxTokens))
	}
	switch {
	case told != float64(int(min(told, maxTokens))) || told < 3:
		if fixed > 0 {
			return fixed
		}
		in.problem(file, "model_max_length, the number of tokens a prompt takes, is missing or no sensible number; "+
			"it is 77 for Stable Diffusion")
		return 0
	case fixed > 0 && fixed != int(told):
		in.problem(file, "model_max_length is %v, but %s/model.onnx takes %d tokens; make them equal", told, TextEncoder, fixed)
	}
	return int(told)
}
