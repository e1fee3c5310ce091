package schedule

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Errors of [Scheduler.Add].
var (
	ErrNever   = errors.New("this can never be scheduled")
	ErrInvalid = errors.New("this is not a job")
)

// A Model is what must be loaded before rows can make calls. Those equal in both are the same.
type Model struct {
	Name  string
	Bytes int64 // of its weights
}

// A Job is a request of one person: pictures of one model and shape. Its fields must not change once it was added.
type Job struct {
	Person string  // whose share it counts against; "" is somebody of their own
	Weight float64 // of the share, above 0: 4 high, 1 normal, 1/4 low
	Model  Model
	Group  any // comparable; what rows must share to go together: latent size, tokens, extra inputs
	Lanes  int // a row's in each call: 2 under guidance, else 1
	Calls  []int
	Cost   float64 // credits of a lane in one call, above 0

	// Timestep is for graphs that take one timestep for all lanes: rows go together when it is the same for their next call,
	// counted from 0. Nil is for all others.
	Timestep func(row, call int) float64

	RowBytes    int64 // that a row holds from joining to its release
	LaneBytes   int64 // that a lane takes during a call
	DecodeBytes int64 // that decoding a row takes, one at a time and beside calls

	EncodeBytes int64 // that it takes to get ready while it waits, beside calls and not beside decoding
	Waiting     bool  // its rows may not make calls yet, though its model may be loaded for them; Scheduler.Ready or Remove ends that

	Value any // the caller's own

	state
}

// A Row is a picture in the making.
type Row struct {
	Job   *Job
	Index int // in Job.Calls

	left           int // calls to come
	joined, flying bool
}

// Made is how many calls the row has made.
func (r *Row) Made() int { return r.Job.Calls[r.Index] - r.left }

// What the scheduler keeps of a job.
type state struct {
	person  *person // nil once no calls are to come
	model   *model
	group   *group
	order   []*Row  // with calls to come, nearest to done first
	blocked bool    // listed in Scheduler.blocked
	passed  float64 // credits of rows that joined before it without a right to
}

func (j *Job) check(l Limits) error {
	switch {
	case j.person != nil:
		return fmt.Errorf("%w: it was added already", ErrInvalid)
	case !positive(j.Weight) || !positive(j.Cost):
		return fmt.Errorf("%w: weight %v and cost %v must be above 0", ErrInvalid, j.Weight, j.Cost)
	case len(j.Calls) == 0 || slices.Min(j.Calls) < 1:
		return fmt.Errorf("%w: it needs rows of at least one call", ErrInvalid)
	case j.Lanes < 1 || min(j.RowBytes, j.LaneBytes, j.DecodeBytes, j.Model.Bytes) < 0:
		return fmt.Errorf("%w: lanes must be at least 1 and bytes at least 0", ErrInvalid)
	case j.Lanes > l.MaxLanes:
		return fmt.Errorf("%w: a row takes %d lanes, and a call at most %d", ErrNever, j.Lanes, l.MaxLanes)
	case j.Model.Bytes > l.Weights:
		return fmt.Errorf("%w: the model %s takes %d bytes, more than the %d allowed for models", ErrNever, j.Model.Name, j.Model.Bytes, l.Weights)
	case !j.fitsAlone(l.Memory):
		return fmt.Errorf("%w: one picture takes more than the %d bytes allowed for pictures in the making; ask for a smaller one", ErrNever, l.Memory)
	}
	return nil
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

// fill makes the rows.
func (j *Job) fill() {
	rows := make([]Row, len(j.Calls))
	j.order = make([]*Row, len(rows))
	for i := range rows {
		rows[i] = Row{Job: j, Index: i, left: j.Calls[i]}
		j.order[i] = &rows[i]
	}
	slices.SortStableFunc(j.order, func(a, b *Row) int { return a.left - b.left })
}

// sort moves a row, which made a call, to its place.
func (j *Job) sort(r *Row) {
	i := slices.Index(j.order, r)
	for ; i > 0 && j.order[i-1].left > r.left; i-- {
		j.order[i] = j.order[i-1]
	}
	j.order[i] = r
}

// next returns a row that has not joined, nil if there is none.
func (j *Job) next() *Row {
	for _, r := range j.order {
		if !r.joined {
			return r
		}
	}
	return nil
}

// credits is what all calls of a row cost that are to come.
func (r *Row) credits() float64 { return float64(r.left*r.Job.Lanes) * r.Job.Cost }

// charge is what a call of a row adds to its person's tag.
func (j *Job) charge() float64 { return float64(j.Lanes) * j.Cost / j.Weight }

// together reports whether rows of one group may go into one call.
func (r *Row) together(o *Row) bool { return r.timestep() == o.timestep() }

func (r *Row) timestep() float64 {
	if r.Job.Timestep == nil {
		return 0
	}
	return r.Job.Timestep(r.Index, r.Made())
}

// lanes is how many lanes a call has, counting a lone one twice.
func lanes(call []*Row) int {
	n := 0
	for _, r := range call {
		n += r.Job.Lanes
	}
	return max(n, 2)
}
