package main

import (
	"context"
	"fmt"
	"image"
	"io"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/generator/upscale"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

// maxEnlarged is how many pixels a picture may have after it was made larger.
const maxEnlarged = 8192 * 8192

// An enlarger makes pictures larger, by a network if there is one.
type enlarger struct {
	factor  int
	network *upscale.Upscaler // nil for Lanczos' filter
}

// openEnlarger checks --upscale and loads the network that the configuration names. Without it, it returns nil.
func (f *imagineFlags) openEnlarger(c configs.Config, r imagine.Request, stderr io.Writer) (*enlarger, error) {
	factor := f.upscale
	switch {
	case !f.given("upscale"):
		return nil, nil
	case factor != 2 && factor != 4:
		return nil, usagef("--upscale is %d; it must be 2 or 4", factor)
	case r.Width*factor*r.Height*factor > maxEnlarged:
		return nil, usagef("--upscale %d makes pictures of %dx%d; they may have %d pixels at most", factor, r.Width*factor, r.Height*factor, maxEnlarged)
	case c.Upscaler == "":
		fmt.Fprintln(stderr, "easel: no upscaler is configured (upscaler, EASEL_UPSCALER), so pictures are made larger by Lanczos' filter, which adds no detail")
		return &enlarger{factor: factor}, nil
	}
	network, err := openUpscaler(c)
	if err != nil {
		return nil, err
	}
	return &enlarger{factor, network}, nil
}

// openUpscaler loads the network that the configuration names.
func openUpscaler(c configs.Config) (*upscale.Upscaler, error) {
	options, err := besidePainting(c)
	if err != nil {
		return nil, err
	}
	network, err := upscale.Open(inference.Graph{Name: "upscaler", Path: c.Upscaler}, options)
	if err != nil {
		return nil, fmt.Errorf("the upscaler %s (upscaler, EASEL_UPSCALER) cannot be used: %w", c.Upscaler, reason(err))
	}
	return network, nil
}

// besidePainting loads ONNX Runtime and says how networks run that do not paint.
func besidePainting(c configs.Config) (inference.Options, error) {
	device, err := inference.ParseDevice(c.Device)
	if err != nil {
		return inference.Options{}, &usageError{err}
	}
	return inference.Options{Threads: c.Engine.Threads, Device: device}, inference.Load("")
}

func (e *enlarger) enlarge(ctx context.Context, m *image.NRGBA) (*image.NRGBA, error) {
	if e.network == nil {
		return upscale.Lanczos(m, e.factor)
	}
	return e.network.Upscale(ctx, m, e.factor)
}

func (e *enlarger) close() {
	if e != nil && e.network != nil {
		_ = e.network.Close() // the process ends, and with it what could not be freed
	}
}
