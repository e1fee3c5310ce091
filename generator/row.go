package generator

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/noise"
	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
)

// A row is a picture in the making. It belongs to the loop until its latents go to the decoder.
type row struct {
	job     *job
	index   int
	place   place
	bytes   int64
	most    int // lanes of a call that memory has room for
	sampler sampler.Sampler
	draw    func([]float32)

	x    []float32 // latents, channels first
	call int       // the next model call
}

// newRow makes row k of a job, its first noise drawn. The request must have passed Check.
func (e *Engine) newRow(j *job, k int) (*row, error) {
	r := j.request
	s, err := sampler.New(r.Sampler, e.schedule, samplerOptions(e.folder, r))
	if err != nil {
		return nil, err
	}
	seed, variation := r.Seeds(k)
	source := noise.New(seed)
	first := make([]float32, latents(e.folder, r))
	source.Normal(first)
	for _, v := range append(slices.Clone(r.Path), imagine.Variation{Seed: variation, Strength: r.Variation.Strength}) {
		move(first, v)
	}
	x := make([]float32, len(first))
	s.Start(x, nil, first)
	p := placeOf(e.folder, r)
	return &row{
		job: j, index: k, place: p, bytes: rowBytes(e.folder, r), most: lanesWithin(e.folder, e.options.Memory, p),
		sampler: s, draw: source.Normal, x: x,
	}, nil
}

// move turns the first noise towards that of a variation's seed.
func move(first []float32, v imagine.Variation) {
	if v.Strength == 0 {
		return
	}
	other := make([]float32, len(first))
	noise.New(v.Seed).Normal(other)
	noise.Slerp(first, first, other, v.Strength)
}

func samplerOptions(f *model.Folder, r imagine.Request) sampler.Options {
	return sampler.Options{Steps: r.Steps, Len: latents(f, r), Eta: r.Eta}
}

// wanted returns a context for a call made for rows: it ends with ctx, and when nobody waits for any of them any more. The
// function frees it, after the call.
func wanted(ctx context.Context, rows ...*row) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	var left atomic.Int64
	left.Store(int64(len(rows)))
	var forget []func() bool
	for _, r := range rows {
		forget = append(forget, context.AfterFunc(r.job.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		}))
	}
	return ctx, func() {
		for _, f := range forget {
			f()
		}
		cancel()
	}
}

// over reports whether all calls of the row are made.
func (r *row) over() bool { return r.call == len(r.sampler.Timesteps()) }

// advance takes the guided output of the row's call.
func (r *row) advance(out []float32) {
	r.sampler.Step(r.x, out, r.call, r.draw)
	r.call++
}
