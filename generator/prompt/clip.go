package prompt

import (
	"encoding/json"
	"fmt"
	"strings"
)

// The marks of CLIP's tokenizer; the second also pads and stands for what is unknown.
const (
	clipStart = "<|startoftext|>"
	clipEnd   = "<|endoftext|>"
)

// clipWords is CLIP's pattern for what counts as one word (OpenAI's CLIP, simple_tokenizer.py).
const clipWords = `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`

type object map[string]any

// CLIPFile writes the tokenizer.json that stands for CLIP's vocab.json and merges.txt, which
// are all that older exports of Stable Diffusion have.
func CLIPFile(vocab, merges []byte) ([]byte, error) {
	var ids map[string]int64
	if err := json.Unmarshal(vocab, &ids); err != nil {
		return nil, fmt.Errorf("vocab.json: %w", err)
	}
	for _, mark := range []string{clipStart, clipEnd} {
		if _, ok := ids[mark]; !ok {
			return nil, fmt.Errorf("vocab.json has no %s, so it is not CLIP's", mark)
		}
	}
	pairs, err := readMerges(string(merges))
	if err != nil {
		return nil, fmt.Errorf("merges.txt: %w", err)
	}
	return json.Marshal(object{
		"version":        "1.0",
		"added_tokens":   []object{mark(clipStart, ids), mark(clipEnd, ids)},
		"normalizer":     clipNormalizer,
		"pre_tokenizer":  clipSplit,
		"post_processor": clipFrame(ids),
		"model": object{
			"type": "BPE", "vocab": ids, "merges": pairs,
			"unk_token": clipEnd, "continuing_subword_prefix": "", "end_of_word_suffix": "</w>",
		},
	})
}

// readMerges reads one pair a line, after an optional line with the version.
func readMerges(file string) ([][]string, error) {
	var pairs [][]string
	for i, line := range strings.Split(file, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" || i == 0 && strings.HasPrefix(line, "#version") {
			continue
		}
		pair := strings.Split(line, " ")
		if len(pair) != 2 {
			return nil, fmt.Errorf("line %d should hold two parts", i+1)
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
}

func mark(token string, ids map[string]int64) object {
	return object{
		"id": ids[token], "content": token, "special": true,
		"single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
	}
}

var clipNormalizer = object{"type": "Sequence", "normalizers": []object{
	{"type": "NFC"},
	{"type": "Replace", "pattern": object{"Regex": `\s+`}, "content": " "},
	{"type": "Lowercase"},
}}

var clipSplit = object{"type": "Sequence", "pretokenizers": []object{
	{"type": "Split", "pattern": object{"Regex": clipWords}, "behavior": "Removed", "invert": true},
	{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
}}

func clipFrame(ids map[string]int64) object {
	return object{
		"type": "RobertaProcessing", "trim_offsets": false, "add_prefix_space": false,
		"cls": []any{clipStart, ids[clipStart]}, "sep": []any{clipEnd, ids[clipEnd]},
	}
}
