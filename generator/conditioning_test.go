package generator

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/easelbot/easel/generator/prompt/syntax"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

// today returns the states of a text as diffusers has them: marked, cut, padded and encoded at once.
func today(tb testing.TB, e *Engine, text string) []float32 {
	tb.Helper()
	tokens, err := e.kits[0].tokenizers[0].Encode(text)
	if err != nil {
		tb.Fatal(err)
	}
	states := make([]float32, e.nets().texts.length*e.nets().texts.width)
	l, w := int64(e.nets().texts.length), int64(e.nets().texts.width)
	err = e.nets().texts.encoders[0].session.Run(tb.Context(),
		map[string]inference.Tensor{"input_ids": inference.Int64(tokens.IDs, 1, l)},
		map[string]inference.Tensor{"last_hidden_state": inference.Float32(states, 1, l, w)})
	if err != nil {
		tb.Fatal(err)
	}
	return states
}

// encoded returns what a request's pictures are conditioned on.
func encoded(tb testing.TB, e *Engine, r imagine.Request) []conditioning {
	tb.Helper()
	j := newJob(tb.Context(), whole(e.kits[0], r), imagine.Watcher{})
	if err := e.nets().texts.condition(tb.Context(), j); err != nil {
		tb.Fatal(err)
	}
	return j.texts
}

// TestPlain checks that plain text, and text without notation, is encoded byte for byte as diffusers does.
func TestPlain(t *testing.T) {
	e := engine(t, tiny, roomy())
	long := strings.Repeat("a red fox, ", 20)
	for _, c := range []struct {
		text  string
		plain bool
	}{
		{"a (red:1.3) {fox|cat} [BREAK] \\(", true},
		{long, true},
		{"", true},
		{"a red fox", false},
		{long, false}, // the graph fixes its length
		{"(a red fox:1)", false},
	} {
		r := with(fox(), func(r *imagine.Request) { r.Prompt, r.Plain = c.text, c.plain })
		want := today(t, e, strings.NewReplacer("(a red fox:1)", "a red fox").Replace(c.text))
		got := encoded(t, e, r)[0]
		if !slices.Equal(got.positive.states, want) || !slices.Equal(got.negative.states, today(t, e, "")) || got.tokens != 32 {
			t.Errorf("%.30q, plain %v: the states of %d tokens differ", c.text, c.plain, got.tokens)
		}
	}
}

// TestChunksAreEncodedApart has a text encoder without a limit.
func TestChunksAreEncodedApart(t *testing.T) {
	e := engine(t, tiny, roomy())
	e.kits[0].most = maxChunks
	r := with(fox(), func(r *imagine.Request) { r.Prompt, r.Negative = "a red fox BREAK a blue cat BREAK dog", "blue BREAK" })
	got := encoded(t, e, r)[0]
	empty := today(t, e, "")
	positive := slices.Concat(today(t, e, "a red fox"), today(t, e, "a blue cat"), today(t, e, "dog"))
	negative := slices.Concat(today(t, e, "blue"), empty, empty)
	if !slices.Equal(got.positive.states, positive) || !slices.Equal(got.negative.states, negative) || got.tokens != 96 {
		t.Errorf("three chunks are not the states of each, of %d tokens", got.tokens)
	}
	r.Guidance = 0
	if got := encoded(t, e, r)[0]; got.negative.states != nil || !slices.Equal(got.positive.states, positive) {
		t.Error("without guidance there should be no negative states, and the same positive ones")
	}
	r.Prompt, r.Negative, r.Guidance = "fox", "blue BREAK red", 3
	if got := encoded(t, e, r)[0]; !slices.Equal(got.positive.states, slices.Concat(today(t, e, "fox"), empty)) {
		t.Error("a prompt shorter than the negative one should end in empty chunks")
	}
}

func TestWeigh(t *testing.T) {
	for name, c := range map[string]struct{ states, weights, want []float32 }{
		"mean restored":       {[]float32{1, 2, 3, 4}, []float32{1, 2}, []float32{10. / 17, 20. / 17, 60. / 17, 80. / 17}},
		"no mean to restore":  {[]float32{1, -1, 3, -3}, []float32{1, 2}, []float32{1, -1, 6, -6}},
		"mean lost":           {[]float32{1, 1, 2, 2}, []float32{0, 0}, []float32{0, 0, 0, 0}},
		"mean turned over":    {[]float32{1, 1, 2, 2}, []float32{1, -1}, []float32{1, 1, -2, -2}},
		"nothing but a start": {[]float32{4, 0, 0, 0}, []float32{.5, 1}, []float32{4, 0, 0, 0}},
	} {
		weigh(c.states, c.weights)
		near := func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-6 }
		if !slices.EqualFunc(c.states, c.want, near) {
			t.Errorf("%s: got %v, want %v", name, c.states, c.want)
		}
	}
}

// TestWeights checks that a weight reaches its word's states alone, up to the scale of all.
func TestWeights(t *testing.T) {
	e := engine(t, tiny, roomy())
	got := encoded(t, e, with(fox(), func(r *imagine.Request) { r.Prompt = "a (red:1.5) fox" }))[0].positive.states
	want := today(t, e, "a red fox")
	weights := slices.Repeat([]float32{1}, e.nets().texts.length)
	weights[2] = 1.5
	weigh(want, weights)
	if !slices.Equal(got, want) || slices.Equal(got, today(t, e, "a red fox")) {
		t.Error("the states are not those of the words with the second one's times 1.5")
	}
}

// TestWildcards checks that each picture has its own choice, and the same alone as among others.
func TestWildcards(t *testing.T) {
	e := engine(t, tiny, roomy())
	r := with(fox(), func(r *imagine.Request) { r.Prompt, r.Count, r.Steps = "a {red|blue|green} {fox|cat}", 4, 2 })
	together := paint(t, e, r)
	for k := range r.Count {
		if alone := paint(t, e, r.One(k)); !same(alone, together[k:k+1]) {
			t.Errorf("picture %d is another one alone", k)
		}
		words, _, err := syntax.Painted(r, k)
		if err != nil {
			t.Fatal(err)
		}
		told := with(r.One(k), func(r *imagine.Request) { r.Prompt = words })
		if alone := paint(t, e, told); !same(alone, together[k:k+1]) {
			t.Errorf("picture %d is another one with its words written out as %q", k, words)
		}
	}
}

func TestNotationRefused(t *testing.T) {
	f := folder(t, tiny)
	for _, c := range []struct{ prompt, negative, field, want string }{
		{"a {red fox", "", "prompt", "prompt: at character 3: the { is never closed"},
		{"a (fox:1.1.1)", "", "prompt", "prompt: at character 8: "},
		{"a fox", "(x:300)", "negative", "negative: at character 4: "},
		{"a fox", "{", "negative", "negative: at character 1: "},
	} {
		r := with(fox(), func(r *imagine.Request) { r.Prompt, r.Negative = c.prompt, c.negative })
		err := Check(1<<30, r, f)
		var invalid *imagine.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != c.field || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: error %v", c, err)
		}
		r.Plain = true
		if err := Check(1<<30, r, f); err != nil {
			t.Errorf("%+v, plain: %v", c, err)
		}
	}
}

func TestCut(t *testing.T) {
	e := engine(t, tiny, roomy())
	r := with(fox(), func(r *imagine.Request) {
		r.Prompt, r.Negative = strings.Repeat("fox ", 30)+"({cat}:1.2) dog", strings.Repeat("cat ", 30)+"red fox"
	})
	for _, c := range []struct {
		chunks             int
		plain              bool
		positive, negative string
	}{
		{1, false, "cat dog", "red fox"},
		{2, false, "", ""},
		{1, true, "({cat}:1.2) dog", "red fox"},
	} {
		e.kits[0].most, r.Plain = c.chunks, c.plain
		positive, negative, err := e.Cut(r, 0)
		if positive != c.positive || negative != c.negative || err != nil {
			t.Errorf("%+v: cut %q and %q, %v", c, positive, negative, err)
		}
	}
}
