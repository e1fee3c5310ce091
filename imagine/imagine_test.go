package imagine_test

import (
	"errors"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/easelbot/easel/imagine"
)

func valid() imagine.Request {
	return imagine.Request{Prompt: "a fox", Width: 128, Height: 128, Count: 1, Seed: 7, Sampler: "ddim", Steps: 20, Guidance: 3}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*imagine.Request)
		field  string // "" means valid
	}{
		{"as it is", func(*imagine.Request) {}, ""},
		{"empty prompt", func(r *imagine.Request) { r.Prompt = " \n" }, "prompt"},
		{"invisible prompt", func(r *imagine.Request) { r.Prompt = "\u200b\u0301 \u3164" }, "prompt"},
		{"emoji alone", func(r *imagine.Request) { r.Prompt = "🦊" }, ""},
		{"NUL", func(r *imagine.Request) { r.Prompt = "a\x00b" }, "prompt"},
		{"not UTF-8", func(r *imagine.Request) { r.Negative = "\xff" }, "negative"},
		{"longest", func(r *imagine.Request) { r.Prompt = strings.Repeat("ü", imagine.MaxPrompt) }, ""},
		{"too long", func(r *imagine.Request) { r.Prompt = strings.Repeat("a", 5000) }, "prompt"},
		{"no pictures", func(r *imagine.Request) { r.Count = 0 }, "count"},
		{"too many pictures", func(r *imagine.Request) { r.Count = 65 }, "count"},
		{"steps 0", func(r *imagine.Request) { r.Steps = 0 }, "steps"},
		{"steps 1001", func(r *imagine.Request) { r.Steps = 1001 }, "steps"},
		{"guidance off", func(r *imagine.Request) { r.Guidance = 0 }, ""},
		{"guidance NaN", func(r *imagine.Request) { r.Guidance = math.NaN() }, "guidance"},
		{"eta", func(r *imagine.Request) { r.Eta = 1.5 }, "eta"},
		{"rescale", func(r *imagine.Request) { r.Rescale = 1.1 }, "guidance-rescale"},
		{"clip skip", func(r *imagine.Request) { r.ClipSkip = -1 }, "clip-skip"},
		{"mask alone", func(r *imagine.Request) { r.Mask = &imagine.Source{} }, "mask"},
		{"strength alone", func(r *imagine.Request) { r.Strength = 0.5 }, "strength"},
		{"no strength", func(r *imagine.Request) { r.Init = &imagine.Source{} }, "strength"},
		{"strength NaN", func(r *imagine.Request) { r.Init, r.Strength = &imagine.Source{}, math.NaN() }, "strength"},
		{"from a picture", func(r *imagine.Request) { r.Init, r.Strength, r.Mask = &imagine.Source{}, 1, &imagine.Source{} }, ""},
		{"variation", func(r *imagine.Request) { r.Variation.Strength = -0.1 }, "variation-strength"},
		{"negative seed", func(r *imagine.Request) { r.Seed = math.MinInt64 }, ""},
		{"largest seed", func(r *imagine.Request) { r.Seed = math.MaxInt64 }, ""},
		{"seeds past the largest", func(r *imagine.Request) { r.Seed, r.Count = math.MaxInt64-1, 3 }, "seed"},
		{"variation seeds past the largest", func(r *imagine.Request) { r.Variation.Seed, r.Count = math.MaxInt64, 2 }, "variation-seed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := valid()
			tt.change(&r)
			err := r.Validate()
			var invalid *imagine.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Field != tt.field):
				t.Errorf("got %v, want an InvalidError of %s", err, tt.field)
			}
		})
	}
}

func TestSeeds(t *testing.T) {
	r := valid()
	if seed, _ := r.Seeds(3); seed != 10 {
		t.Errorf("picture 3 of seed 7 has seed %d, want 10", seed)
	}
	r.Variation = imagine.Variation{Seed: 100, Strength: 0.2}
	if seed, variation := r.Seeds(3); seed != 7 || variation != 103 {
		t.Errorf("variation 3 has seeds %d and %d, want 7 and 103", seed, variation)
	}
}

func TestGrid(t *testing.T) {
	var pictures []*image.NRGBA
	for i := range 5 {
		p := image.NewNRGBA(image.Rect(0, 0, 6, 4))
		for j := range p.Pix {
			p.Pix[j] = uint8(50 * (i + 1))
		}
		pictures = append(pictures, p)
	}
	grid := imagine.Grid(pictures)
	if got, want := grid.Rect, image.Rect(0, 0, 3*6+2*4, 2*4+4); got != want {
		t.Fatalf("five pictures make a grid of %v, want %v", got, want)
	}
	at := func(x, y int) uint8 { return grid.At(x, y).(color.NRGBA).R }
	if at(0, 0) != 50 || at(10, 0) != 100 || at(25, 3) != 150 || at(5, 11) != 200 || at(10, 8) != 250 {
		t.Error("the pictures are not in their places")
	}
	if at(6, 0) != 0 || at(25, 11) != 0 {
		t.Error("the gutter or the empty place is not clear")
	}
	if !imagine.Grid(nil).Rect.Empty() {
		t.Error("a grid of nothing is not empty")
	}
}
