package generator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/easelbot/easel/generator/schedule"
)

// loop makes model calls until ctx ends; it owns the rows that have begun.
func (e *Engine) loop(ctx context.Context) {
	defer close(e.decodes)
	for ctx.Err() == nil {
		if !e.turn(ctx) {
			select {
			case <-e.wake:
			case <-ctx.Done():
			}
		}
	}
	e.failAll()
}

// turn does what the scheduler decides, and reports whether that was a call.
func (e *Engine) turn(ctx context.Context) bool {
	e.mu.Lock()
	d := e.scheduler.Next(e.now())
	e.change(ctx, d)
	picked := slices.Clone(d.Call)
	var nets *networks // which stay for the call
	if len(picked) > 0 {
		nets = jobOf(picked[0]).kit.nets
	}
	e.mu.Unlock()
	if nets == nil {
		return false
	}
	begin := time.Now()
	called, err := e.step(ctx, nets, e.rows(picked))
	if err != nil {
		for _, r := range picked {
			jobOf(r).finish(err)
		}
	}
	var took time.Duration
	if called {
		took = time.Since(begin)
	}
	e.done(picked, took)
	return true
}

func jobOf(r *schedule.Row) *job { return r.Job.Value.(*part).job }

// rows returns the rows that were picked, beginning those that are new. Of jobs that are over there are none.
func (e *Engine) rows(picked []*schedule.Row) []*row {
	var rows []*row
	for _, p := range picked {
		part := p.Job.Value.(*part)
		j, k := part.job, part.pictures[p.Index]
		if j.over() {
			continue
		}
		if j.rows[k] == nil {
			if err := e.begin(j, k); err != nil {
				j.finish(err)
				continue
			}
		}
		rows = append(rows, j.rows[k])
	}
	return rows
}

// begin makes picture k's row.
func (e *Engine) begin(j *job, k int) (err error) {
	if j.rows[k], err = j.newRow(k); err != nil {
		return err
	}
	e.mu.Lock()
	first := e.jobs[j]
	if first {
		e.jobs[j] = false
	}
	e.mu.Unlock()
	if first {
		j.begin()
	}
	return nil
}

// done tells the scheduler of a call, and hands rows whose calls are made to the decoder.
func (e *Engine) done(picked []*schedule.Row, took time.Duration) {
	e.mu.Lock()
	for _, r := range picked {
		if j := jobOf(r); j.over() {
			e.remove(j)
		}
	}
	finished := slices.Clone(e.scheduler.Done(took))
	e.foresee()
	e.mu.Unlock()
	for _, r := range finished {
		part := r.Job.Value.(*part)
		if part.job.after > 0 {
			e.release(r)
			part.job.handOn()
			continue
		}
		row := part.job.rows[part.pictures[r.Index]]
		part.job.rows[part.pictures[r.Index]] = nil // what it holds is not counted any more once it is released
		e.decodes <- decode{row: row, latents: row.x, place: r}
	}
}

// change loads and unloads models beside the loop.
func (e *Engine) change(ctx context.Context, d schedule.Decision) {
	if d.Load == nil {
		return
	}
	var gone []*networks
	for _, m := range d.Unload {
		k := e.known(m)
		gone = append(gone, k.nets)
		k.nets, k.arrived = nil, make(chan struct{})
	}
	k := e.known(*d.Load)
	e.running.Go(func() {
		var errs []error
		for _, n := range gone {
			errs = append(errs, n.close())
		}
		nets, took, err := k.load(e.options)
		e.loaded(ctx, k, nets, took, errors.Join(append(errs, err)...))
	})
}

func (e *Engine) known(m schedule.Model) *kit {
	i := slices.IndexFunc(e.kits, func(k *kit) bool { return k.known == m })
	return e.kits[i]
}

// loaded reports what came of loading a model.
func (e *Engine) loaded(ctx context.Context, k *kit, nets *networks, took time.Duration, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if nets != nil {
		e.take(k, nets)
		e.scheduler.Loaded(e.now(), k.known, took)
	} else {
		k.broken, k.until = fmt.Errorf("the model %s could not be loaded: %w", k.folder.Name, err), e.now()+patience
		for _, p := range e.scheduler.LoadFailed(k.known) {
			p.Value.(*part).job.finish(k.broken)
		}
	}
	if ctx.Err() == nil {
		e.poke()
	}
}

// step makes one model call and advances its rows, unless nobody waits for them any more; called tells whether it was made.
func (e *Engine) step(ctx context.Context, nets *networks, batch []*row) (called bool, err error) {
	if len(batch) == 0 {
		return false, nil
	}
	call, end := wanted(ctx, batch...)
	outs, err := nets.unet.call(call, batch)
	end()
	switch {
	case err != nil && ctx.Err() != nil:
		return false, ErrClosed
	case errors.Is(err, context.Canceled):
		return false, nil
	case err != nil:
		return false, err
	}
	for i, r := range batch {
		if !finite(outs[i]) {
			r.job.finish(fmt.Errorf("%w (call %d of %s)", errDenoiser, r.call+1, r.job.request.Sampler))
			continue
		}
		r.advance(outs[i])
		r.job.called()
		e.sketch(r)
	}
	return true, nil
}

var errDenoiser = errors.New("the model gave values that are not numbers; its weights are damaged, or too large for half precision: fetch it again, or take it in single precision")

func finite(values []float32) bool {
	var sum float32 // of zeros, unless a value is infinite or not a number
	for _, v := range values {
		sum += v * 0
	}
	return !math.IsNaN(float64(sum))
}

// sketch asks for a preview when one is due and the decoder has nothing better to do.
func (e *Engine) sketch(r *row) {
	every := r.job.watcher.PreviewEvery
	if every == 0 || r.call%every != 0 || r.over() || len(e.decodes) > 0 {
		return
	}
	e.decodes <- decode{row: r, latents: slices.Clone(r.sampler.Denoised())}
}

// often is how long a forecast is good for.
const often = 2 * time.Second

// foresee tells jobs how long they will take.
func (e *Engine) foresee() {
	if e.now() < e.foreseen+often {
		return
	}
	e.foreseen = e.now()
	left := map[*job]time.Duration{}
	for p, d := range e.scheduler.Expect(e.foreseen) {
		j := p.Value.(*part).job
		left[j] = max(left[j], d)
	}
	for j, d := range left {
		j.expect(d)
	}
}

func (e *Engine) failAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for j := range e.jobs {
		j.finish(ErrClosed)
		e.remove(j)
	}
}
