package generator

import (
	"context"
	"sync"

	"github.com/easelbot/easel/imagine"
)

// A job is a request on its way through the engine.
type job struct {
	ctx     context.Context
	request imagine.Request
	watcher imagine.Watcher

	texts []conditioning // one a picture

	joined int     // rows that have joined, or were given up
	served float64 // the loop's: virtual time, lanes of model calls had so far

	done chan struct{} // closed by finish

	mu       sync.Mutex // guards what follows, and makes events come one at a time
	calls    int
	total    int // model calls of all pictures, known when the first row joins
	left     int // pictures to come
	finished bool
	pictures []imagine.Picture
	err      error
}

func newJob(ctx context.Context, r imagine.Request, w imagine.Watcher) *job {
	return &job{
		ctx: ctx, request: r, watcher: w,
		done: make(chan struct{}), left: r.Count, pictures: make([]imagine.Picture, r.Count),
	}
}

// guided reports whether classifier-free guidance is on: two lanes a row.
func (j *job) guided() bool { return j.request.Guidance > 1 }

func (j *job) lanes() int {
	if j.guided() {
		return 2
	}
	return 1
}

// over reports whether nothing needs to be done for the job any more.
func (j *job) over() bool {
	if j.ctx.Err() != nil {
		return true
	}
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// finish ends the job, well or with an error; only the first call counts. No event comes after it.
func (j *job) finish(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.finished {
		return
	}
	j.finished = true
	if err != nil {
		j.err, j.pictures = err, nil
	}
	close(j.done)
}

// tell reports an event, with the count of calls filled in.
func (j *job) tell(ev imagine.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tellLocked(ev)
}

func (j *job) tellLocked(ev imagine.Event) {
	if j.finished || j.watcher.Event == nil {
		return
	}
	ev.Calls, ev.Total = j.calls, j.total
	j.watcher.Event(ev)
}

// called counts a model call of one of the job's rows.
func (j *job) called() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls++
	j.tellLocked(imagine.Event{})
}

// deliver hands over a finished picture, and ends the job with the last.
func (j *job) deliver(p imagine.Picture) {
	j.mu.Lock()
	if !j.finished {
		j.pictures[p.Index] = p
		j.left--
		j.tellLocked(imagine.Event{Index: p.Index, Picture: &p})
	}
	last := j.left == 0
	j.mu.Unlock()
	if last {
		j.finish(nil)
	}
}
