package prompt_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/generator/prompt/syntax"
)

func chunk(tb testing.TB, tok *prompt.Tokenizer, text string, limit int) prompt.Chunks {
	tb.Helper()
	pieces, err := syntax.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	got, err := tok.Chunk(pieces, limit)
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

// TestChunk fills chunks of six words by the tiny tokenizer.
func TestChunk(t *testing.T) {
	const cls, sep, pad, red, fox, the, cat = 2, 3, 0, 88, 85, 93, 86
	tok := open(t, "tiny", 8)
	comma, err := tok.Encode(",")
	if err != nil {
		t.Fatal(err)
	}
	c := comma.IDs[1]
	full := []int64{cls, fox, fox, fox, fox, fox, fox, sep}
	none := []int64{cls, sep, pad, pad, pad, pad, pad, pad}
	const six = "fox fox fox fox fox fox"
	for _, tt := range []struct {
		text  string
		limit int
		ids   [][]int64
		cut   string
	}{
		{"", 3, [][]int64{none}, ""},
		{six, 3, [][]int64{full}, ""},
		{six + " cat", 3, [][]int64{full, {cls, cat, sep, pad, pad, pad, pad, pad}}, ""},
		{six + " " + six + " the (cat) red", 2, [][]int64{full, full}, "the cat red"},
		{"the red BREAK fox", 3, [][]int64{{cls, the, red, sep, pad, pad, pad, pad}, {cls, fox, sep, pad, pad, pad, pad, pad}}, ""},
		{"the red BREAK fox", 1, [][]int64{{cls, the, red, fox, sep, pad, pad, pad}}, ""},
		{"BREAK cat BREAK", 3, [][]int64{none, {cls, cat, sep, pad, pad, pad, pad, pad}}, ""},
		{six + " BREAK BREAK cat", 2, [][]int64{full, {cls, cat, sep, pad, pad, pad, pad, pad}}, ""},
		{"fox fox, red cat the fox", 3, [][]int64{{cls, fox, fox, c, sep, pad, pad, pad}, {cls, red, cat, the, fox, sep, pad, pad}}, ""},
		{"fox fox, red cat the fox", 1, [][]int64{{cls, fox, fox, c, red, cat, the, sep}}, "fox"},
		{six + ", cat", 3, [][]int64{full, {cls, c, cat, sep, pad, pad, pad, pad}}, ""},
	} {
		got := chunk(t, tok, tt.text, tt.limit)
		ids := func(c prompt.Chunk, want []int64) bool { return slices.Equal(c.IDs, want) }
		if !slices.EqualFunc(got.List, tt.ids, ids) || got.Cut != tt.cut {
			t.Errorf("%q in %d gives %+v, want %v, cut %q", tt.text, tt.limit, got, tt.ids, tt.cut)
		}
	}
	if got := tok.Empty(); !slices.Equal(got.IDs, none) || got.Weights != nil {
		t.Errorf("the empty chunk is %+v, want %v", got, none)
	}
}

// TestCommaRange has a comma just within reach of the chunk's end, and one just beyond.
func TestCommaRange(t *testing.T) {
	tok := open(t, "tiny", 42) // 40 words
	for after, kept := range map[int]int{19: 21, 20: 40} {
		got := chunk(t, tok, strings.Repeat("fox ", 39-after)+","+strings.Repeat(" cat", after)+" red", 3)
		if first := slices.Index(got.List[0].IDs, 3) - 1; first != kept {
			t.Errorf("with %d words behind the comma the first chunk has %d, want %d", after, first, kept)
		}
	}
}

func TestChunkWeights(t *testing.T) {
	got := chunk(t, open(t, "tiny", 6), "the (red:1.5) [fox] (cat:0) (the:1)", 2)
	want := [][]float32{{1, 1, 1.5, float32(1 / 1.1), 0, 1}, nil}
	weights := func(c prompt.Chunk, want []float32) bool { return slices.Equal(c.Weights, want) }
	if !slices.EqualFunc(got.List, want, weights) {
		t.Errorf("got %+v, want %v", got, want)
	}
}

// TestOneChunkIsEncode checks that text without notation in one chunk is what plain text is.
func TestOneChunkIsEncode(t *testing.T) {
	toks := []*prompt.Tokenizer{open(t, "tiny", 9), open(t, "clip", 9)}
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.ReplaceAll(rapid.OneOf(rapid.String(), rapid.StringMatching(`((red|fox|the|a), ?){0,12}`)).Draw(rt, "text"), "\x00", "")
		for _, tok := range toks {
			want, err := tok.Encode(text)
			if err != nil {
				rt.Fatal(err)
			}
			got, err := tok.Chunk([]syntax.Piece{{Text: text, Weight: 1}}, 1)
			if err != nil || len(got.List) != 1 || !slices.Equal(got.List[0].IDs, want.IDs) || got.List[0].Weights != nil || got.Cut != want.Cut {
				rt.Fatalf("%q gives %+v, %v; want %+v", text, got, err, want)
			}
		}
	})
}

func TestChunkRefuses(t *testing.T) {
	tok := open(t, "tiny", 8)
	for text, want := range map[string]error{"a\x00": prompt.ErrNUL, "\xff": prompt.ErrUTF8} {
		if _, err := tok.Chunk([]syntax.Piece{{Text: "fox", Weight: 1}, {Text: text, Weight: 2}}, 8); !errors.Is(err, want) {
			t.Errorf("%q: error %v, want %v", text, err, want)
		}
	}
}
