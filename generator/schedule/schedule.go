// Package schedule decides which rows make the next call of a model: continuous batching for many people on one device.
//
// A [Job] is what one person asks for: rows, which are pictures in the making, each of so many calls of a model. A lane is one
// entry of a call; a row takes one or two. Rows of one call share the job's Model and Group, and may otherwise be anybody's, at
// any step. The scheduler is a state machine without a clock, a goroutine or chance: the same events give the same decisions.
// It is not safe for concurrent use. Whoever drives it asks [Scheduler.Next] after every event, does what the decision says,
// and reports: one call at a time, and one load of a model beside it.
//
// # Fairness
//
// Persons share the device by start-time fair queuing (Goyal, Vin, Cheng 1996) in credits, lanes times the job's Cost, divided
// by the job's Weight; someone who asks for much has one share all the same. The person with least leads the next call, and
// others whose rows fit with it fill it, in fair order. A newcomer starts about where the last leader stood: at most its
// own first call behind it, so neither are newcomers owed the past nor can a stream of them keep out who came before. Lanes that
// are filled because nobody else can use them are hardly held against anyone: no one gets further ahead than two of their own
// widest calls. Who waits for a model is owed their share of the meantime; who waits for memory goes first for what comes free, and
// then starts like a newcomer. Within a person jobs go in order of arrival, and within a job the rows nearest to done go first, so that
// pictures come out one after another. So do those of different persons, where calls are narrow: who leads keeps the lead while their row
// is within 32 calls of its end, gets no more than that ahead, and nobody with less to do waits.
//
// # Width
//
// Calls are as wide as pays, by measurement (see [Scheduler.Done]): for each model and group the time of a call is learnt by its
// lanes. Blank widths are tried by doubling, from two lanes up, while there is demand and until a doubling gains less than 5 % in
// time per lane; then the narrowest width within 5 % of the best is kept, and the next ones are tried again now and then. The first
// measurement of a width only counts until there is a second, since devices warm up. A call of one lane is counted as two,
// because the engine doubles it.
//
// # Memory
//
// A row joins when it is first picked, and its bytes are taken until it is released. Rows held, the largest decoding of any of
// them, and the call in flight never exceed Limits.Memory, and what joins always leaves room for the smallest call of every row
// held. One that does not fit is passed over, until rows with as much work as its own have joined that had no right to be before
// it; then nobody else joins until it has.
//
// # Models
//
// A model is loaded at once where that turns out none with work to do; least recently used ones go first. Otherwise its rows wait
// until the loaded ones have nothing to do and nobody gets ready for them, or until they waited four times as long as loading takes, their person has had less than
// all others, and the models that must go have been there for four times what loading takes, and four times
// that if somebody gets ready for them. A model stays as long as rows of it wait
// to be decoded.
package schedule

import (
	"slices"
	"time"
)

// Limits bound what the scheduler hands out.
type Limits struct {
	Memory   int64 // most bytes for rows, for decoding one beside calls, and for the call in flight
	Weights  int64 // most bytes of models that are loaded or being loaded
	MaxLanes int   // most lanes in one call, at least 2
}

// A Decision is what to do now; all of it may be empty. Its slices are valid until the next call of any method.
type Decision struct {
	Call   []*Row  // make this call, then report Done
	Unload []Model // drop these models, before loading
	Load   *Model  // load this model beside calls, then report Loaded or LoadFailed
}

// A Scheduler is the state machine. Times given to its methods are on one clock of the caller's, and never go back.
type Scheduler struct {
	limits Limits

	persons []*person          // who has calls to come
	named   map[string]*person // the same, without those that have no name
	past    map[string]float64 // tags of who left with more than the virtual time
	now     float64            // virtual time: the highest tag that a leader had
	from    float64            // the tag of the last leader, if that was higher
	step    float64            // what the last leader's row added to its tag
	seq     int                // of arrivals

	held     []*Row // joined and not released
	memory   footprint
	blocked  []*Job // found not to fit, at most one a person at a time
	reserved *Job   // the one of them that nobody else may join before

	models []*model
	coming *model        // being loaded
	begun  time.Duration // when that began
	groups map[groupKey]*group
	latest *group // last to be measured

	led      *person // whose row led the last call
	call     []*Row
	calledAt time.Duration
	stride   int // calls that a row makes at a time: 1 but in forecasts

	candidates []candidate // scratch
	finished   []*Row
	unload     []Model
}

// New returns a scheduler without jobs or models. Less than two lanes are taken for two.
func New(l Limits) *Scheduler {
	l.MaxLanes = max(l.MaxLanes, 2)
	return &Scheduler{limits: l, stride: 1, named: map[string]*person{}, past: map[string]float64{}, groups: map[groupKey]*group{}}
}

// Add takes a job in. The error, which wraps [ErrNever] or [ErrInvalid], says why it can never be done.
func (s *Scheduler) Add(now time.Duration, j *Job) error {
	if err := j.check(s.limits); err != nil {
		return err
	}
	m := s.model(j.Model)
	if m.jobs == 0 {
		m.waiting = now
	}
	m.jobs++
	j.state = state{model: m, group: s.group(j)}
	j.fill()
	s.seq++
	s.enter(j)
	s.measure()
	return nil
}

// Ready lets the rows of a job that was added as waiting make calls.
func (s *Scheduler) Ready(j *Job) {
	j.Waiting = false
	s.measure()
}

// Held returns how many bytes the rows hold that have joined.
func (s *Scheduler) Held() int64 { return s.memory.rows }

// Remove takes a job out, at any time: its rows are in no later decision, and Done does not return them. Those that wait to be
// decoded, and only those, must be released all the same. Removing a job that is not there does nothing.
func (s *Scheduler) Remove(j *Job) {
	if j.person == nil {
		return
	}
	s.leave(j)
	for _, r := range j.order {
		if !r.flying {
			s.drop(r)
		}
	}
	j.order = nil
	s.measure()
}

// leave takes a job that has no calls to come from its person.
func (s *Scheduler) leave(j *Job) {
	s.unblock(j)
	p := j.person
	p.jobs = slices.DeleteFunc(p.jobs, func(o *Job) bool { return o == j })
	j.person = nil
	j.model.jobs--
	j.group.jobs--
	if len(p.jobs) == 0 {
		s.part(p)
	}
}

// Next decides what to do now. While a call is in flight it only decides about models.
func (s *Scheduler) Next(now time.Duration) Decision {
	var d Decision
	if len(s.call) == 0 {
		s.reserve()
	}
	if m := s.change(now); m != nil {
		d.Load, d.Unload = &m.Model, s.unload
	}
	if len(s.call) == 0 && s.gather() {
		s.calledAt = now
		s.call[0].Job.model.used = now
		d.Call = s.call
	}
	return d
}

// Done reports that the call in flight was made, and took so long; 0 or less says that this is not worth learning from. It
// returns the rows whose last call it was, to be decoded and released. Jobs whose call failed should be removed before.
func (s *Scheduler) Done(took time.Duration) []*Row {
	s.finished = s.finished[:0]
	if len(s.call) == 0 {
		return nil
	}
	times := s.times()
	if g := s.call[0].Job.group; took > 0 {
		g.learn(lanes(s.call), took.Seconds()/float64(times))
		s.latest = g
	}
	for _, r := range s.call {
		r.flying = false
		r.left -= times
		s.settle(r)
	}
	s.call = s.call[:0]
	return s.finished
}

// settle puts a row in its place after a call.
func (s *Scheduler) settle(r *Row) {
	j := r.Job
	switch {
	case j.person == nil: // removed meanwhile
		s.drop(r)
	case r.left == 0:
		j.order = slices.DeleteFunc(j.order, func(o *Row) bool { return o == r })
		j.model.undelivered++
		s.finished = append(s.finished, r)
		s.measure()
		if len(j.order) == 0 {
			s.leave(j)
		}
	default:
		j.sort(r)
	}
}

// Release gives back what a row held that Done returned: its picture was delivered, or nobody wants it. Releasing one twice
// does nothing.
func (s *Scheduler) Release(r *Row) {
	if r.joined && r.left == 0 {
		r.Job.model.undelivered--
		s.drop(r)
	}
}

// times is how many calls the one in flight stands for.
func (s *Scheduler) times() int {
	n := s.stride
	for _, r := range s.call {
		n = min(n, r.left)
	}
	return n
}
