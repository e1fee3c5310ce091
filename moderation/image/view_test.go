package image

import (
	"image"
	"image/color"
	"math"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func cores() int { return runtime.GOMAXPROCS(0) }

// TestPixels compares what the network sees with what the original makes of the same files: order of colours, crop, mean.
func TestPixels(t *testing.T) {
	for name, want := range references(t) {
		m := picture(t, name)
		pixels, err := views(m.Bounds())[0].pixels(m)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range blocks(pixels) {
			if math.Abs(got-want.Blocks[i]) > 1.2 { // JPEG encoders round by a level differently
				t.Errorf("%s: part %d, channel %d is %.2f on average, the original says %.2f", name, i/3, i%3, got, want.Blocks[i])
			}
		}
	}
}

// blocks are the means of 4x4 parts.
func blocks(pixels []float32) []float64 {
	const part = side / 4
	sums := make([]float64, 4*4*3)
	for i, v := range pixels {
		x, y := i/3%side, i/3/side
		sums[(y/part*4+x/part)*3+i%3] += float64(v) / (part * part)
	}
	return sums
}

// TestTransparent sees what is transparent over white.
func TestTransparent(t *testing.T) {
	clear, half, white := image.NewNRGBA(image.Rect(0, 0, 8, 8)), image.NewNRGBA(image.Rect(0, 0, 8, 8)), image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		clear.SetNRGBA(i%8, i/8, color.NRGBA{R: 200})
		half.SetNRGBA(i%8, i/8, color.NRGBA{A: 51})
		white.SetNRGBA(i%8, i/8, color.NRGBA{255, 255, 255, 255})
	}
	for name, c := range map[string]struct {
		m    image.Image
		want float32
	}{"clear": {clear, 255}, "white": {white, 255}, "a fifth of black": {half, 204}} {
		pixels, err := views(c.m.Bounds())[0].pixels(c.m)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range pixels {
			if v != c.want-mean[i%3] {
				t.Fatalf("%s: number %d is %v, want %v", name, i, v, c.want-mean[i%3])
			}
		}
	}
}

// TestViews says where a long picture is looked at again.
func TestViews(t *testing.T) {
	for _, c := range []struct {
		width, height int
		want          []image.Rectangle // pieces
	}{
		{100, 100, nil},
		{149, 100, nil},
		{150, 100, []image.Rectangle{image.Rect(0, 0, 100, 100), image.Rect(50, 0, 150, 100)}},
		{100, 250, []image.Rectangle{image.Rect(0, 0, 100, 100), image.Rect(0, 75, 100, 175), image.Rect(0, 150, 100, 250)}},
		{1, 2, []image.Rectangle{image.Rect(0, 0, 1, 1), image.Rect(0, 1, 1, 2)}},
	} {
		if got := pieces(image.Rect(0, 0, c.width, c.height)); !slices.Equal(got, c.want) {
			t.Errorf("%dx%d: %v, want %v", c.width, c.height, got, c.want)
		}
	}
}

// TestPiecesCover leaves no pixel of a long picture unseen, and looks at few pieces, none of them outside.
func TestPiecesCover(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(1, 8192)
		corner := image.Pt(rapid.IntRange(-9, 9).Draw(t, "left"), rapid.IntRange(-9, 9).Draw(t, "top"))
		b := image.Rectangle{corner, corner.Add(image.Pt(side.Draw(t, "width"), side.Draw(t, "height")))}
		list := pieces(b)
		if len(list) == 0 {
			if long, short := max(b.Dx(), b.Dy()), min(b.Dx(), b.Dy()); 2*long >= 3*short {
				t.Fatalf("%v is long and has no pieces", b)
			}
			return
		}
		if len(list) > mostPieces {
			t.Fatalf("%v has %d pieces", b, len(list))
		}
		if list[0].Min != b.Min || list[len(list)-1].Max != b.Max {
			t.Fatalf("%v begins or ends beside its pieces %v", b, list)
		}
		for i, p := range list {
			if !p.In(b) || p.Empty() || min(p.Dx(), p.Dy()) != min(b.Dx(), b.Dy()) {
				t.Fatalf("%v: piece %v", b, p)
			}
			if i > 0 && (p.Min.X > list[i-1].Max.X || p.Min.Y > list[i-1].Max.Y) {
				t.Fatalf("%v: a gap before piece %v", b, p)
			}
		}
	})
}
