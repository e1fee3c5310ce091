package model

import (
	"encoding/json"
	"errors"
	"path"
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

// tokenizerOf is the folder of what a text encoder reads by.
func tokenizerOf(component string) string {
	return map[string]string{TextEncoder: "tokenizer", TextEncoder2: "tokenizer_2"}[component]
}

// tokenizers reads each encoder's; graphs has run, since a graph may fix the length.
func (in *inspector) tokenizers() {
	for i := range in.folder.Texts {
		t := &in.folder.Texts[i]
		t.Tokenizer = in.tokenizer(t.Component)
		first := in.folder.Texts[0].Tokenizer.MaxLength
		if n := t.Tokenizer.MaxLength; n != first && n > 0 && first > 0 {
			in.problem(tokenizerOf(t.Component)+"/tokenizer_config.json", "model_max_length is %d, but that of the other tokenizer %d; "+
				"both encoders must read as many tokens: make them equal", n, first)
		}
	}
}

func (in *inspector) tokenizer(component string) Tokenizer {
	dir := tokenizerOf(component)
	t, ok := in.vocabulary(dir)
	if !ok {
		return Tokenizer{}
	}
	var c tokenizerConfig
	in.read(path.Join(dir, "tokenizer_config.json"), &c)
	if c.PadToken == "" {
		var s tokenizerConfig
		in.read(path.Join(dir, "special_tokens_map.json"), &s)
		c.PadToken = s.PadToken
	}
	t.PadToken = string(c.PadToken)
	t.MaxLength = in.length(component, c.MaxLength)
	return t
}

func (in *inspector) vocabulary(dir string) (Tokenizer, bool) {
	var t Tokenizer
	var json, vocab, merges bool
	file := path.Join(dir, "tokenizer.json")
	if t.JSON, json = in.bytes(file, maxTokenizer); json || in.reported(file) {
		return t, json
	}
	t.Vocab, vocab = in.bytes(path.Join(dir, "vocab.json"), maxTokenizer)
	t.Merges, merges = in.bytes(path.Join(dir, "merges.txt"), maxTokenizer)
	if !vocab || !merges {
		in.problem(file, "is missing, and so is one of vocab.json and merges.txt, which could stand for it; "+
			"copy the %s folder from the model's original", dir)
	}
	return t, vocab && merges
}

// length settles how many tokens a prompt takes: what the tokenizer says, which must be what
// the graph takes if that fixes it.
func (in *inspector) length(component string, told float64) int {
	config := path.Join(tokenizerOf(component), "tokenizer_config.json")
	ids, _ := in.folder.Signature(component).Input("input_ids")
	taken := min(fixed(ids, 1), maxTokens)
	switch {
	case told != float64(int(min(told, maxTokens))) || told < 3:
		if taken > 0 {
			return taken
		}
		in.problem(config, "model_max_length, the number of tokens a prompt takes, is missing or no sensible number; "+
			"it is 77 for Stable Diffusion")
		return 0
	case taken > 0 && taken != int(told):
		in.problem(config, "model_max_length is %v, but %s takes %d tokens; make them equal", told, file(component), taken)
	}
	return int(told)
}
