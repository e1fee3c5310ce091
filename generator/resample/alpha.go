package resample

import (
	"image"
	"image/draw"
	"math"
)

func opaque(m *image.NRGBA) bool {
	for y := range m.Rect.Dy() {
		for pixels := row(m, y); len(pixels) > 0; pixels = pixels[4:] {
			if pixels[3] != math.MaxUint8 {
				return false
			}
		}
	}
	return true
}

// setOpaque undoes what rounding of weights may have taken from the alpha of an opaque picture.
func setOpaque(m *image.NRGBA) {
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = math.MaxUint8
	}
}

// premultiplied returns a copy whose colours are multiplied by alpha.
func premultiplied(src *image.NRGBA) *image.NRGBA {
	dst := clone(src)
	for p := dst.Pix; len(p) > 0; p = p[4:] {
		for c := range 3 {
			p[c] = by255(int(p[c]) * int(p[3]))
		}
	}
	return dst
}

// divide undoes premultiplied.
func divide(m *image.NRGBA) {
	for p := m.Pix; len(p) > 0; p = p[4:] {
		a := int(p[3])
		if a == 0 || a == math.MaxUint8 {
			continue
		}
		for c := range 3 {
			p[c] = uint8(min(int(p[c])*math.MaxUint8/a, math.MaxUint8))
		}
	}
}

// by255 divides by 255, to the nearest.
func by255(n int) uint8 { return uint8((n + 127) / math.MaxUint8) }

// Gray returns a picture's brightness as Pillow's convert("L") has it: ITU-R BT.601's luma, in 16 binary places. Alpha does
// not count.
func Gray(src *image.NRGBA) *image.Gray {
	dst := image.NewGray(image.Rectangle{Max: src.Rect.Size()})
	for y := range dst.Rect.Dy() {
		pixels := row(src, y)
		for x := range dst.Rect.Dx() {
			p := pixels[4*x:][:3]
			dst.Pix[y*dst.Stride+x] = uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 0x8000) >> 16)
		}
	}
	return dst
}

// Flatten returns any picture as opaque pixels of its own, from 0,0 on; what is transparent is seen over white. Like
// [Resize], it panics if [Check] refuses the size, unless there are no pixels.
func Flatten(m image.Image) *image.NRGBA {
	size := m.Bounds().Size()
	if m.Bounds().Empty() {
		return image.NewNRGBA(image.Rectangle{})
	}
	if err := Check(size.X, size.Y); err != nil {
		panic("resample: " + err.Error())
	}
	if src, ok := m.(*image.NRGBA); ok {
		return overWhite(src)
	}
	canvas := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(canvas, canvas.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(canvas, canvas.Rect, m, m.Bounds().Min, draw.Over)
	// Opaque pixels are the same with alpha multiplied in and without.
	return &image.NRGBA{Pix: canvas.Pix, Stride: canvas.Stride, Rect: canvas.Rect}
}

func overWhite(src *image.NRGBA) *image.NRGBA {
	dst := clone(src)
	for p := dst.Pix; len(p) > 0; p = p[4:] {
		a := int(p[3])
		for c := range 3 {
			p[c] = by255(int(p[c])*a + math.MaxUint8*(math.MaxUint8-a))
		}
		p[3] = math.MaxUint8
	}
	return dst
}
