package generator

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"sync"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/noise"
	"github.com/easelbot/easel/generator/resample"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

// An encoder is the VAE's way from pixels to latents. Its graph is loaded when the first picture comes. It is safe for concurrent use.
type encoder struct {
	folder  *model.Folder
	options Options
	turn    chan struct{} // holds one: one picture at a time goes through a VAE

	mu      sync.Mutex // guards what follows
	session *inference.Session
	closed  bool
}

func (e *encoder) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.session == nil {
		return nil
	}
	return e.session.Close()
}

// A posterior is the distribution of the latents that a picture may have: normal, by mean and standard deviation, in the VAE's own scale.
type posterior struct {
	mean []float32
	std  []float32 // nil if the graph itself drew the latents
}

// draw returns latents in the engine's scale.
func (p posterior) draw(vae model.VAE, source *noise.Source) []float32 {
	x := make([]float32, len(p.mean))
	if p.std != nil {
		source.Normal(x)
	}
	for i, mean := range p.mean {
		if p.std != nil {
			x[i] = mean + p.std[i]*x[i]
		} else {
			x[i] = mean
		}
	}
	scale(x, vae)
	return x
}

// scale brings latents from the VAE's own scale to the engine's.
func scale(latents []float32, vae model.VAE) {
	cells := len(latents) / vae.Channels
	factor := float32(vae.ScalingFactor)
	for i, x := range latents {
		if vae.Std == nil {
			latents[i] = x * factor
			continue
		}
		c := i / cells
		latents[i] = (x - float32(vae.Mean[c])) * factor / float32(vae.Std[c])
	}
}

// opened returns the session that gives the output.
func (e *encoder) opened(output string) (*inference.Session, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, inference.ErrClosed
	}
	if e.session == nil {
		s, err := open(e.folder, model.VAEEncoder, e.options, output)
		if err != nil {
			return nil, err
		}
		e.session = s
	}
	return e.session, nil
}

// encode returns what latents a picture of w x h may have, given as three planes of -1..1.
func (e *encoder) encode(ctx context.Context, pixels []float32, w, h int) (posterior, error) {
	output, moments := e.folder.Encoder()
	session, err := e.opened(output)
	if err != nil {
		return posterior{}, err
	}
	channels := e.folder.VAE.Channels
	if moments {
		channels *= 2
	}
	encoded, err := tilesOf(e.folder).encode(ctx, func(ctx context.Context, in planes) (planes, error) {
		out := blank(channels, in.w/e.folder.VAE.Factor, in.h/e.folder.VAE.Factor)
		return out, session.Run(ctx, map[string]inference.Tensor{"sample": in.tensor()}, map[string]inference.Tensor{output: out.tensor()})
	}, planes{pixels, 3, w, h})
	out := encoded.data
	switch {
	case err != nil:
		return posterior{}, err
	case !finite(out):
		return posterior{}, errNotNumbers
	case !moments:
		return posterior{mean: out}, nil
	}
	mean, std := out[:len(out)/2], out[len(out)/2:]
	for i, v := range std {
		std[i] = float32(math.Exp(0.5 * float64(min(max(v, -30), 20))))
	}
	return posterior{mean, std}, nil
}

// A canvas is what a job's pictures are painted on: the latents of its Init, and where a Mask leaves what. It is nil for pictures made
// from nothing.
type canvas struct {
	init   posterior
	mask   []float32 // 1 where a cell is painted anew, else 0; nil without a mask
	masked posterior // of what the mask leaves, for U-Nets that are shown that
}

// canvas encodes a job's Init and Mask, what of it was not encoded before the model made room for another.
func (e *encoder) canvas(ctx context.Context, j *job) error {
	r, f := j.request, e.folder
	if r.Init == nil {
		return nil
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	init := resample.Resize(resample.Flatten(r.Init.Image), r.Width, r.Height, resample.Lanczos)
	pixels := toPlanes(init)
	if j.canvas == nil {
		j.canvas = &canvas{}
	}
	c := j.canvas
	var err error
	if c.init.mean == nil {
		if c.init, err = e.encode(ctx, pixels, r.Width, r.Height); err != nil {
			return encodeError(ctx, err)
		}
	}
	if r.Mask != nil {
		light := maskOf(r)
		c.mask = cells(light, placeOf(f, r), f.VAE.Factor)
		hide(pixels, light)
	}
	if r.Mask != nil && f.Denoiser.Inpaints() {
		if c.masked, err = e.encode(ctx, pixels, r.Width, r.Height); err != nil {
			return encodeError(ctx, err)
		}
	}
	return nil
}

// hide makes grey what is painted anew.
func hide(pixels []float32, light []bool) {
	for i := range pixels {
		if light[i%len(light)] {
			pixels[i] = 0
		}
	}
}

func encodeError(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, inference.ErrClosed):
		return ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("the picture could not be encoded: %w", err)
}

// maskOf tells for each pixel whether it is painted anew.
func maskOf(r imagine.Request) []bool {
	gray := resample.Gray(resample.Resize(resample.Flatten(r.Mask.Image), r.Width, r.Height, resample.Lanczos))
	light := make([]bool, r.Width*r.Height)
	for i := range light {
		light[i] = gray.Pix[i] >= 128
	}
	return light
}

// cells takes from a mask of pixels that of latent cells: each cell's first pixel, as PyTorch's nearest interpolation does.
func cells(light []bool, p place, factor int) []float32 {
	mask := make([]float32, p.height*p.width)
	for i := range mask {
		y, x := i/p.width*factor, i%p.width*factor
		if light[y*p.width*factor+x] {
			mask[i] = 1
		}
	}
	return mask
}

// toPlanes turns 8-bit pixels into three planes of -1..1.
func toPlanes(m *image.NRGBA) []float32 {
	n := m.Rect.Dx() * m.Rect.Dy()
	planes := make([]float32, 3*n)
	for i := range n {
		for c := range 3 {
			planes[c*n+i] = 2*(float32(m.Pix[4*i+c])/255) - 1
		}
	}
	return planes
}
