package schedule

import (
	"math"
	"slices"
)

// A footprint is the memory that held rows need at the least, in bytes.
type footprint struct {
	rows  int64 // all of them
	aside int64 // the largest decoding of any of them, or encoding of who waits
	floor int64 // the largest of their smallest calls
}

func (f footprint) with(j *Job) footprint {
	return footprint{f.rows + j.RowBytes, max(f.aside, j.DecodeBytes), max(f.floor, j.floor())}
}

func (f footprint) total() int64 { return f.rows + f.aside + f.floor }

// room is how many lanes of so many bytes a call may have.
func (f footprint) room(memory, lane int64) int {
	if lane == 0 {
		return math.MaxInt
	}
	return int((memory - f.rows - f.aside) / lane)
}

// floor is what the smallest call of one of the job's rows takes.
func (j *Job) floor() int64 { return int64(max(2, j.Lanes)) * j.LaneBytes }

func (j *Job) fitsAlone(memory int64) bool {
	left := memory - j.RowBytes // one by one, so that nothing overflows
	return left >= 0 && left-j.DecodeBytes >= 0 && j.LaneBytes <= (left-j.DecodeBytes)/int64(max(2, j.Lanes))
}

func (s *Scheduler) fits(j *Job) bool { return s.memory.with(j).total() <= s.limits.Memory }

// admits reports whether a row of the job may join now.
func (s *Scheduler) admits(j *Job) bool {
	return (s.reserved == nil || s.reserved == j) && s.fits(j)
}

// join takes the memory that a row will hold. Who waited for it is not owed what the others had meanwhile.
func (s *Scheduler) join(r *Row) {
	p := r.Job.person
	if r.Job.blocked {
		p.tag = max(p.tag, s.start(r.Job))
	}
	s.unblock(r.Job)
	r.joined = true
	s.held = append(s.held, r)
	s.memory = s.memory.with(r.Job)
	for _, b := range s.blocked {
		if b.person == p || b.person.before(p) {
			b.passed += r.credits()
		}
	}
}

// drop gives back what a row holds, if anything.
func (s *Scheduler) drop(r *Row) {
	if !r.joined {
		return
	}
	r.joined = false
	i := slices.Index(s.held, r)
	last := len(s.held) - 1
	s.held[i] = s.held[last]
	s.held[last] = nil
	s.held = s.held[:last]
	s.measure()
}

// measure takes stock of the rows held. Encoding is not held back, so one that begins while rows are held may go beyond the limit
// until fewer are.
func (s *Scheduler) measure() {
	s.memory = footprint{}
	for _, p := range s.persons {
		for _, j := range p.jobs {
			if j.Waiting {
				s.memory.aside = max(s.memory.aside, j.EncodeBytes)
			}
		}
	}
	for _, r := range s.held {
		floor := s.memory.floor
		s.memory = s.memory.with(r.Job)
		if r.left == 0 {
			s.memory.floor = floor
		}
	}
}

// block notes that a row of the job, the first that its person has to offer, does not fit.
func (s *Scheduler) block(j *Job) {
	if !j.blocked {
		j.blocked = true
		s.blocked = append(s.blocked, j)
	}
}

func (s *Scheduler) unblock(j *Job) {
	if j.blocked {
		j.blocked, j.passed = false, 0
		s.blocked = slices.DeleteFunc(s.blocked, func(o *Job) bool { return o == j })
	}
	if s.reserved == j {
		s.reserved = nil
	}
}

// reserve keeps what memory comes free for a job that was passed over for long enough, and lets it join when that is enough.
func (s *Scheduler) reserve() {
	if s.reserved == nil {
		for _, j := range s.blocked {
			if j.passed >= j.next().credits() && (s.reserved == nil || j.person.before(s.reserved.person)) {
				s.reserved = j
			}
		}
	}
	if s.reserved != nil && s.fits(s.reserved) {
		s.join(s.reserved.next())
	}
}
