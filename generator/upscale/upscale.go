// Package upscale makes pictures larger: by a network, where there is one, else by Lanczos' filter.
//
// # Networks
//
// Any network of the kind of ESRGAN (Wang et al. 2018, arXiv:1809.00219) and Real-ESRGAN will do: one input and one output of
// shape [batch, 3, height, width], red, green and blue from 0 to 1 in float32 or float16. Names, types and sizes are the graph's
// own. How many times larger the output is, the shapes tell if they are fixed, else trying with a small picture.
//
// # Tiles
//
// A picture is cut into tiles that the network takes one by one, so that memory does not grow with the picture: 192 pixels a
// side, or what the graph fixes. Tiles overlap: the 16 pixels around what is kept of each (fewer if tiles are small) are only there
// to be looked at. A network that looks no farther gives the same picture in tiles as in one piece; of one that does, the little
// that far pixels weigh is lost at the seams. A picture's sides are brought to multiples of 16 by reflection at the right and
// the bottom, for networks that shuffle pixels or look through windows.
//
// # Factors
//
// A picture may be made 1 to [MaxFactor] times as large whatever the network's own scale is. The network runs once,
// and again on its result while that is at most half as large as wanted; Lanczos' filter does the rest, up or down.
//
// Pictures come out opaque: what is transparent is seen over white.
package upscale

import (
	"context"
	"errors"
	"fmt"
	"image"

	"github.com/easelbot/easel/generator/resample"
	"github.com/easelbot/easel/inference"
)

// MaxFactor is how many times as wide and high a picture can be made at most.
const MaxFactor = 8

// Lanczos makes a picture factor times as wide and high, 1 to [MaxFactor], without a network.
func Lanczos(m *image.NRGBA, factor int) (*image.NRGBA, error) {
	size, err := target(m, factor)
	if err != nil {
		return nil, err
	}
	return resample.Resize(resample.Flatten(m), size.X, size.Y, resample.Lanczos), nil
}

// target returns the size that is wanted, if a picture can be that large.
func target(m *image.NRGBA, factor int) (image.Point, error) {
	if factor < 1 || factor > MaxFactor {
		return image.Point{}, fmt.Errorf("upscaling: a picture can be made 1 to %d times as large, not %d", MaxFactor, factor)
	}
	from := m.Rect.Size()
	if err := resample.Check(from.X, from.Y); err != nil {
		return image.Point{}, fmt.Errorf("upscaling: %w", err)
	}
	if err := resample.Check(from.X*factor, from.Y*factor); err != nil {
		return image.Point{}, fmt.Errorf("upscaling %dx%d pixels by %d: %w", from.X, from.Y, factor, err)
	}
	return from.Mul(factor), nil
}

// An Upscaler is a network that makes pictures larger. It is safe for concurrent use.
type Upscaler struct {
	session       *inference.Session
	input, output string
	width, height int // of tiles, if the graph fixes them, else 0
	scale         int
}

// Open loads a network and finds its scale. The option Outputs does not count. [inference.Load] must have succeeded.
func Open(g inference.Graph, o inference.Options) (*Upscaler, error) {
	in, out, err := ports(g)
	if err != nil {
		return nil, err
	}
	u := &Upscaler{input: in.Name, output: out.Name, width: fixed(in, 3), height: fixed(in, 2)}
	o.Outputs = []string{out.Name}
	if u.session, err = inference.Open(g, o); err != nil {
		return nil, err
	}
	if u.scale, err = u.findScale(in, out); err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

// Scale returns how many times as large the network itself makes a picture, 1 to 8.
func (u *Upscaler) Scale() int { return u.scale }

// Device returns what the network runs on, never auto.
func (u *Upscaler) Device() inference.Device { return u.session.Device() }

// Close frees the network once running calls have returned. It may be called again.
func (u *Upscaler) Close() error { return u.session.Close() }

// Upscale makes a picture factor times as wide and high, 1 to [MaxFactor]. It may take minutes. When ctx ends, it stops
// within a tile and returns the context's error. That the network gave what are no numbers is an error, too.
func (u *Upscaler) Upscale(ctx context.Context, m *image.NRGBA, factor int) (*image.NRGBA, error) {
	size, err := target(m, factor)
	if err != nil {
		return nil, err
	}
	picture, reached := resample.Flatten(m), 1
	for range u.runs(factor) {
		reached *= u.scale
		if err := resample.Check(size.X/factor*reached, size.Y/factor*reached); err != nil {
			return nil, fmt.Errorf("upscaling, with a network that makes pictures %d times as large: %w", u.scale, err)
		}
		if picture, err = u.enlarge(ctx, picture); err != nil {
			return nil, fmt.Errorf("upscaling: %w", err)
		}
	}
	if reached == factor {
		return picture, nil
	}
	return resample.Resize(picture, size.X, size.Y, resample.Lanczos), nil
}

// runs returns how often the network runs for a factor: again while the result is at most half as large as wanted.
func (u *Upscaler) runs(factor int) int {
	n := 1
	for reached := u.scale; u.scale > 1 && 2*reached <= factor; reached *= u.scale {
		n++
	}
	return n
}
