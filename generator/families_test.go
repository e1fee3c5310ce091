package generator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/easelbot/easel/generator/resample"
	"github.com/easelbot/easel/imagine"
)

// Models of random weights in the layout of each family, with pictures that diffusers painted with their PyTorch twins
// (training/families.py makes both).
const families = "../testdata/families"

// A reference is a request as the command line has it, and diffusers' picture.
type reference struct {
	Family            string
	Prompt            string
	Negative          *string // nil is not given
	Seed              int64
	Steps             int
	Sampler           string
	Guidance, Rescale float64
	Eta               float64
	ClipSkip          int `json:"clip_skip"`
	Size              string
	Init, Mask        string
	Strength          float64
	RefineAt          float64 `json:"refine_at"` // by the family "refiner"
	Picture           string
}

func references(t *testing.T) []reference {
	t.Helper()
	var list []reference
	file, err := os.ReadFile(filepath.Join(families, "references.json"))
	if err == nil {
		err = json.Unmarshal(file, &list)
	}
	if err != nil || len(list) == 0 {
		t.Fatalf("%d references, %v", len(list), err)
	}
	return list
}

func (r reference) request(t *testing.T) imagine.Request {
	t.Helper()
	request := imagine.Request{
		Prompt: r.Prompt, Plain: true, Count: 1, Seed: r.Seed, Steps: r.Steps, Sampler: r.Sampler, Guidance: r.Guidance,
		Rescale: r.Rescale, Eta: r.Eta, ClipSkip: r.ClipSkip, Strength: r.Strength,
	}
	if r.RefineAt > 0 {
		request.Refiner, request.RefineAt = "refiner", r.RefineAt
	}
	if _, err := fmt.Sscanf(r.Size, "%dx%d", &request.Width, &request.Height); err != nil {
		t.Fatal(err)
	}
	if r.Negative != nil {
		request.Negative = cmp.Or(*r.Negative, " ") // which reads as the empty text
	}
	if r.Init != "" {
		request.Init = &imagine.Source{Image: readPNG(t, r.Init)}
	}
	if r.Mask != "" {
		request.Mask = &imagine.Source{Image: readPNG(t, r.Mask)}
	}
	return request
}

func readPNG(t *testing.T, name string) image.Image {
	t.Helper()
	f, err := os.Open(filepath.Join(families, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFamilies paints with every family what diffusers painted.
func TestFamilies(t *testing.T) {
	const tolerance = 2 // of 255, in any channel
	byFamily := map[string][]reference{}
	for _, r := range references(t) {
		byFamily[r.Family] = append(byFamily[r.Family], r)
	}
	for family, list := range byFamily {
		t.Run(family, func(t *testing.T) {
			e := several(t, 0, slices.Compact([]string{family, "refiner"})...)
			for _, r := range list {
				request := r.request(t)
				pictures, err := e.Paint(t.Context(), request, imagine.Watcher{})
				if err != nil {
					t.Errorf("%s: %v", r.Picture, err)
					continue
				}
				got, want := pictures[0].Image, resample.Flatten(readPNG(t, r.Picture))
				if got.Rect != want.Rect {
					t.Errorf("%s: size %v, want %v", r.Picture, got.Rect, want.Rect)
				} else if worst := furthest(got, want); worst > tolerance {
					t.Errorf("%s: %s differs by up to %d of 255", r.Picture, r.Sampler, worst)
				}
			}
		})
	}
}

// furthest returns the largest difference of two pictures of one size in any channel.
func furthest(a, b *image.NRGBA) int {
	worst := 0
	for i := range a.Pix {
		worst = max(worst, int(a.Pix[i])-int(b.Pix[i]), int(b.Pix[i])-int(a.Pix[i]))
	}
	return worst
}
