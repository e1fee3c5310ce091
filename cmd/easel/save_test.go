package main

import (
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/webp"

	"github.com/easelbot/easel/imagine"
)

// gradient is a picture in which no pixel is like another.
func gradient() *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for y := range 16 {
		for x := range 16 {
			m.SetNRGBA(x, y, color.NRGBA{uint8(16 * x), uint8(16 * y), uint8(x * y), 255})
		}
	}
	return m
}

func TestSavedPicturesDecodeAgain(t *testing.T) {
	tests := []struct {
		file   string
		decode func(io.Reader) (image.Image, error)
		off    int // how far a channel may be off, of 255
	}{
		{"a.png", png.Decode, 0},
		{"a.PNG", png.Decode, 0},
		{"a.webp", webp.Decode, 0},
		{"a.jpg", jpeg.Decode, 24}, // colours lose resolution
		{"a.jpeg", jpeg.Decode, 24},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), tt.file)
			if err := save(file, gradient()); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, err := tt.decode(f)
			if err != nil {
				t.Fatal(err)
			}
			if off := farthest(got, gradient()); off > tt.off {
				t.Errorf("a channel is %d off, want at most %d", off, tt.off)
			}
		})
	}
}

// farthest is the largest difference between two pictures' channels, of 255.
func farthest(a, b image.Image) int {
	if a.Bounds() != b.Bounds() {
		return 256
	}
	most := 0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			ar, ag, ab, _ := a.At(x, y).RGBA()
			br, bg, bb, _ := b.At(x, y).RGBA()
			for _, d := range []int{int(ar>>8) - int(br>>8), int(ag>>8) - int(bg>>8), int(ab>>8) - int(bb>>8)} {
				most = max(most, d, -d)
			}
		}
	}
	return most
}

func TestSaveLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "taken.png"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := save(filepath.Join(dir, "taken.png"), gradient())
	if err == nil || !strings.HasPrefix(err.Error(), "writing "+dir) || strings.Contains(err.Error(), ".easel-") {
		t.Errorf("got %v, want an error that names the picture alone", err)
	}
	if err := save(filepath.Join(dir, "none", "a.png"), gradient()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
	if names := names(t, dir); names != "taken.png" {
		t.Errorf("the folder holds %s, want taken.png alone", names)
	}
}

func TestSaveReplaces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.png")
	for _, m := range []*image.NRGBA{image.NewNRGBA(image.Rect(0, 0, 999, 999)), gradient()} {
		if err := save(file, m); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := png.DecodeConfig(f); err != nil || got.Width != 16 {
		t.Errorf("got %v, %v; want the second picture", got, err)
	}
}

// TestSaveAllStops gives a destination one picture that cannot be saved among others.
func TestSaveAllStops(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "8.png"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := &destination{dir: dir, grid: filepath.Join(dir, "grid.png"), request: imagine.Request{Seed: 7, Count: 3}, keep: 3}
	pictures := make(chan imagine.Picture, 3)
	for k := range 3 {
		pictures <- imagine.Picture{Index: k, Seed: 7 + int64(k), Image: gradient()}
	}
	close(pictures)
	stopped := 0
	if err := d.saveAll(pictures, func() { stopped++ }); err == nil || !strings.Contains(err.Error(), "8.png") || !strings.HasSuffix(err.Error(), "; --seed 8 paints it again") {
		t.Errorf("got %v, want an error about 8.png and its seed", err)
	}
	if names := names(t, dir); stopped != 1 || len(d.saved) != 1 || names != "7.png 8.png" {
		t.Errorf("stopped %d times with %v saved and %s in the folder; want once, after the first", stopped, d.saved, names)
	}
}

// TestSaveAllWithoutALargerOne gives a destination what cannot be made larger. Nothing is lost.
func TestSaveAllWithoutALargerOne(t *testing.T) {
	d := &destination{dir: t.TempDir(), request: imagine.Request{Seed: 7, Count: 2}, keep: 2, enlarge: func(*image.NRGBA) (*image.NRGBA, error) {
		return nil, errors.New("too dark")
	}}
	pictures := make(chan imagine.Picture, 2)
	for k := range 2 {
		pictures <- imagine.Picture{Index: k, Seed: 7 + int64(k), Image: gradient()}
	}
	close(pictures)
	err := d.saveAll(pictures, func() { t.Error("it stopped") })
	if err == nil || err.Error() != "too dark; pictures are saved as they were painted" || names(t, d.dir) != "7.png 8.png" {
		t.Errorf("got %v, and %s in the folder", err, names(t, d.dir))
	}
}

// names lists a folder, hidden files included.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}
