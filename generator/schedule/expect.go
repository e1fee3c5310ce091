package schedule

import "time"

// What a forecast may cost: about calls times persons.
const forecastWork = 1 << 20

// Expect forecasts how long from now each job takes until its last call is made, if nobody else comes: it runs a copy of the
// scheduler forward on the times measured so far. Where there is much to do rows advance by several calls at once, so that
// the work is bounded. Decoding is taken to be done by the end of the next call; where it takes long and memory is scarce, what waits
// for memory comes later than forecast. It returns nil while no call was measured.
func (s *Scheduler) Expect(now time.Duration) map[*Job]time.Duration {
	if s.latest == nil {
		return nil
	}
	f := forecast{Scheduler: s.copy(), now: now, done: map[*Job]time.Duration{}}
	calls, rows := 0, 0
	for _, p := range f.persons {
		for _, j := range p.jobs {
			rows += len(j.order)
			for _, r := range j.order {
				calls += r.left
			}
		}
	}
	budget := max(forecastWork/(32+len(f.persons)), 100)
	f.stride = 1 + calls/budget
	f.callEnds, f.loadEnds = f.calledAt+f.takes(), f.begun
	if f.coming != nil {
		f.loadEnds += f.loading(f.coming)
	}
	for range 4 * (budget + rows) {
		if !f.advance() {
			break
		}
	}
	for j, at := range f.done {
		f.done[j] = at - now
	}
	return f.done
}

// A forecast is a copy of a scheduler, whose jobs have the real ones as their values.
type forecast struct {
	*Scheduler
	now                time.Duration
	callEnds, loadEnds time.Duration
	decoding           []*Row
	done               map[*Job]time.Duration
}

// takes is how long the call in flight should take.
func (f *forecast) takes() time.Duration {
	if len(f.call) == 0 {
		return 0
	}
	seconds, _ := f.seconds(f.call[0].Job.group, lanes(f.call))
	return time.Duration(seconds * float64(f.times()) * float64(time.Second))
}

// advance goes to the next event; false if there is none.
func (f *forecast) advance() bool {
	d := f.Next(f.now)
	released := f.release()
	if d.Call != nil {
		f.callEnds = f.now + f.takes()
	}
	if d.Load != nil {
		f.loadEnds = f.now + f.loading(f.coming)
	}
	switch {
	case len(f.call) > 0 && (f.coming == nil || f.callEnds <= f.loadEnds):
		f.now = max(f.now, f.callEnds)
		f.deliver()
	case f.coming != nil:
		f.now = max(f.now, f.loadEnds)
		f.Loaded(f.now, f.coming.Model, f.loading(f.coming))
	default:
		return released
	}
	return true
}

// release gives back what was decoded, which took no longer than the next decision.
func (f *forecast) release() bool {
	for _, r := range f.decoding {
		f.Release(r)
	}
	released := len(f.decoding) > 0
	f.decoding = f.decoding[:0]
	return released
}

// deliver ends a call.
func (f *forecast) deliver() {
	for _, r := range f.Done(f.takes()) {
		f.decoding = append(f.decoding, r)
		if r.Job.person == nil {
			f.done[r.Job.Value.(*Job)] = f.now
		}
	}
}

// copy returns a scheduler in the same state, without rows that wait to be decoded.
func (s *Scheduler) copy() *Scheduler {
	c := New(s.limits)
	c.now, c.step, c.seq, c.calledAt, c.begun = s.now, s.step, s.seq, s.calledAt, s.begun
	models, groups, rows := map[*model]*model{}, map[*group]*group{}, map[*Row]*Row{}
	for _, m := range s.models {
		o := *m
		o.undelivered = 0
		models[m] = &o
		c.models = append(c.models, &o)
	}
	for key, g := range s.groups {
		o := *g
		o.model = models[g.model]
		o.samples = append([]sample(nil), g.samples...)
		groups[g] = &o
		c.groups[key] = &o
	}
	c.coming, c.latest = models[s.coming], groups[s.latest]
	jobs := map[*Job]*Job{}
	for _, p := range s.persons {
		o := *p
		o.jobs = nil
		if p == s.led {
			c.led = &o
		}
		c.persons = append(c.persons, &o)
		for _, j := range p.jobs {
			k := *j
			k.Waiting = false
			k.Value, k.person, k.model, k.group, k.order = j, &o, models[j.model], groups[j.group], nil
			for _, r := range j.order {
				n := *r
				n.Job = &k
				rows[r] = &n
				k.order = append(k.order, &n)
			}
			jobs[j] = &k
			o.jobs = append(o.jobs, &k)
		}
	}
	for _, j := range s.blocked {
		c.blocked = append(c.blocked, jobs[j])
	}
	c.reserved = jobs[s.reserved]
	for _, r := range s.held {
		if o := rows[r]; o != nil {
			c.held = append(c.held, o)
		}
	}
	c.measure()
	for _, r := range s.call {
		if o := rows[r]; o != nil {
			c.call = append(c.call, o)
		}
	}
	return c
}
