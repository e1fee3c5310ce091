// Package resample changes the size of pictures, as Pillow does: to the byte, so that what a network was made to read, it reads.
//
// The filters are Pillow's (Python Imaging Library, 4.0 and later): windowed, and wider by the factor of reduction, so that
// nothing is left out in making a picture smaller. Weights are computed in double precision, brought to a sum of 1 and rounded
// to 22 binary places; each picture is resized along its rows first, rounded to whole bytes, and then along its columns. (Pillow
// 13 begins with the columns where much is taken from tall pictures, and the last releases of Pillow 12 where a picture is a
// hundred times as high as wide; some bytes then differ.) Where there is transparency, colours count by their alpha, and are divided by
// it again at the end. [Nearest] does none of this.
//
// Nothing is corrected for gamma: as in Pillow, and in what networks were trained on, bytes count as they are.
//
// Pictures may be of any size that [Check] allows. Resizing takes some megabytes beside the result whatever the sizes are, and a
// copy of the source where that is transparent.
package resample

import (
	"fmt"
	"image"
	"math"
	"slices"
)

// The largest pictures there may be: more than any network makes here, less than would fill a machine's memory.
const (
	MaxSide   = 1 << 16 // pixels
	MaxPixels = 1 << 28 // 16384x16384
)

// Check says whether a picture may be of a size.
func Check(width, height int) error {
	if width < 1 || height < 1 || width > MaxSide || height > MaxSide || width*height > MaxPixels {
		return fmt.Errorf("a picture cannot be of %dx%d pixels: each side should be 1 to %d, and both together not more than %d pixels", width, height, MaxSide, MaxPixels)
	}
	return nil
}

// Resize returns a picture in a new size, always a copy. It panics if [Check] refuses the size, which callers ask for sizes
// that people choose. A source without pixels gives a transparent picture.
func Resize(src *image.NRGBA, w, h int, f Filter) *image.NRGBA {
	if err := Check(w, h); err != nil {
		panic("resample: " + err.Error())
	}
	size := src.Rect.Size()
	switch {
	case size.X < 1 || size.Y < 1:
		return image.NewNRGBA(image.Rect(0, 0, w, h))
	case size == image.Pt(w, h):
		return clone(src)
	case f == Nearest:
		return nearest(src, w, h)
	case opaque(src):
		dst := filtered(src, w, h, f)
		setOpaque(dst)
		return dst
	}
	dst := filtered(premultiplied(src), w, h, f)
	divide(dst)
	return dst
}

func clone(src *image.NRGBA) *image.NRGBA {
	size := src.Rect.Size()
	dst := image.NewNRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		copy(row(dst, y), row(src, y))
	}
	return dst
}

// row returns the bytes of a picture's row, counted from the top.
func row(m *image.NRGBA, y int) []uint8 {
	return m.Pix[y*m.Stride:][:4*m.Rect.Dx()]
}

// nearest takes for each pixel the one that lies under its middle.
func nearest(src *image.NRGBA, w, h int) *image.NRGBA {
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	columns, rows := under(src.Rect.Dx(), w), under(src.Rect.Dy(), h)
	for y, from := range rows {
		to, pixels := row(dst, y), row(src, from)
		for x, from := range columns {
			copy(to[4*x:4*x+4], pixels[4*from:])
		}
	}
	return dst
}

// under returns the places in 0..n-1 that lie under the middles of m equal parts, summed up step by step as Pillow does, which
// rounds otherwise than a product.
func under(n, m int) []int {
	places := make([]int, m)
	step := float64(n) / float64(m)
	at := step * 0.5
	for i := range places {
		places[i] = min(int(at), n-1)
		at += step
	}
	return places
}

// stripBytes bounds what lies between the two passes.
const stripBytes = 4 << 20

// filtered resizes all four channels alike, a strip of columns at a time.
func filtered(src *image.NRGBA, w, h int, f Filter) *image.NRGBA {
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	across, down := f.taps(src.Rect.Dx(), w), f.taps(src.Rect.Dy(), h)
	rows := src.Rect.Dy()
	width := min(max(stripBytes/(4*rows), 16), w)
	strip, sums := make([]uint8, 4*width*rows), make([]int32, 4*width)
	left := 0
	for part := range slices.Chunk(across, width) {
		stride := 4 * len(part)
		for y := range rows {
			alongRow(strip[y*stride:][:stride], row(src, y), part)
		}
		for y, t := range down {
			alongColumns(row(dst, y)[left:][:stride], strip, t, sums[:stride])
		}
		left += stride
	}
	return dst
}

// half is one half where numbers have 22 binary places.
const (
	places = 22
	half   = 1 << (places - 1)
)

func alongRow(to, from []uint8, taps []tap) {
	for x, t := range taps {
		var r, g, b, a int32 = half, half, half, half
		pixels := from[4*t.from:][:4*len(t.weights)]
		for i, weight := range t.weights {
			p := pixels[4*i:][:4]
			r += int32(p[0]) * weight
			g += int32(p[1]) * weight
			b += int32(p[2]) * weight
			a += int32(p[3]) * weight
		}
		p := to[4*x:][:4]
		p[0], p[1], p[2], p[3] = toByte(r), toByte(g), toByte(b), toByte(a)
	}
}

func alongColumns(to, strip []uint8, t tap, sums []int32) {
	for i := range sums {
		sums[i] = half
	}
	for k, weight := range t.weights {
		from := strip[(t.from+k)*len(to):][:len(sums)]
		for i, v := range from {
			sums[i] += int32(v) * weight
		}
	}
	for i, v := range sums {
		to[i] = toByte(v)
	}
}

func toByte(sum int32) uint8 {
	return uint8(min(max(sum>>places, 0), math.MaxUint8))
}
