package generator

import (
	"image"
	"math"

	"github.com/easelbot/easel/generator/model"
)

// Pictures to start from that are more than so many times as large as the model's own are brought to its size.
const muchLarger = 4

// SizeFor returns the size in which a model best paints from a picture: the picture's own, in multiples that the model can take; where that
// is much larger than what the model paints by default, or not to be had, so many pixels as it paints by default in the picture's shape.
func SizeFor(f *model.Folder, picture image.Rectangle) (width, height int) {
	w, h := float64(picture.Dx()), float64(picture.Dy())
	width, height = multiples(f, w, h)
	own := float64(f.Defaults.Width) * float64(f.Defaults.Height)
	if w*h > muchLarger*own || f.CheckSize(width, height) != nil {
		by := math.Sqrt(own / (w * h))
		width, height = multiples(f, w*by, h*by)
	}
	if f.CheckSize(width, height) != nil { // a graph for one size alone, or a ribbon of a picture
		return f.Defaults.Width, f.Defaults.Height
	}
	return width, height
}

// multiples rounds down, as diffusers does, but not to nothing.
func multiples(f *model.Folder, w, h float64) (width, height int) {
	step := f.SizeStep()
	return max(int(w)/step, 1) * step, max(int(h)/step, 1) * step
}
