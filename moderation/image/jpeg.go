package image

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
)

// throughJPEG is what is left of a picture in a JPEG file of quality 75, 4:2:0. The network's makers fed it that, and fine
// noise, which JPEG removes, can move its score by more than half.
func throughJPEG(m *image.RGBA) (*image.RGBA, error) {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, nil); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	decoded, err := jpeg.Decode(&file)
	if err != nil {
		return nil, fmt.Errorf("decompressing: %w", err)
	}
	left := image.NewRGBA(m.Rect)
	draw.Draw(left, left.Rect, decoded, image.Point{}, draw.Src)
	return left, nil
}
