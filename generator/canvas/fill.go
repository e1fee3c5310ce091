package canvas

import (
	"image"

	"github.com/easelbot/easel/generator/resample"
)

// blur is how many pixels become one before they are made large again.
const blur = 16

// surroundings returns a canvas that shows the picture at its place and mirrored on all sides, blurred.
func surroundings(picture *image.NRGBA, kept image.Rectangle, size image.Point) *image.NRGBA {
	all := image.NewNRGBA(image.Rectangle{Max: size})
	columns := make([]int, size.X)
	for x := range columns {
		columns[x] = mirrored(x-kept.Min.X, kept.Dx())
	}
	for y := range size.Y {
		from := picture.Pix[mirrored(y-kept.Min.Y, kept.Dy())*picture.Stride:]
		to := all.Pix[y*all.Stride:]
		for x, column := range columns {
			copy(to[4*x:4*x+4], from[4*column:])
		}
	}
	small := resample.Resize(all, (size.X+blur-1)/blur, (size.Y+blur-1)/blur, resample.Bilinear)
	return resample.Resize(small, size.X, size.Y, resample.Bicubic)
}

// mirrored returns the place in 0..n-1 that two mirrors at the ends of a row show at place i.
func mirrored(i, n int) int {
	i %= 2 * n
	if i < 0 {
		i += 2 * n
	}
	return min(i, 2*n-1-i)
}
