package canvas

import (
	"image"
	"math"

	"github.com/easelbot/easel/generator/resample"
)

// Paste returns what was painted on the canvas with the kept picture's own pixels in it: all of them where the mask is black, none of
// them outside of Kept, and in the seam fewer and fewer. A picture of another size is brought to the canvas's.
func (c *Canvas) Paste(painted *image.NRGBA) *image.NRGBA {
	size := c.Init.Rect.Size()
	out := resample.Resize(resample.Flatten(painted), size.X, size.Y, resample.Lanczos)
	across := shares(c.Kept.Min.X, c.Kept.Max.X, size.X, c.seam.X)
	down := shares(c.Kept.Min.Y, c.Kept.Max.Y, size.Y, c.seam.Y)
	for y := c.Kept.Min.Y; y < c.Kept.Max.Y; y++ {
		to, from := out.Pix[y*out.Stride:], c.Init.Pix[y*c.Init.Stride:]
		for x := c.Kept.Min.X; x < c.Kept.Max.X; x++ {
			share := across[x-c.Kept.Min.X] * down[y-c.Kept.Min.Y]
			for i := 4 * x; i < 4*x+3; i++ {
				to[i] = mixed(to[i], from[i], share)
			}
		}
	}
	return out
}

// shares returns for the pixels from one place to another in a row of n how much of them is kept, 0 to 1. It rises over the
// seam on sides where the row goes on, with no bend at its ends.
func shares(from, to, n, seam int) []float64 {
	list := make([]float64, to-from)
	for i := range list {
		list[i] = 1
		if from > 0 {
			list[i] *= rise(i, seam)
		}
		if to < n {
			list[i] *= rise(len(list)-1-i, seam)
		}
	}
	return list
}

// rise is 1 from pixel seam on.
func rise(i, seam int) float64 {
	if i >= seam {
		return 1
	}
	t := (float64(i) + 0.5) / float64(seam)
	return t * t * (3 - 2*t)
}

func mixed(a, b uint8, share float64) uint8 {
	return uint8(math.Round(float64(a)*(1-share) + float64(b)*share))
}
