package image

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
)

const (
	side       = 224 // of what the network sees, in pixels
	margin     = 16  // cut off on each side where the whole picture is seen, of 256 pixels
	mostPieces = 8   // of a long picture
)

// mean is what the network's makers subtract from blue, green and red, the order in which it takes them.
var mean = [3]float32{104, 117, 123}

// A view is a part of a picture and where it is drawn: the network sees the pixels from 0 to side of that.
type view struct{ from, to image.Rectangle }

// views are what is looked at of a picture of these bounds.
func views(b image.Rectangle) []view {
	whole := view{b, image.Rect(-margin, -margin, side+margin, side+margin)}
	list := []view{whole}
	for _, piece := range pieces(b) {
		list = append(list, view{piece, image.Rect(0, 0, side, side)})
	}
	return list
}

// pieces are overlapping squares along a long picture, first to last edge; none for a picture that is not long.
func pieces(b image.Rectangle) []image.Rectangle {
	long, short := max(b.Dx(), b.Dy()), min(b.Dx(), b.Dy())
	if 2*long < 3*short {
		return nil
	}
	n := min((long+short-1)/short, mostPieces)
	length := max(short, (long+n-1)/n)
	list := make([]image.Rectangle, n)
	for i := range list {
		start := i * (long - length) / (n - 1)
		piece := image.Rect(start, 0, start+length, short)
		if b.Dx() < b.Dy() {
			piece = image.Rect(0, start, short, start+length)
		}
		list[i] = piece.Add(b.Min)
	}
	return list
}

// pixels are what the view shows of a picture, as the network takes it: rows of blue, green and red, less their mean.
func (v view) pixels(m image.Image) ([]float32, error) {
	drawn := image.NewRGBA64(image.Rect(0, 0, side, side))     // eight bits would be cut, not rounded
	draw.BiLinear.Scale(drawn, v.to, m, v.from, draw.Src, nil) // a tent as wide as the shrinking asks for
	seen, err := throughJPEG(onWhite(drawn))
	if err != nil {
		return nil, err
	}
	list := make([]float32, 0, side*side*len(mean))
	for p := seen.Pix; len(p) > 0; p = p[4:] {
		list = append(list, float32(p[2])-mean[0], float32(p[1])-mean[1], float32(p[0])-mean[2])
	}
	return list, nil
}

// onWhite makes a picture opaque and rounds it to eight bits.
func onWhite(m *image.RGBA64) *image.RGBA {
	opaque := image.NewRGBA(m.Rect)
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			c := m.RGBA64At(x, y)
			through := math.MaxUint16 - c.A // the colours are premultiplied: with it they stay within 16 bits
			opaque.SetRGBA(x, y, color.RGBA{round(c.R + through), round(c.G + through), round(c.B + through), math.MaxUint8})
		}
	}
	return opaque
}

// round is the nearest of the 256 levels.
func round(v uint16) uint8 {
	return uint8((uint32(v)*math.MaxUint8 + math.MaxUint16/2) / math.MaxUint16)
}
