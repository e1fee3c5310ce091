package rank

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/inference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(tb testing.TB) {
	tb.Helper()
	if err := inference.Load(""); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
}

var onCPU = inference.Options{Device: inference.CPU, Threads: 2}

func open(tb testing.TB, dir string) *Ranker {
	tb.Helper()
	load(tb)
	r, err := Open(dir, onCPU)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// reference is what transformers makes of pictures and prompts, by folder.
func reference(tb testing.TB) (list map[string]struct {
	Sizes [][2]int
	Means [][3]float64 // of the three planes that the network sees of each
	Cases []struct {
		Prompt string
		Scores []float64
	}
},
) {
	tb.Helper()
	text, err := os.ReadFile("testdata/reference.json")
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil || len(list) == 0 {
		tb.Fatal("no reference: ", err)
	}
	return list
}

// paint paints the pictures that testdata/make_reference.py does.
func paint(w, h, seed int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		x, y := i%w, i/w
		copy(m.Pix[4*i:], []uint8{uint8(x*(3+seed) + y*2), uint8((x/7+y/5+seed)%2*200 + 20), uint8(y*y/(2+seed) + x), 255})
	}
	return m
}

func paintAll(sizes [][2]int) []*image.NRGBA {
	pictures := make([]*image.NRGBA, len(sizes))
	for i, s := range sizes {
		pictures[i] = paint(s[0], s[1], i)
	}
	return pictures
}

// TestTransformers compares with the original preparation and network, in both ways of exporting it.
func TestTransformers(t *testing.T) {
	for dir, want := range reference(t) {
		t.Run(dir, func(t *testing.T) {
			r := open(t, filepath.Join("testdata", dir))
			pictures := paintAll(want.Sizes)
			for i, m := range pictures {
				pixels, err := r.prepare.pixels(m)
				if err != nil {
					t.Fatal(err)
				}
				n := len(pixels.F32) / 3
				for c, mean := range want.Means[i] {
					if got := average(pixels.F32[c*n:][:n]); math.Abs(got-mean) > 1e-3 {
						t.Errorf("picture %d: plane %d has a mean of %.5f, want %.5f", i, c, got, mean)
					}
				}
			}
			for _, c := range want.Cases {
				scores, err := r.Score(t.Context(), c.Prompt, pictures)
				if err != nil {
					t.Fatal(err)
				}
				for i, s := range scores {
					if math.Abs(s-c.Scores[i]) > 1e-3 {
						t.Errorf("%q and picture %d score %.5f, want %.5f", c.Prompt, i, s, c.Scores[i])
					}
				}
				if got, want := Best(scores), slices.Index(c.Scores, slices.Max(c.Scores)); got != want {
					t.Errorf("%q: picture %d is the best, want %d", c.Prompt, got, want)
				}
			}
		})
	}
}

func average(list []float32) float64 {
	sum := 0.0
	for _, v := range list {
		sum += float64(v)
	}
	return sum / float64(len(list))
}

func TestNotation(t *testing.T) {
	r := open(t, "testdata/pair")
	m := []*image.NRGBA{paint(40, 40, 1)}
	score := func(words string) float64 {
		list, err := r.Score(t.Context(), words, m)
		if err != nil {
			t.Fatal(err)
		}
		return list[0]
	}
	if got, want := score("a (photo:1.4) of [the] fox"), score("a photo of the fox"); got != want {
		t.Errorf("with notation %v, without %v", got, want)
	}
	if score("a photo of the fox") == score("a photo of the cat") {
		t.Error("fox and cat are the same")
	}
	if got, want := score(strings.Repeat("fox ", 500)), score(strings.Repeat("fox ", 14)); got != want {
		t.Errorf("cut %v, full %v", got, want)
	}
}

func TestVeiled(t *testing.T) {
	r := open(t, "testdata/pair")
	white := image.NewNRGBA(image.Rect(0, 0, 30, 30))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	scores, err := r.Score(t.Context(), "fox", []*image.NRGBA{image.NewNRGBA(white.Rect), white})
	if err != nil || scores[0] != scores[1] {
		t.Errorf("transparent and white score %v (%v), want the same", scores, err)
	}
}

func TestScoreRefuses(t *testing.T) {
	r := open(t, "testdata/joint")
	fine := paint(40, 40, 1)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx     context.Context
		words   string
		picture *image.NRGBA
		want    error
	}{
		"NUL":       {t.Context(), "a\x00fox", fine, prompt.ErrNUL},
		"UTF-8":     {t.Context(), "a \xff fox", fine, prompt.ErrUTF8},
		"cancelled": {over, "fox", fine, context.Canceled},
		"none":      {t.Context(), "fox", nil, nil},
		"empty":     {t.Context(), "fox", &image.NRGBA{}, nil},
		"a thread":  {t.Context(), "fox", paint(1, 5000, 1), nil},
		"endless":   {t.Context(), "fox", &image.NRGBA{Rect: image.Rect(0, 0, 1<<30, 1<<30)}, nil},
	} {
		_, err := r.Score(c.ctx, c.words, []*image.NRGBA{c.picture})
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v or some error", name, err, c.want)
		}
	}
	if scores, err := r.Score(t.Context(), "fox", nil); err != nil || len(scores) != 0 {
		t.Errorf("no pictures: %v, %v", scores, err)
	}
}

func TestClosed(t *testing.T) {
	load(t)
	r, err := Open("testdata/joint", onCPU)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	if _, err := r.Score(t.Context(), "fox", nil); !errors.Is(err, prompt.ErrClosed) {
		t.Errorf("got %v, want %v", err, prompt.ErrClosed)
	}
}

func TestConcurrent(t *testing.T) {
	r := open(t, "testdata/joint")
	pictures := paintAll([][2]int{{64, 48}, {31, 77}})
	want, err := r.Score(t.Context(), "fox", pictures)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got, err := r.Score(t.Context(), "fox", pictures); err != nil || !slices.Equal(got, want) {
				t.Errorf("at once %v (%v), alone %v", got, err, want)
			}
		})
	}
	wg.Wait()
}

func TestBest(t *testing.T) {
	for _, c := range []struct {
		scores []float64
		want   int
	}{{nil, -1}, {[]float64{3}, 0}, {[]float64{1, 5, 5, 2}, 1}, {[]float64{-3, -2}, 1}, {[]float64{0, 0}, 0}} {
		if got := Best(c.scores); got != c.want {
			t.Errorf("of %v the best is %d, want %d", c.scores, got, c.want)
		}
	}
}

func TestCosine(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		a, b []float32
		want float64
	}{
		{[]float32{1, 0}, []float32{2, 0}, 100},
		{[]float32{1, 0}, []float32{0, 3}, 0},
		{[]float32{1, 1}, []float32{-2, -2}, -100},
		{[]float32{3, 4}, []float32{3, 0}, 60},
	} {
		if got, err := score(c.a, c.b); err != nil || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v and %v score %v (%v), want %v", c.a, c.b, got, err, c.want)
		}
	}
	for _, a := range [][]float32{{0, 0}, {nan, 1}, {inf, 1}} {
		if got, err := score(a, []float32{1, 2}); err == nil {
			t.Errorf("%v scores %v", a, got)
		}
		if got, err := score([]float32{1, 2}, a); err == nil {
			t.Errorf("the other way round, %v scores %v", a, got)
		}
	}
}
