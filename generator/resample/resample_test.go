package resample

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var names = map[string]Filter{"lanczos": Lanczos, "bicubic": Bicubic, "bilinear": Bilinear, "nearest": Nearest}

// paint paints the pictures that testdata/make_reference.py does.
func paint(mode string, w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	n := uint64(w*65537 + h)
	for i := range w * h {
		m.Pix[4*i+3] = 255
		for c := range mode {
			n = n*6364136223846793005 + 1442695040888963407
			if (i%w/4+i/w/4)%2 == 1 {
				m.Pix[4*i+c] = uint8(n >> 56)
			} else {
				m.Pix[4*i+c] = uint8(n>>63) * 255
			}
		}
	}
	return m
}

// sum is the SHA-256 of a picture's bytes, without alpha for mode RGB.
func sum(mode string, m *image.NRGBA) string {
	pix := m.Pix
	if mode == "RGB" {
		pix = make([]uint8, 0, len(m.Pix)/4*3)
		for p := m.Pix; len(p) > 0; p = p[4:] {
			pix = append(pix, p[:3]...)
		}
	}
	s := sha256.Sum256(pix)
	return hex.EncodeToString(s[:])
}

type resized struct {
	mode         string
	w, h, tw, th int
	filter, sum  string
}

func (r *resized) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&r.mode, &r.w, &r.h, &r.tw, &r.th, &r.filter, &r.sum})
}

// reference is what Pillow made of paint's pictures.
func reference(tb testing.TB) (r struct {
	Gray, Flat string
	Resized    []resized
},
) {
	tb.Helper()
	text, err := os.ReadFile("testdata/reference.json")
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || len(r.Resized) == 0 {
		tb.Fatal("no reference: ", err)
	}
	return r
}

func TestPillow(t *testing.T) {
	for _, r := range reference(t).Resized {
		m := Resize(paint(r.mode, r.w, r.h), r.tw, r.th, names[r.filter])
		if got := sum(r.mode, m); !strings.HasPrefix(got, r.sum) {
			t.Errorf("%s %dx%d to %dx%d, %s: the bytes are not Pillow's", r.mode, r.w, r.h, r.tw, r.th, r.filter)
		}
	}
}

func TestPillowColours(t *testing.T) {
	want := reference(t)
	if got := sha256.Sum256(Gray(paint("RGB", 251, 97)).Pix); hex.EncodeToString(got[:]) != want.Gray {
		t.Error("the gray bytes are not Pillow's")
	}
	if got := sum("RGB", Flatten(paint("RGBA", 251, 97))); got != want.Flat {
		t.Error("the bytes over white are not Pillow's")
	}
}

func sizes(t *rapid.T, most int) (w, h int) {
	return rapid.IntRange(1, most).Draw(t, "width"), rapid.IntRange(1, most).Draw(t, "height")
}

func drawFilter(t *rapid.T) Filter {
	return rapid.SampledFrom([]Filter{Lanczos, Bicubic, Bilinear, Nearest}).Draw(t, "filter")
}

// TestConstant checks that a plain picture stays as it is, and that an opaque one stays opaque.
func TestConstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := sizes(t, 120)
		tw, th := sizes(t, 120)
		c := color.NRGBA{rapid.Byte().Draw(t, "red"), rapid.Byte().Draw(t, "green"), rapid.Byte().Draw(t, "blue"), 255}
		m := image.NewNRGBA(image.Rect(0, 0, w, h))
		draw.Draw(m, m.Rect, image.NewUniform(c), image.Point{}, draw.Src)
		f := drawFilter(t)
		got := Resize(m, tw, th, f)
		want := bytes.Repeat([]byte{c.R, c.G, c.B, c.A}, tw*th)
		if got.Rect != image.Rect(0, 0, tw, th) || !bytes.Equal(got.Pix, want) {
			t.Fatalf("%v, %dx%d to %dx%d with filter %d: some pixels differ", c, w, h, tw, th, f)
		}
	})
}

// TestIdentity checks that weights for the same size are 1 and 0, so that a picture may be resized in one direction alone.
func TestIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := sizes(t, 120)
		m, f := paint("RGBA", w, h), rapid.SampledFrom([]Filter{Lanczos, Bicubic, Bilinear}).Draw(t, "filter")
		if !bytes.Equal(filtered(m, w, h, f).Pix, m.Pix) {
			t.Fatalf("%dx%d with filter %d changed", w, h, f)
		}
	})
}

// TestStrips checks that working in strips changes nothing: a picture wide enough for several, against its pieces' middle.
func TestStrips(t *testing.T) {
	m := paint("RGB", 3000, 900)
	got := Resize(m, 6000, 450, Lanczos)
	piece := Resize(part(m, image.Rect(1000, 0, 2000, 900)), 2000, 450, Lanczos)
	for y := range 450 {
		if !bytes.Equal(row(got, y)[4*2006:4*3994], row(piece, y)[4*6:4*1994]) {
			t.Fatalf("row %d of a piece differs from the whole", y)
		}
	}
}

func part(m *image.NRGBA, r image.Rectangle) *image.NRGBA { return m.SubImage(r).(*image.NRGBA) }

func TestPartOfPicture(t *testing.T) {
	m := part(paint("RGBA", 90, 70), image.Rect(13, 9, 71, 66))
	whole := clone(m)
	for name, f := range names {
		if !bytes.Equal(Resize(m, 31, 99, f).Pix, Resize(whole, 31, 99, f).Pix) {
			t.Errorf("%s: a part is not resized as its copy is", name)
		}
	}
	if !bytes.Equal(Flatten(m).Pix, Flatten(whole).Pix) {
		t.Error("a part is not flattened as its copy is")
	}
	if !bytes.Equal(Gray(m).Pix, Gray(whole).Pix) {
		t.Error("a part's brightness is not that of its copy")
	}
}

func TestCopies(t *testing.T) {
	m := paint("RGB", 8, 8)
	for name, got := range map[string]*image.NRGBA{"Resize": Resize(m, 8, 8, Lanczos), "Flatten": Flatten(m)} {
		if !bytes.Equal(got.Pix, m.Pix) {
			t.Errorf("%s changed an opaque picture of the same size", name)
		}
		if got.Pix[0]++; got.Pix[0] == m.Pix[0] {
			t.Errorf("%s shares its pixels with the source", name)
		}
	}
}

func TestFlattenKinds(t *testing.T) {
	r := image.Rect(-3, 5, 4, 9)
	want := image.NewNRGBA(image.Rect(0, 0, 7, 4))
	draw.Draw(want, want.Rect, image.NewUniform(color.NRGBA{255, 127, 127, 255}), image.Point{}, draw.Src)
	for _, m := range []draw.Image{
		image.NewNRGBA(r), image.NewRGBA(r), image.NewNRGBA64(r), image.NewRGBA64(r),
		image.NewPaletted(r, color.Palette{color.NRGBA{255, 0, 0, 128}}),
	} {
		draw.Draw(m, r, image.NewUniform(color.NRGBA{255, 0, 0, 128}), image.Point{}, draw.Src)
		if got := Flatten(m); got.Rect != want.Rect || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%T: %v %v, want %v", m, got.Rect, got.Pix[:4], want.Pix[:4])
		}
	}
	if got := Flatten(image.NewNRGBA(image.Rect(5, 5, 5, 9))); !got.Rect.Empty() {
		t.Errorf("no pixels became %v", got.Rect)
	}
}

func TestSizes(t *testing.T) {
	for _, size := range []image.Point{{0, 1}, {1, 0}, {-1, 5}, {MaxSide + 1, 1}, {1, MaxSide + 1}, {1 << 14, 1<<14 + 1}, {1 << 62, 1 << 62}} {
		if Check(size.X, size.Y) == nil {
			t.Errorf("%v is let through", size)
		}
		if !panics(func() { Resize(paint("RGB", 2, 2), size.X, size.Y, Nearest) }) {
			t.Errorf("resizing to %v is let through", size)
		}
	}
	for _, size := range []image.Point{{1, 1}, {MaxSide, 1}, {1, MaxSide}, {1 << 14, 1 << 14}} {
		if err := Check(size.X, size.Y); err != nil {
			t.Error(err)
		}
	}
	if !panics(func() { Flatten(image.White) }) {
		t.Error("flattening an endless picture is let through")
	}
	if m := Resize(&image.NRGBA{}, 3, 2, Lanczos); m.Rect != image.Rect(0, 0, 3, 2) || !bytes.Equal(m.Pix, make([]byte, 24)) {
		t.Errorf("no pixels became %v %v", m.Rect, m.Pix)
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

func BenchmarkResize(b *testing.B) {
	for _, c := range []struct{ from, to int }{{512, 2048}, {2048, 512}, {512, 224}} {
		for name, f := range names {
			m := paint("RGB", c.from, c.from)
			b.Run(fmt.Sprintf("%s/%d-%d", name, c.from, c.to), func(b *testing.B) {
				for b.Loop() {
					Resize(m, c.to, c.to, f)
				}
			})
		}
	}
}
