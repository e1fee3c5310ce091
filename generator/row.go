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
	sampler sampler.Sampler
	draw    func([]float32)

	x     []float32 // latents, channels first
	call  int       // the next model call
	kept  kept
	extra []float32 // channels that the model is shown behind the latents: mask, and latents of what it leaves
}

// kept is what a mask keeps of a picture.
type kept struct {
	mask         []float32 // 1 where a cell is painted anew; nil if all of them are
	clean, noise []float32
	scratch      []float32
}

// newRow makes row k of a job, all noise drawn that comes before its first call, in the order in which diffusers draws it: a
// picture's latents, the first noise, the latents of what a mask leaves. The request must have passed Check.
func (j *job) newRow(k int) (*row, error) {
	r, f := j.request, j.kit.folder
	s, err := j.sampler()
	if err != nil {
		return nil, err
	}
	if j.from != nil {
		last := j.from[k]
		return &row{job: j, index: k, place: last.place, sampler: s, draw: last.draw, x: last.x}, nil
	}
	seed, variation := r.Seeds(k)
	source := noise.New(seed)
	var clean []float32
	if startsFrom(f, r) {
		clean = j.canvas.init.draw(f.VAE, source)
	}
	first := make([]float32, latents(f, r))
	source.Normal(first)
	for _, v := range append(slices.Clone(r.Path), imagine.Variation{Seed: variation, Strength: r.Variation.Strength}) {
		move(first, v)
	}
	row := &row{job: j, index: k, place: placeOf(f, r), sampler: s, draw: source.Normal, x: make([]float32, len(first))}
	if r.Mask != nil {
		row.mask(f, clean, first, source)
	}
	if r.Mask != nil && r.Strength == 1 {
		clean = nil // pure noise to begin with
	}
	s.Start(row.x, clean, first)
	return row, nil
}

// startsFrom reports whether the latents of the request's Init matter. For a U-Net that is shown what a mask leaves they do not
// when all the rest is painted anew.
func startsFrom(f *model.Folder, r imagine.Request) bool {
	return r.Init != nil && !(r.Mask != nil && f.Denoiser.Inpaints() && r.Strength == 1)
}

// mask arranges for what the mask leaves to be shown to the model, or else to be put back after each call. The latents of what it
// leaves are drawn either way, as diffusers draws them.
func (r *row) mask(f *model.Folder, clean, first []float32, source *noise.Source) {
	c := r.job.canvas
	if f.Denoiser.Inpaints() {
		r.extra = append(slices.Clone(c.mask), c.masked.draw(f.VAE, source)...)
		return
	}
	if c.init.std != nil {
		source.Normal(make([]float32, len(first)))
	}
	r.kept = kept{mask: c.mask, clean: clean, noise: first, scratch: make([]float32, len(first))}
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

// samplerOptions says where a run begins: at the step that Strength leaves, except that lcm of a latent consistency model spreads its
// steps over that share of the schedule (each as diffusers' pipelines do).
func samplerOptions(f *model.Folder, r imagine.Request) sampler.Options {
	o := sampler.Options{Steps: r.Steps, Len: latents(f, r), Eta: r.Eta}
	switch {
	case r.Init == nil:
	case f.Denoiser.TimeCond > 0 && r.Sampler == "lcm" && r.Mask == nil:
		o.Strength = r.Strength
	default:
		o.Begin = r.Steps - min(int(float64(r.Steps)*r.Strength), r.Steps)
	}
	return o
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
func (r *row) over() bool { return r.call == len(r.job.times) }

// advance takes the guided output of the row's call.
func (r *row) advance(out []float32) {
	r.sampler.Step(r.x, out, r.call, r.draw)
	r.restore()
	r.call++
}

// restore puts back what the mask keeps, with as much noise as there is after the call.
func (r *row) restore() {
	k := r.kept
	if k.mask == nil {
		return
	}
	r.sampler.Renoise(k.scratch, k.clean, k.noise, r.call)
	cells := len(k.mask)
	for i := range r.x {
		m := k.mask[i%cells]
		r.x[i] = (1-m)*k.scratch[i] + m*r.x[i]
	}
}
