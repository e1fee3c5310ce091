package generator

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/schedule"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

// A decode is latents on their way to becoming a picture.
type decode struct {
	row     *row
	latents []float32
	place   *schedule.Row // whose memory is free after it; nil for a preview
}

// A decoder is the VAE's way from latents to pixels.
type decoder struct {
	session *inference.Session
	vae     model.VAE
	tiles   tiles
}

func openDecoder(f *model.Folder, o Options) (*decoder, error) {
	session, err := open(f, model.VAEDecoder, o, "sample")
	if err != nil {
		return nil, err
	}
	return &decoder{session, f.VAE, tilesOf(f)}, nil
}

// decodeAll decodes what the loop hands over, one at a time, until that is closed.
func (e *Engine) decodeAll(ctx context.Context) {
	for d := range e.decodes {
		if !d.row.job.over() {
			e.decodeOrFail(ctx, d)
		}
		if d.place != nil {
			e.release(d.place)
		}
	}
}

// decodeOrFail ends the job if its picture cannot be decoded. A sketch that cannot is none: it was not what was asked for.
func (e *Engine) decodeOrFail(ctx context.Context, d decode) {
	if err := e.decodeOne(ctx, d); err != nil && d.place != nil {
		d.row.job.finish(err)
	}
}

// release gives back what a row held.
func (e *Engine) release(r *schedule.Row) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.scheduler.Release(r)
	e.poke()
}

func (e *Engine) decodeOne(ctx context.Context, d decode) error {
	e.mu.Lock()
	nets := d.row.job.kit.nets
	e.mu.Unlock()
	if nets == nil {
		return nil // of a preview whose model has gone; it stays for pictures
	}
	call, end := wanted(ctx, d.row)
	picture, err := e.decodeInTurn(call, nets, d)
	end()
	switch {
	case err != nil && ctx.Err() != nil:
		return ErrClosed
	case errors.Is(err, context.Canceled):
		return nil
	case err != nil:
		return fmt.Errorf("the picture could not be decoded: %w", err)
	}
	j := d.row.job
	if d.place == nil {
		j.tell(imagine.Event{Index: d.row.index, Preview: picture})
		return nil
	}
	seed, variation := j.request.Seeds(d.row.index)
	j.deliver(imagine.Picture{Index: d.row.index, Seed: seed, VariationSeed: variation, Image: picture})
	return nil
}

func (e *Engine) decodeInTurn(ctx context.Context, nets *networks, d decode) (*image.NRGBA, error) {
	select {
	case e.coding <- struct{}{}:
		defer func() { <-e.coding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return nets.decoder.decode(ctx, d.latents, d.row.place)
}

// wildest is how far from 0 latents may be that a sampler leaves. They are spread about 1, a hundred times that is noise; a decoder makes a
// plain picture of what is far beyond.
const wildest = 1e6

func tame(latents []float32) bool {
	return !slices.ContainsFunc(latents, func(x float32) bool { return !(x > -wildest && x < wildest) })
}

// decode turns latents, which it overwrites, into a picture.
func (d *decoder) decode(ctx context.Context, latents []float32, p place) (*image.NRGBA, error) {
	if !tame(latents) {
		return nil, errDenoiser
	}
	d.unscale(latents)
	pixels, err := d.tiles.decode(ctx, func(ctx context.Context, in planes) (planes, error) {
		out := blank(3, in.w*d.vae.Factor, in.h*d.vae.Factor)
		return out, d.session.Run(ctx, map[string]inference.Tensor{"latent_sample": in.tensor()}, map[string]inference.Tensor{"sample": out.tensor()})
	}, planes{latents, d.vae.Channels, p.width, p.height})
	switch {
	case err != nil:
		return nil, err
	case !finite(pixels.data):
		return nil, errors.New("the decoder gave values that are not numbers; its weights are damaged, or too large for half precision: fetch it again, or take it in single precision")
	}
	return toImage(pixels.data, pixels.w, pixels.h), nil
}

// unscale brings latents from the engine's scale to the VAE's own.
func (d *decoder) unscale(latents []float32) {
	cells := len(latents) / d.vae.Channels
	for c := range d.vae.Channels {
		std, mean := float32(1), float32(0)
		if d.vae.Std != nil {
			std, mean = float32(d.vae.Std[c]), float32(d.vae.Mean[c])
		}
		factor := float32(d.vae.ScalingFactor)
		for i := c * cells; i < (c+1)*cells; i++ {
			latents[i] = latents[i]*std/factor + mean
		}
	}
}

// toImage turns three planes of -1..1 into 8-bit pixels, rounding half to even as diffusers does.
func toImage(planes []float32, w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	n := w * h
	for i := range n {
		for c := range 3 {
			m.Pix[4*i+c] = toByte(planes[c*n+i])
		}
		m.Pix[4*i+3] = 255
	}
	return m
}

func toByte(v float32) uint8 {
	return uint8(math.RoundToEven(float64(min(max(v/2+0.5, 0), 1) * 255)))
}
