package generator

import (
	"context"
	"sync"
	"time"

	"github.com/easelbot/easel/generator/schedule"
	"github.com/easelbot/easel/imagine"
)

// A job is a request on its way through the engine, or one of its stages.
type job struct {
	ctx     context.Context
	watcher imagine.Watcher
	stage

	guided   bool             // classifier-free guidance is on: two lanes a row
	times    []float64        // the timestep of each call of a row
	parts    []*schedule.Job  // what the scheduler knows of it
	texts    []conditioning   // one a picture
	readings map[read]reading // of the texts so far, which stay when the model makes room for another meanwhile
	canvas   *canvas          // nil for pictures made from nothing
	rows     []*row           // the loop's: one a picture, nil until it begins

	done chan struct{} // closed by finish

	mu       sync.Mutex // guards what follows, and makes events come one at a time
	calls    int
	expected time.Duration // to the last call, 0 while nobody knows
	left     int           // rows to come
	finished bool
	pictures []imagine.Picture
	err      error
}

// newJob turns guidance off also for models that take its scale by themselves.
func newJob(ctx context.Context, s stage, w imagine.Watcher) *job {
	r := s.request
	return &job{
		ctx: ctx, watcher: w, stage: s, guided: r.Guidance > 1 && s.kit.folder.Denoiser.TimeCond == 0, rows: make([]*row, r.Count), readings: map[read]reading{},
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
	n := j.request.Count
	ev.Calls, ev.Total = n*j.before+j.calls, n*(j.before+len(j.times)+j.after)
	if mine := n*len(j.times) - j.calls; mine > 0 { // calls of later stages take about as long
		ev.Left = j.expected / time.Duration(mine) * time.Duration(ev.Total-ev.Calls)
	}
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

// deliver takes a finished picture, and ends the job with the last.
func (j *job) deliver(p imagine.Picture) {
	j.arrive(func() {
		j.pictures[p.Index] = p
		j.tellLocked(imagine.Event{Index: p.Index, Picture: &p})
	})
}

// handOn leaves a row to the next stage.
func (j *job) handOn() { j.arrive(func() {}) }

// arrive counts a row that has come to its end, where take is called for it unless the job has ended, and ends the job with the last.
func (j *job) arrive(take func()) {
	j.mu.Lock()
	if !j.finished {
		j.left--
		take()
	}
	last := j.left == 0
	j.mu.Unlock()
	if last {
		j.finish(nil)
	}
}
