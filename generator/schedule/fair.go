package schedule

import "slices"

// A person has one share of the device. Tags are the start times of fair queuing: credits had so far by weight, from the
// virtual time at which the person came.
type person struct {
	name string
	tag  float64
	seq  int    // of arrival
	jobs []*Job // in order of arrival

	keeps bool // goes before all others now, see Scheduler.keep
}

func (p *person) before(o *person) bool {
	if p.keeps != o.keeps {
		return p.keeps
	}
	return p.tag < o.tag || p.tag == o.tag && p.seq < o.seq
}

// enter gives a job to its person.
func (s *Scheduler) enter(j *Job) {
	p := s.named[j.Person]
	if p == nil {
		p = &person{name: j.Person, seq: s.seq, tag: max(s.start(j), s.past[j.Person])}
		s.persons = append(s.persons, p)
		if p.name != "" {
			delete(s.past, p.name)
			s.named[p.name] = p
		}
	}
	p.jobs = append(p.jobs, j)
	j.person = p
}

// start is the tag of a newcomer.
func (s *Scheduler) start(j *Job) float64 { return s.now + min(s.step, j.charge()) }

// part lets a person go who has nothing to come. Their tag is kept while it says more than the virtual time does.
func (s *Scheduler) part(p *person) {
	i := slices.Index(s.persons, p)
	last := len(s.persons) - 1
	s.persons[i] = s.persons[last]
	s.persons[last] = nil
	s.persons = s.persons[:last]
	if p.name != "" {
		delete(s.named, p.name)
		s.past[p.name] = p.tag
	}
	if last == 0 {
		clear(s.past) // a new busy period
	}
	if len(s.past) > 64+2*last {
		s.forget()
	}
}

func (s *Scheduler) forget() {
	for name, tag := range s.past {
		if tag <= s.now {
			delete(s.past, name)
		}
	}
}

// charge counts a row's call, as far as that does not put its person more than two of the widest calls ahead.
func (s *Scheduler) charge(p *person, r *Row) {
	j := r.Job
	after := p.tag + j.charge()*float64(min(s.stride, r.left))
	most := s.from + float64(2*s.limits.MaxLanes*s.stride)*j.Cost/j.Weight
	p.tag = max(p.tag, min(after, most))
}
