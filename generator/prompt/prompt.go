// Package prompt turns the words people type into the numbers a text encoder reads.
//
// A [Tokenizer] is a model's own, in Hugging Face's format and run by Hugging Face's code. Its
// rules here:
//
//   - What comes out always has the model's length, or as many chunks of it as it takes: the
//     tokens that mark the start, the text, the tokens that mark the end, then padding.
//   - [Tokenizer.Encode] reads text as it is, as diffusers does; [Tokenizer.Chunk] reads what
//     package syntax made of it: pieces with weights, in chunks.
//   - Text that does not fit is cut at a token and handed back, so that it can be said.
//   - User text is only text. Where it spells a special token ("<|endoftext|>", "[SEP]"), it is
//     tokenised as those characters. Diffusers lets users write special tokens; we do not,
//     since one in the middle of a prompt hides from moderation what comes after it. Punctuation
//     that a model pads with (the "!" of Stable Diffusion 2 and XL) hides nothing, and stays itself.
//   - A NUL or invalid UTF-8 is refused. Either would be read differently by the tokenizer, so
//     that what was screened would not be what is painted.
//   - Text that the tokenizer fails on is an error, never an empty prompt.
package prompt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/daulet/tokenizers"
)

// Errors of [Tokenizer.Encode].
var (
	ErrNUL    = errors.New("the prompt holds a NUL character; take it out")
	ErrUTF8   = errors.New("the prompt is not valid UTF-8 text")
	ErrClosed = errors.New("the tokenizer is closed")
	ErrEncode = errors.New("the model's tokenizer cannot read this text; its unk_token may be missing from the vocabulary: " +
		"copy the tokenizer folder from the model's original")
)

// Tokens is a prompt as the text encoder takes it.
type Tokens struct {
	IDs []int64 // as many as the model's length
	Cut string  // the end of the text, which did not fit; usually ""
}

// A Tokenizer is safe for concurrent use. Close it to free its memory.
type Tokenizer struct {
	length int
	marks  int // tokens of the empty text
	pad    int64
	comma  int64   // -1 if the vocabulary has no token for it alone
	empty  framing // around no text

	mu  sync.RWMutex // held for writing by Close alone
	lib *tokenizers.Tokenizer
}

// NewTokenizer reads a tokenizer.json. The length is the number of tokens the model takes, at
// least 3; padToken names the token that fills up a short prompt, "" meaning the one that the
// file's own padding names.
func NewTokenizer(tokenizerJSON []byte, length int, padToken string) (*Tokenizer, error) {
	file, pad, err := prepare(tokenizerJSON, padToken)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	lib, err := tokenizers.FromBytes(file, tokenizers.WithEncodeSpecialTokens())
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json cannot be used: %w", err)
	}
	t := &Tokenizer{length: length, pad: pad, comma: -1, lib: lib}
	t.empty.front = numbers(t.encode("").IDs)
	comma := t.encode(",")
	if i := slices.Index(comma.SpecialTokensMask, 0); i >= 0 && len(comma.IDs) == len(t.empty.front)+1 {
		t.comma = int64(comma.IDs[i])
	}
	if t.marks = len(t.empty.front); t.marks >= length {
		return nil, errors.Join(fmt.Errorf("a tokenizer for %d tokens leaves no room for text beside its %d marks", length, t.marks), t.Close())
	}
	return t, nil
}

// Encode tokenises text as it is and cuts it at the model's length. The only errors are those of this package.
func (t *Tokenizer) Encode(text string) (Tokens, error) {
	e, err := t.read(text)
	if err != nil {
		return Tokens{}, err
	}
	return t.fit(e, text), nil
}

// read tokenises text of any length, with marks at both ends.
func (t *Tokenizer) read(text string) (tokenizers.Encoding, error) {
	switch {
	case strings.ContainsRune(text, 0):
		return tokenizers.Encoding{}, ErrNUL
	case !utf8.ValidString(text):
		return tokenizers.Encoding{}, ErrUTF8
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.lib == nil {
		return tokenizers.Encoding{}, ErrClosed
	}
	e := t.encode(text)
	if n := len(e.IDs); n < t.marks || n == 0 && strings.TrimSpace(text) != "" {
		return tokenizers.Encoding{}, ErrEncode
	}
	return e, nil
}

// encode runs the library, which tells of an error by giving nothing, not even the marks.
func (t *Tokenizer) encode(text string) tokenizers.Encoding {
	return t.lib.EncodeWithOptions(text, true, tokenizers.WithReturnSpecialTokensMask(), tokenizers.WithReturnOffsets())
}

// fit cuts or pads an encoding to the model's length, keeping the marks at both ends.
func (t *Tokenizer) fit(e tokenizers.Encoding, text string) Tokens {
	ids := numbers(e.IDs)
	var cut string
	if over := len(ids) - t.length; over > 0 {
		end := len(ids) - marksAtEnd(e.SpecialTokensMask)
		cut = from(text, e.Offsets[end-over][0])
		ids = slices.Delete(ids, end-over, end)
	}
	for len(ids) < t.length {
		ids = append(ids, t.pad)
	}
	return Tokens{IDs: ids, Cut: cut}
}

func numbers(ids []uint32) []int64 {
	list := make([]int64, len(ids))
	for i, id := range ids {
		list[i] = int64(id)
	}
	return list
}

func marksAtEnd(mask []uint32) int {
	n := 0
	for n < len(mask) && mask[len(mask)-1-n] == 1 {
		n++
	}
	return n
}

// from returns the text from a byte offset on, which the tokenizer may have put inside a
// character that it splits.
func from(text string, offset uint) string {
	i := min(int(offset), len(text))
	for i > 0 && i < len(text) && !utf8.RuneStart(text[i]) {
		i--
	}
	return text[i:]
}

// Close frees the tokenizer once running calls have returned. It may be called again.
func (t *Tokenizer) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lib == nil {
		return nil
	}
	err := t.lib.Close()
	t.lib = nil
	return err
}
