// Package canvas lays pictures on larger canvases, to be painted on beyond their edges: outpainting, zooming out and panning, all on
// top of inpainting.
//
// # What is painted
//
// A [Canvas] is what an inpainting request needs: a picture to start from (Init) and a mask. The mask is white around the kept
// picture and a seam's width into it, on the sides where the canvas goes on: about one cell of the model's latents, so that there
// is something both know to blend over. However small the kept picture is, at least one whole cell of it stays black, for the
// model to see what it continues.
//
// Around the kept picture lies its mirror image, so blurred that only its colours are left. At strength 1 the model paints over
// noise alone there and does not see it; below that, the colours go on over the edge.
//
// # What comes out
//
// What a model gives back of the kept part went through its VAE and is not quite the picture any more. [Canvas.Paste] puts the
// picture's own pixels back: to the byte where the mask is black, and across the seam more and more towards the edge of what was painted.
//
// Everything is deterministic, and pictures come out opaque: what is transparent is seen over white.
package canvas

import (
	"fmt"
	"image"
	"image/draw"
	"math"

	"github.com/easelbot/easel/generator/resample"
)

// Factors that [Zoom] takes.
const (
	LeastZoom = 1.1
	MostZoom  = 4
)

// A Canvas is a picture with room around it.
type Canvas struct {
	Init *image.NRGBA    // opaque; the picture is at Kept, what is around it continues its colours
	Mask *image.Gray     // of Init's size: 255 where it is to be painted anew, 0 where it stays
	Kept image.Rectangle // where the picture lies, edges included that are painted anew

	seam image.Point // how far the mask reaches into Kept
}

// Margins are how many pixels of canvas a picture gets on each side, 0 or more.
type Margins struct{ Left, Top, Right, Bottom int }

// Outpaint gives a picture margins. The canvas is as much larger, and should be of a size that the model can take. A cell is how many
// pixels wide and high the model's latents' cells are.
func Outpaint(m image.Image, s Margins, cell int) (*Canvas, error) {
	if min(s.Left, s.Top, s.Right, s.Bottom) < 0 || max(s.Left, s.Top, s.Right, s.Bottom) > resample.MaxSide {
		return nil, fmt.Errorf("margins of %+v pixels cannot be; each should be 0 to %d", s, resample.MaxSide)
	}
	size := m.Bounds().Size()
	kept := image.Rectangle{Max: size}.Add(image.Pt(s.Left, s.Top))
	return lay(m, kept, size.Add(image.Pt(s.Left+s.Right, s.Top+s.Bottom)), cell)
}

// Zoom makes a picture smaller by a factor, [LeastZoom] to [MostZoom], and lays it in the middle of a canvas.
func Zoom(m image.Image, size image.Point, factor float64, cell int) (*Canvas, error) {
	if !(factor >= LeastZoom && factor <= MostZoom) { // nor is NaN
		return nil, fmt.Errorf("zooming out by %v cannot be; it should be %v to %v", factor, LeastZoom, MostZoom)
	}
	small := func(side int) int { return max(int(math.Round(float64(side)/factor)), 1) }
	inner := image.Pt(small(size.X), small(size.Y))
	return lay(m, image.Rectangle{Max: inner}.Add(size.Sub(inner).Div(2)), size, cell)
}

// lay brings a picture to the size of its place on a canvas, and puts it there.
func lay(m image.Image, kept image.Rectangle, size image.Point, cell int) (*Canvas, error) {
	if m.Bounds().Empty() {
		return nil, fmt.Errorf("the picture is empty")
	}
	for _, p := range []image.Point{m.Bounds().Size(), size, kept.Size()} {
		if err := resample.Check(p.X, p.Y); err != nil {
			return nil, err
		}
	}
	c := &Canvas{Kept: kept, seam: image.Pt(seam(kept.Dx(), cell), seam(kept.Dy(), cell))}
	if side := min(kept.Dx(), kept.Dy()); side < cell {
		return nil, fmt.Errorf("what is kept would be %d pixels high or wide, and the model sees no less than %d; zoom out less, or ask for a larger picture", side, cell)
	}
	picture := resample.Resize(resample.Flatten(m), kept.Dx(), kept.Dy(), resample.Lanczos)
	c.Init = surroundings(picture, kept, size)
	draw.Draw(c.Init, kept, picture, image.Point{}, draw.Src)
	c.Mask = image.NewGray(c.Init.Rect)
	for i := range c.Mask.Pix {
		c.Mask.Pix[i] = math.MaxUint8
	}
	draw.Draw(c.Mask, c.black(), image.Black, image.Point{}, draw.Src)
	return c, nil
}

// seam is a cell wide, or as much as leaves one cell of what is kept.
func seam(kept, cell int) int { return min(cell, max(kept-cell, 0)/2) }

// black is what stays.
func (c *Canvas) black() image.Rectangle {
	r, all := c.Kept, c.Init.Rect
	if r.Min.X > all.Min.X {
		r.Min.X += c.seam.X
	}
	if r.Max.X < all.Max.X {
		r.Max.X -= c.seam.X
	}
	if r.Min.Y > all.Min.Y {
		r.Min.Y += c.seam.Y
	}
	if r.Max.Y < all.Max.Y {
		r.Max.Y -= c.seam.Y
	}
	return r
}
