package generator

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/easelbot/easel/imagine"
)

// How far a channel may be from its golden value, for processors that round otherwise.
const tolerance = 2

// TestGolden compares pictures of the tiny model with those in testdata/golden. UPDATE_GOLDEN=1 writes them anew.
func TestGolden(t *testing.T) {
	e := engine(t, tiny, roomy())
	for name, r := range map[string]imagine.Request{
		"fox":    fox(),
		"oblong": with(fox(), func(r *imagine.Request) { r.Width, r.Sampler, r.Negative = 96, "dpmpp_2m", "blue" }),
		"variation": with(fox(), func(r *imagine.Request) {
			r.Sampler, r.Guidance, r.Variation = "euler_a", 0, imagine.Variation{Seed: 9, Strength: 0.5}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", "golden", name+".png")
			got := paint(t, e, r)[0].Image
			if os.Getenv("UPDATE_GOLDEN") != "" {
				writePicture(t, path, got)
			}
			want := readPicture(t, path)
			if got.Rect != want.Bounds() {
				t.Fatalf("the picture is %v, want %v", got.Rect, want.Bounds())
			}
			if far := distance(got, want); far > tolerance {
				t.Errorf("a channel is %d of 255 from %s, and may be %d; if that is meant, run make golden", far, path, tolerance)
			}
		})
	}
}

func writePicture(t *testing.T, path string, m image.Image) {
	t.Helper()
	var file bytes.Buffer
	err := errors.Join(png.Encode(&file, m), os.MkdirAll(filepath.Dir(path), 0o755))
	if err == nil {
		err = os.WriteFile(path, file.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func readPicture(t *testing.T, path string) image.Image {
	t.Helper()
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%v; run make golden to paint it", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m, err := png.Decode(file)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return m
}

// distance is the largest difference of any channel of two pictures of one size, in 255ths.
func distance(a, b image.Image) int {
	far := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			ar, ag, ab, aa := a.At(x, y).RGBA()
			br, bg, bb, ba := b.At(x, y).RGBA()
			for _, d := range []int{int(ar) - int(br), int(ag) - int(bg), int(ab) - int(bb), int(aa) - int(ba)} {
				far = max(far, d/257, -d/257)
			}
		}
	}
	return far
}
