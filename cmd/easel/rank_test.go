package main

import (
	"image"
	"slices"
	"testing"

	"github.com/easelbot/easel/imagine"
)

func TestHighest(t *testing.T) {
	tests := []struct {
		scores []float64
		n      int
		want   []int
	}{
		{[]float64{1, 3, 2}, 1, []int{1}},
		{[]float64{1, 3, 2}, 2, []int{1, 2}},
		{[]float64{3, 1, 2}, 2, []int{0, 2}},
		{[]float64{1, 3, 2}, 3, []int{0, 1, 2}},
		{[]float64{5, 5, 5}, 2, []int{0, 1}}, // the first of equal ones
		{[]float64{-9, -7, -8}, 1, []int{1}},
	}
	for _, tt := range tests {
		if got := highest(tt.scores, tt.n); !slices.Equal(got, tt.want) {
			t.Errorf("of %v the highest %d are %v, want %v", tt.scores, tt.n, got, tt.want)
		}
	}
}

// TestJudged sends pictures through a destination that keeps two of four.
func TestJudged(t *testing.T) {
	scores := []float64{20.004, 31, 12, 31}
	asked := imagine.Request{Seed: 7, Count: 4, Variation: imagine.Variation{Seed: 100, Strength: 0.1}}
	d := &destination{dir: t.TempDir(), request: asked, keep: 2, score: func(k int, _ *image.NRGBA) (float64, error) { return scores[k], nil }}
	pictures := make(chan imagine.Picture, 4)
	for _, k := range []int{3, 1, 0, 2} { // as they happen to be finished
		pictures <- imagine.Picture{Index: k, Seed: 7, VariationSeed: 100 + int64(k), Image: gradient()}
	}
	close(pictures)
	if err := d.saveAll(pictures, func() { t.Error("it stopped") }); err != nil {
		t.Fatal(err)
	}
	if got := names(t, d.dir); got != "7-101.png 7-103.png" {
		t.Errorf("saved are %s", got)
	}
	best, saved, leftOut := judged(d)
	if *best != 1 || len(saved) != 2 || saved[0].Index != 1 || *saved[0].Score != 31 || saved[1].Index != 3 || *saved[1].Score != 31 {
		t.Errorf("best %d, saved %+v", *best, saved)
	}
	if len(leftOut) != 2 || leftOut[0].Index != 0 || *leftOut[0].VariationSeed != 100 || leftOut[0].Score != 20 || leftOut[1].Index != 2 || leftOut[1].Score != 12 {
		t.Errorf("left out %+v", leftOut)
	}
}

// TestFramed checks that a frame hides little, and leaves the picture itself alone.
func TestFramed(t *testing.T) {
	m := gradient()
	got := framed(m)
	if got.Rect != m.Rect || got.NRGBAAt(0, 7) != bright || got.NRGBAAt(14, 15) != bright || got.NRGBAAt(2, 2) != m.NRGBAAt(2, 2) || got.NRGBAAt(13, 13) != m.NRGBAAt(13, 13) {
		t.Errorf("the frame is not what it should be: %v", got.Pix)
	}
	if want := gradient(); !slices.Equal(m.Pix, want.Pix) {
		t.Error("the picture has changed")
	}
}
