package prompt_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/easelbot/easel/generator/prompt"
)

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// open returns one of the two tokenizers of the tests: "tiny" is WordPiece, "clip" is made
// from vocab.json and merges.txt. Both know few words.
func open(tb testing.TB, name string, length int) *prompt.Tokenizer {
	tb.Helper()
	var file []byte
	var err error
	pad := "[PAD]"
	if name == "tiny" {
		file = read(tb, "../../testdata/tiny/tokenizer/tokenizer.json")
	} else {
		pad = "<|endoftext|>"
		file, err = prompt.CLIPFile(read(tb, "testdata/clip/vocab.json"), read(tb, "testdata/clip/merges.txt"))
		if err != nil {
			tb.Fatal(err)
		}
	}
	tok, err := prompt.NewTokenizer(file, length, pad)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := tok.Close(); err != nil {
			tb.Error(err)
		}
	})
	return tok
}

// TestReference compares with Hugging Face's tokenizers for Python (0.23.3, with
// encode_special_tokens, no truncation and no padding).
func TestReference(t *testing.T) {
	var cases []struct {
		Tokenizer, Text string
		IDs             []int64
	}
	if err := json.Unmarshal(read(t, "testdata/reference.json"), &cases); err != nil {
		t.Fatal(err)
	}
	const length = 300
	tokenizers := map[string]*prompt.Tokenizer{"tiny": open(t, "tiny", length), "clip": open(t, "clip", length)}
	pads := map[string]int64{"tiny": 0, "clip": 525}
	for _, c := range cases {
		got, err := tokenizers[c.Tokenizer].Encode(c.Text)
		if err != nil {
			t.Fatal(err)
		}
		want := c.IDs
		for len(want) < length {
			want = append(want, pads[c.Tokenizer])
		}
		if !slices.Equal(got.IDs, want) || got.Cut != "" {
			t.Errorf("%s: %q gives %v, cut %q; want %v", c.Tokenizer, c.Text, got.IDs, got.Cut, want)
		}
	}
}

// onlyPadding reports whether nothing else is left.
func onlyPadding(ids []int64, pad int64) bool {
	return !slices.ContainsFunc(ids, func(id int64) bool { return id != pad })
}

func TestEncode(t *testing.T) {
	const cls, sep, pad, red, fox, the, cat = 2, 3, 0, 88, 85, 93, 86
	for _, c := range []struct {
		text string
		want prompt.Tokens
	}{
		{"", prompt.Tokens{IDs: []int64{cls, sep, pad, pad, pad, pad}}},
		{"the red fox", prompt.Tokens{IDs: []int64{cls, the, red, fox, sep, pad}}},
		{"the red fox cat", prompt.Tokens{IDs: []int64{cls, the, red, fox, cat, sep}}},
		{"the red fox cat  on a blue dog", prompt.Tokens{IDs: []int64{cls, the, red, fox, cat, sep}, Cut: "on a blue dog"}},
		{"fox fox fox cat\u0301é\u200bé", prompt.Tokens{IDs: []int64{cls, fox, fox, fox, cat, sep}, Cut: "é\u200bé"}},
	} {
		got, err := open(t, "tiny", 6).Encode(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.IDs, c.want.IDs) || got.Cut != c.want.Cut {
			t.Errorf("%q gives %+v, want %+v", c.text, got, c.want)
		}
	}
}

// TestCutInsideCharacter cuts where a byte-level tokenizer has split a character.
func TestCutInsideCharacter(t *testing.T) {
	got, err := open(t, "clip", 4).Encode("🦊 fox")
	if err != nil {
		t.Fatal(err)
	}
	if got.Cut != "🦊 fox" || len(got.IDs) != 4 {
		t.Errorf("cut %q after %v, want the whole text after 4 tokens", got.Cut, got.IDs)
	}
}

// TestSpecialTokensAreText checks that nobody can end a prompt early.
func TestSpecialTokensAreText(t *testing.T) {
	for name, c := range map[string]struct {
		text      string
		mark, pad int64
	}{
		"tiny": {"fox [SEP] cat", 3, 0},
		"clip": {"fox <|endoftext|> cat", 525, 525},
	} {
		got, err := open(t, name, 40).Encode(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.Index(got.IDs, c.mark); i < 0 || !onlyPadding(got.IDs[i+1:], c.pad) {
			t.Errorf("%s: %q ends at token %d: %v", name, c.text, i, got.IDs)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tok := open(t, "tiny", 8)
	for text, want := range map[string]error{"a fox\x00 and more": prompt.ErrNUL, "a fo\xff": prompt.ErrUTF8} {
		if _, err := tok.Encode(text); !errors.Is(err, want) {
			t.Errorf("%q: error %v, want %v", text, err, want)
		}
	}
	if err := errors.Join(tok.Close(), tok.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Encode("fox"); !errors.Is(err, prompt.ErrClosed) {
		t.Errorf("after closing: %v, want %v", err, prompt.ErrClosed)
	}
}

// TestUnreadable has text that stops the library, for tokenizers with marks and without. The
// last knows one word and takes blanks for another.
func TestUnreadable(t *testing.T) {
	tiny := string(read(t, "../../testdata/tiny/tokenizer/tokenizer.json"))
	const words = `{"type": "WordLevel", "vocab": {"fox": 0, "pad": 1}, "unk_token": "?"}`
	const bare = `{"model": ` + words + `, "pre_tokenizer": {"type": "Whitespace"}}`
	for name, c := range map[string]struct {
		file, pad string
		fox       int64
		blank     error
	}{
		"marks":    {strings.Replace(tiny, `"unk_token":"[UNK]"`, `"unk_token":"[GONE]"`, 1), "[PAD]", 85, nil},
		"no marks": {bare, "pad", 0, nil},
		"blanks":   {`{"model": ` + words + `, "post_processor": {"type": "BertProcessing", "cls": ["pad", 1], "sep": ["pad", 1]}}`, "pad", 0, prompt.ErrEncode},
	} {
		t.Run(name, func(t *testing.T) {
			tok, err := prompt.NewTokenizer([]byte(c.file), 8, c.pad)
			if err != nil {
				t.Fatal(err)
			}
			for text, want := range map[string]error{"\u2603 fox": prompt.ErrEncode, "fox": nil, "": nil, " \n": c.blank} {
				got, err := tok.Encode(text)
				if !errors.Is(err, want) {
					t.Errorf("%q gives %v, %v; want error %v", text, got, err, want)
				}
				if text == "fox" && !slices.Contains(got.IDs, c.fox) {
					t.Errorf("%q gives %v", text, got)
				}
			}
			if err := tok.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNewTokenizerRefuses(t *testing.T) {
	tiny := string(read(t, "../../testdata/tiny/tokenizer/tokenizer.json"))
	for name, c := range map[string]struct {
		file   string
		length int
		pad    string
		want   string
	}{
		"nothing":         {"", 32, "", "no JSON object"},
		"no model":        {`{"padding": {"pad_id": 0}}`, 32, "", "no model"},
		"unknown model":   {`{"model": {"type": "Abacus"}, "padding": {"pad_id": 0}}`, 32, "", "cannot be used"},
		"no pad token":    {`{"model": {}}`, 32, "", "name it as pad_token"},
		"other pad token": {tiny, 32, "<pad>", `"<pad>" is not in the vocabulary`},
		"no room":         {tiny, 2, "[PAD]", "no room for text"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := prompt.NewTokenizer([]byte(c.file), c.length, c.pad)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestPadToken finds the pad token in each place a file may name it.
func TestPadToken(t *testing.T) {
	wordlevel := `{"model": {"type": "WordLevel", "vocab": {"fox": 0, "pad": 7}, "unk_token": "fox"}, "pre_tokenizer": {"type": "Whitespace"}%s}`
	unigram := `{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["fox", -1], ["\u2581", -2]]}}`
	for name, c := range map[string]struct {
		file, pad string
		want      int64
	}{
		"vocabulary":   {strings.Replace(wordlevel, "%s", "", 1), "pad", 7},
		"list":         {unigram, "\u2581", 2},
		"own padding":  {strings.Replace(wordlevel, "%s", `, "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 7, "pad_type_id": 0, "pad_token": "pad"}`, 1), "", 7},
		"added tokens": {strings.Replace(wordlevel, "%s", `, "added_tokens": [{"id": 9, "content": "<p>", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}]`, 1), "<p>", 9},
	} {
		t.Run(name, func(t *testing.T) {
			tok, err := prompt.NewTokenizer([]byte(c.file), 4, c.pad)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tok.Encode("fox")
			err = errors.Join(err, tok.Close())
			if err != nil || !slices.Equal(got.IDs[1:], []int64{c.want, c.want, c.want}) {
				t.Errorf("got %+v, %v; want padding with %d", got, err, c.want)
			}
		})
	}
}

func TestCLIPFileRefuses(t *testing.T) {
	for _, c := range []struct{ vocab, merges, want string }{
		{"[]", "", "vocab.json: "},
		{`{"a": 1}`, "", "has no <|startoftext|>"},
		{`{"<|startoftext|>": 1, "<|endoftext|>": 2}`, "#version: 0.2\na b\na b c", "merges.txt: line 3"},
	} {
		if _, err := prompt.CLIPFile([]byte(c.vocab), []byte(c.merges)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

func TestConcurrent(t *testing.T) {
	tok := open(t, "tiny", 32)
	want, err := tok.Encode("the red fox")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				got, err := tok.Encode("the red fox")
				if err != nil || !slices.Equal(got.IDs, want.IDs) {
					t.Errorf("got %v, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// FuzzEncode checks the promises about length, marks and what was cut, for any text.
func FuzzEncode(f *testing.F) {
	for _, text := range []string{"", "the red fox", "[SEP]", "naïve 🦊", "a\x00", "\xff", strings.Repeat("fox ", 30), "\u0301\u200b\u202e"} {
		f.Add(text)
	}
	const length, start, end, pad = 12, 2, 3, 0
	tok := open(f, "tiny", length)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := tok.Encode(text)
		if refused := !utf8.ValidString(text) || strings.ContainsRune(text, 0); refused != (err != nil) {
			t.Fatalf("%q: error %v", text, err)
		}
		if err != nil {
			return
		}
		last := slices.Index(got.IDs, end)
		if len(got.IDs) != length || got.IDs[0] != start || last < 0 || !onlyPadding(got.IDs[last+1:], pad) {
			t.Fatalf("%q gives %+v", text, got)
		}
		if !strings.HasSuffix(text, got.Cut) || got.Cut != "" && last != length-1 || !utf8.ValidString(got.Cut) {
			t.Errorf("%q is cut to leave %q: %+v", text, got.Cut, got)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	tok := open(b, "tiny", 32)
	for b.Loop() {
		if _, err := tok.Encode("a picture of a red fox next to the blue cat"); err != nil {
			b.Fatal(err)
		}
	}
}
