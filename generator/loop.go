package generator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/easelbot/easel/imagine"
)

// loop makes model calls until ctx ends; it owns the rows that have joined.
func (e *Engine) loop(ctx context.Context) {
	defer close(e.decodes)
	var rows []*row
	var line line
	for {
		rows = e.dropOver(append(rows, line.join(e.admit())...))
		if ctx.Err() != nil {
			e.failAll(rows)
			e.dropOver(rows)
			return
		}
		if len(rows) == 0 {
			select {
			case <-e.wake:
			case <-ctx.Done():
			}
			continue
		}
		batch := line.gather(rows, e.options.MaxLanes, e.unet.together)
		if err := e.step(ctx, batch); err != nil {
			for _, r := range batch {
				r.job.finish(err)
			}
		}
		rows = slices.DeleteFunc(rows, e.leave)
	}
}

// step makes one model call and advances its rows, unless nobody waits for them any more.
func (e *Engine) step(ctx context.Context, batch []*row) error {
	call, end := wanted(ctx, batch...)
	outs, err := e.unet.call(call, batch)
	end()
	switch {
	case err != nil && ctx.Err() != nil:
		return ErrClosed
	case errors.Is(err, context.Canceled):
		return nil
	case err != nil:
		return err
	}
	for i, r := range batch {
		if !finite(outs[i]) {
			r.job.finish(fmt.Errorf("the model gave values that are not numbers at call %d of %s", r.call+1, r.job.request.Sampler))
			continue
		}
		r.advance(outs[i])
		r.job.called()
		e.sketch(r)
	}
	return nil
}

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
	e.decodes <- decode{row: r, latents: slices.Clone(r.sampler.Denoised()), preview: true}
}

// leave hands a row whose calls are made to the decoder, and reports whether it left.
func (e *Engine) leave(r *row) bool {
	if !r.over() || r.job.over() {
		return false
	}
	e.decodes <- decode{row: r, latents: r.x}
	return true
}

// dropOver lets go of the rows of jobs that were cancelled or failed.
func (e *Engine) dropOver(rows []*row) []*row {
	return slices.DeleteFunc(rows, func(r *row) bool {
		if !r.job.over() {
			return false
		}
		e.release(r.bytes)
		return true
	})
}

func (e *Engine) failAll(rows []*row) {
	for _, r := range rows {
		r.job.finish(ErrClosed)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, j := range e.waiting {
		j.finish(ErrClosed)
	}
	e.waiting = nil
}

// A line picks the rows of each call by fair queuing over jobs, start times first (Goyal, Vin, Cheng 1996): the job that
// had the fewest lanes is served first. One whose rows join starts just behind the row that was served first in the last
// call. So it neither waits for others to have had their share nor is owed one for the time before, and newcomers, however
// many, do not keep out who came before them.
type line struct{ now float64 } // virtual time: what the first job of the last call had had after its first row

// join lets rows in.
func (l *line) join(rows []*row) []*row {
	for _, r := range rows {
		r.job.served = max(r.job.served, l.now)
		if r.index == 0 {
			r.job.begin(len(r.sampler.Timesteps()))
		}
	}
	return rows
}

// begin says how many calls each picture will take.
func (j *job) begin(calls int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.total = calls * j.request.Count
	j.tellLocked(imagine.Event{})
}

// gather picks up to lanes lanes of rows that may go together with the first one picked. There is at least one row.
func (l *line) gather(rows []*row, lanes int, together func(a, b *row) bool) []*row {
	var batch []*row
	left := slices.Clone(rows)
	for len(left) > 0 {
		i := leastServed(left)
		r := left[i]
		left = slices.Delete(left, i, i+1)
		batch = append(batch, r)
		r.job.served += float64(r.job.lanes())
		if len(batch) == 1 {
			l.now = r.job.served
			lanes = min(lanes, r.most)
			left = slices.DeleteFunc(left, func(other *row) bool { return !together(r, other) })
		}
		lanes -= r.job.lanes()
		left = slices.DeleteFunc(left, func(other *row) bool { return other.job.lanes() > lanes })
	}
	return batch
}

// leastServed returns the first row of the job that had least.
func leastServed(rows []*row) int {
	least := 0
	for i, r := range rows {
		if r.job.served < rows[least].job.served {
			least = i
		}
	}
	return least
}
