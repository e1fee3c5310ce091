package main

import (
	"bytes"
	"image"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/easelbot/easel/generator/resample"
)

// TestExtended paints around a picture with the built-in model. What was there is the same afterwards, and what is new is no filling.
func TestExtended(t *testing.T) {
	withFilter(t)
	dir := t.TempDir()
	fox := filepath.Join(dir, "fox.png")
	paintFile(t, fox, "--prompt", "a fox on a blue background", "--seed", "7")
	own := openFlat(t, fox)
	tests := []struct {
		name    string
		options []string
		size    image.Point
		stays   image.Rectangle // what is surely not part of the seam
		at      image.Point     // where the picture's own corner went
		factor  int
	}{
		{"zoom", []string{"--zoom", "2"}, image.Pt(128, 128), image.Rect(48, 48, 80, 80), image.Pt(32, 32), 2},
		{"right", []string{"--pan", "right"}, image.Pt(192, 128), image.Rect(0, 0, 112, 128), image.Pt(0, 0), 1},
		{"up", []string{"--pan", "up"}, image.Pt(128, 192), image.Rect(0, 80, 128, 192), image.Pt(0, 64), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(dir, tt.name+".png")
			paintFile(t, file, slices.Concat(tt.options, []string{"--prompt", "a fox on a blue background", "--init", fox, "--steps", "8", "--seed", "7"})...)
			got := openFlat(t, file)
			if got.Rect.Size() != tt.size {
				t.Fatalf("the picture is %v, want %v", got.Rect, tt.size)
			}
			want := resample.Resize(own, own.Rect.Dx()/tt.factor, own.Rect.Dy()/tt.factor, resample.Lanczos)
			for y := tt.stays.Min.Y; y < tt.stays.Max.Y; y++ {
				for x := tt.stays.Min.X; x < tt.stays.Max.X; x++ {
					if a, b := got.NRGBAAt(x, y), want.NRGBAAt(x-tt.at.X, y-tt.at.Y); a != b {
						t.Fatalf("at %d,%d is %v, and %v in the picture that was to stay", x, y, a, b)
					}
				}
			}
		})
	}
}

func paintFile(t *testing.T, file string, args ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"imagine", "--device", "cpu", "--out", file}, args...)
	if code := run(t.Context(), args, &stdout, &stderr); code != 0 {
		t.Fatalf("%s: status %d, %s", strings.Join(args, " "), code, stderr.Bytes())
	}
}

func openFlat(t *testing.T, file string) *image.NRGBA {
	t.Helper()
	m, err := openPicture(file)
	if err != nil {
		t.Fatal(err)
	}
	return resample.Flatten(m)
}
