package jobs

import (
	"image"
	"math/rand/v2"

	"github.com/easelbot/easel/imagine"
)

// An Ask is what somebody asked for, in their words. What is nil is left to the model, seeds to chance.
type Ask struct {
	Prompt, Negative  string
	Model             string // by name, "" for the default; Plan is given what that proposes
	Size              *image.Point
	Count, Steps      *int
	Seed              *int64
	Sampler           *string
	Guidance, Eta     *float64
	Rescale           *float64 // of guidance
	ClipSkip          *int
	Init, Mask        *imagine.Source
	Strength          *float64            // nil with an Init: most of it is painted over, or with a Mask all that it shows
	Path              []imagine.Variation // moves before the variation
	VariationSeed     *int64
	VariationStrength *float64
}

// Plan lays an Ask over what a model proposes. What it leaves out is drawn: seeds are below 2^32.
func Plan(r imagine.Request, a Ask) imagine.Request {
	r.Prompt, r.Negative = a.Prompt, a.Negative
	if a.Size != nil {
		r.Width, r.Height = a.Size.X, a.Size.Y
	}
	set(&r.Count, a.Count)
	set(&r.Steps, a.Steps)
	set(&r.Sampler, a.Sampler)
	set(&r.Guidance, a.Guidance)
	set(&r.Eta, a.Eta)
	set(&r.Rescale, a.Rescale)
	set(&r.ClipSkip, a.ClipSkip)
	r.Init, r.Mask, r.Strength = a.Init, a.Mask, strength(a, r.Steps)
	set(&r.Variation.Strength, a.VariationStrength)
	r.Seed, r.Path = drawn(a.Seed), a.Path
	if r.Variation.Strength > 0 {
		r.Variation.Seed = drawn(a.VariationSeed)
	}
	return r
}

// strength defaults to what diffusers' pipelines take, unless that would leave no step.
func strength(a Ask, steps int) float64 {
	switch {
	case a.Strength != nil:
		return *a.Strength
	case a.Mask != nil, a.Init != nil && steps == 1:
		return 1
	case a.Init != nil:
		return 0.8
	}
	return 0
}

func set[T any](dst, value *T) {
	if value != nil {
		*dst = *value
	}
}

func drawn(seed *int64) int64 {
	if seed != nil {
		return *seed
	}
	return int64(rand.Uint32())
}

// Credits is what a request costs, so that one guided picture of 512x512 in 20 model calls is 1. calls is the number of model
// calls that one of its pictures takes.
func Credits(r imagine.Request, calls int) float64 {
	lanes := 1.0
	if r.Guidance > 1 {
		lanes = 2
	}
	size := float64(r.Width) * float64(r.Height) / (512 * 512)
	return float64(r.Count) * lanes / 2 * float64(calls) / 20 * size
}
