package canvas_test

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/easelbot/easel/generator/canvas"
	"github.com/easelbot/easel/generator/resample"
)

// pattern is a picture in which neighbours differ.
func pattern(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		x, y := i%w, i/w
		copy(m.Pix[4*i:], []uint8{uint8(7*x + y), uint8(x * y), uint8(11*y - 3*x), 255})
	}
	return m
}

// plain is a picture of one colour.
func plain(w, h int, c color.NRGBA) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < len(m.Pix); i += 4 {
		copy(m.Pix[i:], []uint8{c.R, c.G, c.B, c.A})
	}
	return m
}

// drawn is any canvas, with the picture that it keeps.
func drawn(t *rapid.T) (c *canvas.Canvas, kept *image.NRGBA, cell int) {
	cell = rapid.SampledFrom([]int{1, 4, 8, 16}).Draw(t, "cell")
	m := pattern(rapid.IntRange(cell, 90).Draw(t, "width"), rapid.IntRange(cell, 90).Draw(t, "height"))
	var err error
	if rapid.Bool().Draw(t, "zoom") {
		size := image.Pt(rapid.IntRange(4*cell, 120).Draw(t, "canvas width"), rapid.IntRange(4*cell, 120).Draw(t, "canvas height"))
		c, err = canvas.Zoom(m, size, rapid.Float64Range(canvas.LeastZoom, canvas.MostZoom).Draw(t, "factor"), cell)
		if err == nil && c.Init.Rect.Size() != size {
			t.Fatalf("the canvas is %v, want %v", c.Init.Rect, size)
		}
	} else {
		side := rapid.IntRange(0, 70)
		c, err = canvas.Outpaint(m, canvas.Margins{side.Draw(t, "left"), side.Draw(t, "top"), side.Draw(t, "right"), side.Draw(t, "bottom")}, cell)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, resample.Resize(m, c.Kept.Dx(), c.Kept.Dy(), resample.Lanczos), cell
}

// TestCanvas checks what the package promises of every canvas.
func TestCanvas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, kept, cell := drawn(t)
		if c.Mask.Rect != c.Init.Rect || !c.Kept.In(c.Init.Rect) {
			t.Fatalf("mask %v, init %v, kept %v", c.Mask.Rect, c.Init.Rect, c.Kept)
		}
		paint := color.NRGBA{1, 2, 3, 255}
		out := c.Paste(plain(c.Init.Rect.Dx(), c.Init.Rect.Dy(), paint))
		var black image.Rectangle
		for y := range c.Init.Rect.Dy() {
			for x := range c.Init.Rect.Dx() {
				at, light := image.Pt(x, y), c.Mask.GrayAt(x, y).Y
				switch {
				case light != 0 && light != 255:
					t.Fatalf("the mask is %d at %v", light, at)
				case light == 0 && !at.In(c.Kept):
					t.Fatalf("%v stays, and is not of the picture", at)
				case light == 0:
					black = black.Union(image.Rectangle{at, at.Add(image.Pt(1, 1))})
				}
				if c.Init.NRGBAAt(x, y).A != 255 || out.NRGBAAt(x, y).A != 255 {
					t.Fatalf("%v is not opaque", at)
				}
				if at.In(c.Kept) {
					own := kept.NRGBAAt(x-c.Kept.Min.X, y-c.Kept.Min.Y)
					if got := c.Init.NRGBAAt(x, y); got != own {
						t.Fatalf("%v is %v, and %v in the picture", at, got, own)
					}
					if got := out.NRGBAAt(x, y); light == 0 && got != own {
						t.Fatalf("%v came out as %v, want the picture's own %v", at, got, own)
					}
				} else if got := out.NRGBAAt(x, y); got != paint {
					t.Fatalf("%v came out as %v, want the painted %v", at, got, paint)
				}
			}
		}
		// A row of cells has its first pixels everywhere, so a cell's width holds one of them.
		if black.Dx() < min(cell, c.Kept.Dx()) || black.Dy() < min(cell, c.Kept.Dy()) {
			t.Fatalf("only %v stays of %v with cells of %d", black, c.Kept, cell)
		}
		for _, far := range []int{black.Min.X - c.Kept.Min.X, c.Kept.Max.X - black.Max.X, black.Min.Y - c.Kept.Min.Y, c.Kept.Max.Y - black.Max.Y} {
			if far > cell {
				t.Fatalf("the mask reaches %d pixels into what is kept, with cells of %d", far, cell)
			}
		}
	})
}

// TestPasteOfItself checks that a seam does not show where both sides agree.
func TestPasteOfItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, _, _ := drawn(t)
		if !bytes.Equal(c.Paste(c.Init).Pix, c.Init.Pix) {
			t.Fatal("pasting into the canvas itself changes it")
		}
	})
}

// TestOneColour checks that what is around a picture has its colour.
func TestOneColour(t *testing.T) {
	red := color.NRGBA{200, 30, 20, 255}
	c, err := canvas.Outpaint(plain(40, 40, red), canvas.Margins{Left: 100, Bottom: 7}, 8)
	if err != nil {
		t.Fatal(err)
	}
	if want := plain(140, 47, red); !bytes.Equal(c.Init.Pix, want.Pix) {
		t.Error("around a red picture not everything is red")
	}
}

// TestSurroundings checks that colours go on over the edge, and details do not.
func TestSurroundings(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 64, 64)) // black and white stripes, over dark on the left and bright on the right
	for i := range 64 * 64 {
		x, y := i%64, i/64
		v := uint8(2*x + 100*(y%2))
		copy(m.Pix[4*i:], []uint8{v, v, v, 255})
	}
	c, err := canvas.Outpaint(m, canvas.Margins{Left: 32, Right: 32}, 8)
	if err != nil {
		t.Fatal(err)
	}
	left, right := c.Init.NRGBAAt(28, 32).R, c.Init.NRGBAAt(99, 32).R
	if left > 90 || right < 130 {
		t.Errorf("beside the dark edge it is %d, beside the bright one %d", left, right)
	}
	if a, b := c.Init.NRGBAAt(16, 31).R, c.Init.NRGBAAt(16, 32).R; max(a, b)-min(a, b) > 3 {
		t.Errorf("the stripes are still to be seen: %d beside %d", a, b)
	}
}

// TestSeam follows a row over the seam: a white picture on black.
func TestSeam(t *testing.T) {
	c, err := canvas.Outpaint(plain(64, 64, color.NRGBA{255, 255, 255, 255}), canvas.Margins{Left: 64}, 8)
	if err != nil {
		t.Fatal(err)
	}
	out := c.Paste(plain(128, 64, color.NRGBA{A: 255}))
	last := -1
	for x := 60; x < 76; x++ {
		v := int(out.NRGBAAt(x, 30).R)
		if v < last || v-last > 64 && last >= 0 {
			t.Errorf("from pixel %d to %d it goes from %d to %d", x-1, x, last, v)
		}
		last = v
	}
	if a, b, end := out.NRGBAAt(63, 30).R, out.NRGBAAt(72, 30).R, out.NRGBAAt(127, 0).R; a != 0 || b != 255 || end != 255 {
		t.Errorf("it is %d before the edge, %d behind the seam and %d at the other edge, which is the canvas's; want 0, 255, 255", a, b, end)
	}
}

func TestRefused(t *testing.T) {
	m := pattern(64, 64)
	size := image.Pt(64, 64)
	tests := map[string]struct {
		lay  func() (*canvas.Canvas, error)
		want string
	}{
		"nearer":     {func() (*canvas.Canvas, error) { return canvas.Zoom(m, size, 1, 8) }, "1.1 to 4"},
		"too far":    {func() (*canvas.Canvas, error) { return canvas.Zoom(m, size, 4.1, 8) }, "1.1 to 4"},
		"NaN":        {func() (*canvas.Canvas, error) { return canvas.Zoom(m, size, math.NaN(), 8) }, "1.1 to 4"},
		"one cell":   {func() (*canvas.Canvas, error) { return canvas.Zoom(m, image.Pt(64, 16), 3, 8) }, "zoom out less"},
		"no size":    {func() (*canvas.Canvas, error) { return canvas.Zoom(m, image.Point{}, 2, 8) }, "cannot be of 0x0"},
		"too large":  {func() (*canvas.Canvas, error) { return canvas.Zoom(m, image.Pt(1<<20, 64), 2, 8) }, "cannot be of"},
		"less":       {func() (*canvas.Canvas, error) { return canvas.Outpaint(m, canvas.Margins{Left: -1}, 8) }, "0 to"},
		"overflow":   {func() (*canvas.Canvas, error) { return canvas.Outpaint(m, canvas.Margins{Top: math.MaxInt}, 8) }, "0 to"},
		"no picture": {func() (*canvas.Canvas, error) { return canvas.Outpaint(&image.NRGBA{}, canvas.Margins{Left: 8}, 8) }, "empty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if c, err := tt.lay(); err == nil || c != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want an error with %q", c, err, tt.want)
			}
		})
	}
}

// TestTransparent checks that a picture with holes is seen over white.
func TestTransparent(t *testing.T) {
	c, err := canvas.Zoom(image.NewNRGBA(image.Rect(5, 5, 37, 37)), image.Pt(64, 64), 2, 8)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Init.NRGBAAt(0, 0); got != (color.NRGBA{255, 255, 255, 255}) {
		t.Errorf("around nothing it is %v", got)
	}
}
