package imagine

import (
	"image"
	"image/draw"
)

const gutter = 4 // pixels between the pictures of a grid

// Grid lays pictures of one size out as one, in rows as wide as they are many, first row first: 4 become 2x2, 5 become
// 3+2. Between them is a transparent gutter. No pictures give an empty image.
func Grid(pictures []*image.NRGBA) *image.NRGBA {
	if len(pictures) == 0 {
		return image.NewNRGBA(image.Rectangle{})
	}
	columns := 1
	for columns*columns < len(pictures) {
		columns++
	}
	rows := (len(pictures) + columns - 1) / columns
	w, h := pictures[0].Rect.Dx(), pictures[0].Rect.Dy()
	grid := image.NewNRGBA(image.Rect(0, 0, columns*(w+gutter)-gutter, rows*(h+gutter)-gutter))
	for i, p := range pictures {
		at := image.Pt(i%columns*(w+gutter), i/columns*(h+gutter))
		draw.Draw(grid, image.Rectangle{at, at.Add(p.Rect.Size())}, p, p.Rect.Min, draw.Src)
	}
	return grid
}
