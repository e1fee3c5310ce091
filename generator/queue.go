package generator

import (
	"context"
	"errors"

	"github.com/easelbot/easel/generator/prompt/syntax"
	"github.com/easelbot/easel/generator/schedule"
	"github.com/easelbot/easel/imagine"
)

// enter takes a stage of a request into the engine; leave must follow. Its rows are not painted before prepare is done with it.
func (e *Engine) enter(ctx context.Context, s stage, w imagine.Watcher) (*job, error) {
	j := newJob(ctx, s, w)
	if err := j.plan(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return nil, ErrClosed
	case s.kit.broken != nil && e.now() < s.kit.until:
		return nil, s.kit.broken
	case e.waiting() >= e.options.Queue && s.before == 0: // what has begun goes on
		return nil, ErrBusy
	}
	for _, p := range j.parts {
		if err := e.scheduler.Add(e.now(), p); err != nil {
			e.remove(j)
			return nil, err
		}
	}
	e.jobs[j] = true
	e.poke()
	return j, nil
}

// waiting is how many jobs wait whose rows have not begun. Who gave up takes nobody's place.
func (e *Engine) waiting() int {
	n := 0
	for j, waits := range e.jobs {
		if waits && !j.over() {
			n++
		}
	}
	return n
}

// remove takes a job's rows out.
func (e *Engine) remove(j *job) {
	for _, p := range j.parts {
		e.scheduler.Remove(p)
	}
}

// leave takes a job out of the engine.
func (e *Engine) leave(j *job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.remove(j)
	delete(e.jobs, j)
	e.poke()
}

// poke tells the loop that something changed.
func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// plan says what the job's rows need of the scheduler: one part for all rows whose texts are equally long.
func (j *job) plan() error {
	r, k := j.request, j.kit
	var err error
	if j.times, err = j.timesteps(); err != nil {
		return err
	}
	byTokens := map[int64]*schedule.Job{}
	for i := range r.Count {
		tokens, err := k.tokens(r, i, j.guided)
		if err != nil {
			return readError(j.ctx, err)
		}
		p := byTokens[tokens]
		if p == nil {
			p = j.part(tokens)
			byTokens[tokens] = p
			j.parts = append(j.parts, p)
		}
		p.Calls = append(p.Calls, len(j.times))
		part := p.Value.(*part)
		part.pictures = append(part.pictures, i)
	}
	return nil
}

// A part is some of a job's pictures.
type part struct {
	job      *job
	pictures []int // by the index of their rows
}

// A shape is what rows of one model must share to go into one call.
type shape struct {
	place  place
	tokens int64
}

// part returns one of a job without rows.
func (j *job) part(tokens int64) *schedule.Job {
	r, f := j.request, j.kit.folder
	p := placeOf(f, r)
	return &schedule.Job{
		Person: j.watcher.Person, Weight: weight(j.watcher), Model: j.kit.known, Group: shape{p, tokens}, Lanes: j.lanes(),
		Cost: credits(r), RowBytes: rowBytes(f, r), LaneBytes: laneBytes(f, p), DecodeBytes: decodeBytes(f, r),
		Timestep: j.timestep, EncodeBytes: encodeBytes(f, r), Waiting: true, Value: &part{job: j},
	}
}

// weight is what a watcher's priority stands for.
func weight(w imagine.Watcher) float64 {
	if w.Priority > 0 {
		return w.Priority
	}
	return 1
}

// timestep is what rows must share for a graph that takes a single one.
func (j *job) timestep(_, call int) float64 {
	if !j.kit.scalar {
		return 0
	}
	return j.times[call]
}

// tokens is how many tokens picture i's texts come to, both brought to one length.
func (k *kit) tokens(r imagine.Request, i int, guided bool) (int64, error) {
	positive, negative, err := syntax.Painted(r, i)
	if err != nil {
		return 0, err
	}
	chunks, err := k.count(positive, r.Plain)
	if err == nil && guided {
		var n int
		n, err = k.count(negative, r.Plain)
		chunks = max(chunks, n)
	}
	return int64(chunks * k.length()), err
}

// prepare encodes a job's texts and pictures as soon as its model is loaded, and lets its rows go.
func (e *Engine) prepare(ctx context.Context, j *job) error {
	for {
		nets, err := e.await(ctx, j)
		if err != nil {
			return err
		}
		err = e.ready(ctx, nets, j)
		if err == nil {
			break
		}
		if errors.Is(err, ErrClosed) && e.open.Err() == nil {
			continue // the model made room for another meanwhile
		}
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range j.parts {
		e.scheduler.Ready(p)
	}
	e.poke()
	return nil
}

// await returns the networks of a job's model once they are loaded.
func (e *Engine) await(ctx context.Context, j *job) (*networks, error) {
	for {
		e.mu.Lock()
		nets, arrived := j.kit.nets, j.kit.arrived
		e.mu.Unlock()
		if nets != nil {
			return nets, nil
		}
		select {
		case <-arrived:
		case <-j.done:
			return nil, j.err
		case <-e.open.Done():
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// ready encodes a job's texts and pictures, unless the engine closes.
func (e *Engine) ready(ctx context.Context, nets *networks, j *job) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(e.open, stop)()
	err := nets.texts.condition(working, j)
	if err == nil {
		err = nets.encoder.canvas(working, j)
	}
	if err != nil && ctx.Err() == nil && working.Err() != nil {
		return ErrClosed
	}
	return err
}
