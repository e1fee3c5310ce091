package schedule

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Times of loading that rows wait, and that a model stays, before one with work to do is turned out.
const patience = 4

type where int

const (
	away where = iota
	coming
	here
)

type model struct {
	Model
	where       where
	jobs        int // with calls to come
	undelivered int // rows whose calls are made, and that are not released

	took    time.Duration // loading, 0 while unknown
	waiting time.Duration // away and with jobs: since when
	since   time.Duration // here: since when
	used    time.Duration // when it was last called
	lead    float64       // scratch: the least tag of who wants it
	awaited bool          // scratch: somebody gets ready for it
}

func (s *Scheduler) model(id Model) *model {
	for _, m := range s.models {
		if m.Model == id {
			return m
		}
	}
	s.models = append(s.models, &model{Model: id})
	return s.models[len(s.models)-1]
}

// Loaded reports that the model a decision asked for is loaded, and how long that took.
func (s *Scheduler) Loaded(now time.Duration, id Model, took time.Duration) {
	m := s.arrive(id)
	if m == nil {
		return
	}
	m.where, m.since, m.used = here, now, now
	if m.took == 0 {
		m.took = took
	} else {
		m.took += time.Duration(fresh * float64(took-m.took))
	}
}

// Here reports that a model was loaded without having been asked for, and how long that took.
func (s *Scheduler) Here(now time.Duration, id Model, took time.Duration) {
	m := s.model(id)
	m.where, m.since, m.used, m.took = here, now, now, took
}

// LoadFailed reports that the model a decision asked for cannot be loaded. It removes the jobs that need it, and returns them.
func (s *Scheduler) LoadFailed(id Model) []*Job {
	m := s.arrive(id)
	if m == nil {
		return nil
	}
	var failed []*Job
	for _, p := range s.persons {
		for _, j := range p.jobs {
			if j.model == m {
				failed = append(failed, j)
			}
		}
	}
	for _, j := range failed {
		s.Remove(j)
	}
	return failed
}

// arrive ends a load; nil if there was none.
func (s *Scheduler) arrive(id Model) *model {
	m := s.coming
	if m == nil || m.Model != id {
		return nil
	}
	s.coming = nil
	m.where = away
	return m
}

// change decides what to load, and what goes for it.
func (s *Scheduler) change(now time.Duration) *model {
	if s.coming != nil || !slices.ContainsFunc(s.models, (*model).wanted) {
		return nil
	}
	var best *model // of those that rows wait for, the one whose person had least
	var free *model // and the best that turns out nothing with work to do
	s.leads()
	for _, m := range s.models {
		if m.where == away && m.lead < math.Inf(1) {
			best = earlier(best, m)
			if s.victims(m, (*model).idle) != nil {
				free = earlier(free, m)
			}
		}
	}
	switch {
	case best == nil:
		return nil
	case best == free:
		return s.swap(now, best, (*model).idle)
	case s.due(now, best):
		return s.swap(now, best, s.mayGo(now, best))
	case free != nil:
		return s.swap(now, free, (*model).idle)
	}
	return s.swap(now, best, s.mayGo(now, best))
}

func (m *model) wanted() bool { return m.where == away && m.jobs > 0 }

func (m *model) idle() bool { return m.jobs == 0 }

func earlier(a, b *model) *model {
	if a == nil || b.lead < a.lead || b.lead == a.lead && b.waiting < a.waiting {
		return b
	}
	return a
}

// leads notes of each model the least tag of who has rows that could go on if it were loaded, and whether jobs wait.
func (s *Scheduler) leads() {
	for _, m := range s.models {
		m.lead, m.awaited = math.Inf(1), false
	}
	for _, p := range s.persons {
		for _, j := range p.jobs {
			j.model.awaited = j.model.awaited || j.Waiting
			if j.model.where == away && j.next() != nil && !s.fits(j) && !slices.ContainsFunc(p.jobs, func(o *Job) bool { return o.blocked }) {
				s.block(j) // as it would be if its model were here
			}
			if p.tag < j.model.lead && (s.admits(j) || slices.ContainsFunc(j.order, func(r *Row) bool { return r.joined })) {
				j.model.lead = p.tag
			}
		}
	}
}

// due reports whether rows of a model have waited long enough.
func (s *Scheduler) due(now time.Duration, m *model) bool {
	return now-m.waiting >= patience*s.loading(m)
}

// mayGo says which models may be turned out for one.
func (s *Scheduler) mayGo(now time.Duration, m *model) func(*model) bool {
	lead, _ := s.leader()
	switch {
	case lead == nil && len(s.call) == 0: // nothing to do, though soon there may be
		return func(o *model) bool { return !o.awaited }
	case lead == nil || m.lead >= lead.tag || !s.due(now, m):
		return (*model).idle
	}
	return func(o *model) bool {
		stays := patience * max(s.loading(o), s.loading(m))
		if o.awaited {
			stays *= patience
		}
		return o.idle() || now-o.since >= stays
	}
}

// victims returns models to turn out for one, of those that may go; nil if there is not enough room even so.
func (s *Scheduler) victims(m *model, may func(*model) bool) []*model {
	room := s.limits.Weights - m.Bytes
	gone := []*model{}
	for _, o := range s.models {
		if o.where == away {
			continue
		}
		room -= o.Bytes
		if o.where == here && o.undelivered == 0 && (len(s.call) == 0 || s.call[0].Job.model != o) && may(o) {
			gone = append(gone, o)
		}
	}
	slices.SortStableFunc(gone, func(a, b *model) int {
		return cmp.Or(cmp.Compare(min(a.jobs, 1), min(b.jobs, 1)), cmp.Compare(a.used, b.used))
	})
	for i, o := range gone {
		if room >= 0 {
			return gone[:i]
		}
		room += o.Bytes
	}
	if room < 0 {
		return nil
	}
	return gone
}

// swap begins to load a model if there will be room.
func (s *Scheduler) swap(now time.Duration, m *model, may func(*model) bool) *model {
	gone := s.victims(m, may)
	if gone == nil {
		return nil
	}
	s.unload = s.unload[:0]
	for _, o := range gone {
		o.where, o.waiting = away, now
		s.unload = append(s.unload, o.Model)
	}
	m.where = coming
	s.coming, s.begun = m, now
	return m
}

// loading is how long loading a model should take, judged by another's bytes if it never was; 0 if none was.
func (s *Scheduler) loading(m *model) time.Duration {
	if m.took > 0 {
		return m.took
	}
	for _, o := range s.models {
		if o.took > 0 && o.Bytes > 0 {
			return time.Duration(float64(o.took) * float64(m.Bytes) / float64(o.Bytes))
		}
	}
	return 0
}
