package syntax_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/easelbot/easel/generator/prompt/syntax"
)

func resolve(tb testing.TB, text string, seed int64) string {
	tb.Helper()
	got, err := syntax.Resolve(text, seed)
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

// TestResolvePinned holds the stream of choices in place: pictures that were made must stay to be had again.
func TestResolvePinned(t *testing.T) {
	const text = "{a|b|c|d} {e|{f|g}|h}"
	want := []string{"c h", "b h", "a h", "c h", "a e", "d f", "c e"}
	for i, seed := range []int64{0, 1, 2, 3, 4, -1, math.MaxInt64} {
		if got := resolve(t, text, seed); got != want[i] {
			t.Errorf("seed %d gives %q, want %q", seed, got, want[i])
		}
	}
}

func TestResolve(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "",
		"a red car":        "a red car",
		"a {red} car":      "a red car",
		"{} car":           " car",
		`\{red|blue\} car`: `\{red|blue\} car`,
		`{\{a\|b\}}`:       `\{a\|b\}`,
		`{a\\}`:            `a\\`,
		"{(a:1.2)} {[b]}":  "(a:1.2) [b]",
		"{{{deep}}}":       "deep",
		"late} a|b {c}}":   "late} a|b c}",
		`{é\ü} \`:          `é\ü \`,
	} {
		if got := resolve(t, text, 5); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

// TestResolveIsEven draws from many neighbouring seeds, as the pictures of requests do.
func TestResolveIsEven(t *testing.T) {
	const seeds, pairs, slack = 9000, 9, 150
	counts := map[string]int{}
	for seed := range int64(seeds) {
		counts[resolve(t, "{red|blue|} {car|tree|fox}", seed)]++
	}
	for text, n := range counts {
		if len(counts) != pairs || n < seeds/pairs-slack || n > seeds/pairs+slack {
			t.Errorf("%q comes %d times of %d, one of %d texts; want about a ninth", text, n, seeds, len(counts))
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	for text, character := range map[string]int{"é {a|b": 3, "{a} {b {c}": 5, `{a\}`: 1} {
		_, err := syntax.Resolve(text, 1)
		var e *syntax.Error
		if !errors.As(err, &e) || e.Character != character {
			t.Errorf("%q: error %v, want one at character %d", text, err, character)
		}
	}
}

// FuzzResolve checks that what is resolved stays so, and that whether a text is refused does not hang on the seed.
func FuzzResolve(f *testing.F) {
	for _, text := range []string{"", "{a|b}", "{a|{b|c}}", `\{`, "{", "}", `{a\`, "{\xff|é}"} {
		f.Add(text, int64(7))
	}
	f.Fuzz(func(t *testing.T, text string, seed int64) {
		got, err := syntax.Resolve(text, seed)
		_, other := syntax.Resolve(text, seed+1)
		if (err == nil) != (other == nil) {
			t.Fatalf("%q: error %v, and %v with the next seed", text, err, other)
		}
		if err != nil {
			checkError(t, text, err)
			return
		}
		again := []string{resolve(t, text, seed), resolve(t, got, seed+1)}
		if !slices.Equal(again, []string{got, got}) || !within(got, text) {
			t.Errorf("%q gives %q, again %q", text, got, again)
		}
	})
}
