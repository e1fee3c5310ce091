package generator

import (
	"context"
	"sync"
	"time"

	"github.com/easelbot/easel/generator/schedule"
	"github.com/easelbot/easel/imagine"
)

// A job is a request on its way through the engine.
type job struct {
	ctx     context.Context
	request imagine.Request
	watcher imagine.Watcher
	kit     *kit

	guided bool            // classifier-free guidance is on: two lanes a row
	times  []float64       // the timestep of each call of a row
	parts  []*schedule.Job // what the scheduler knows of it
	texts  []conditioning  // one a picture
	canvas *canvas         // nil for pictures made from nothing
	rows   []*row          // the loop's: one a picture, nil until it begins

	done chan struct{} // closed by finish

	mu       sync.Mutex // guards what follows, and makes events come one at a time
	calls    int
	expected time.Duration // to the last call, 0 while nobody knows
	left     int           // pictures to come
	finished bool
	pictures []imagine.Picture
	err      error
}

// newJob turns guidance off also for models that take its scale by themselves.
func newJob(ctx context.Context, k *kit, r imagine.Request, w imagine.Watcher) *job {
	return &job{
		ctx: ctx, request: r, watcher: w, kit: k, guided: r.Guidance > 1 && k.folder.Denoiser.TimeCond == 0, rows: make([]*row, r.Count),
		done: make(chan struct{}), left: r.Count, pictures: make([]imagine.Picture, r.Count),
	}
}

func (j *job) lanes() int {
	if j.guided {
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
	ev.Calls, ev.Total, ev.Left = j.calls, len(j.times)*j.request.Count, j.expected
	j.watcher.Event(ev)
}

// begin tells that the first row has begun.
func (j *job) begin() { j.tell(imagine.Event{}) }

// expect notes how long the job's calls will still take.
func (j *job) expect(d time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.expected = d
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
