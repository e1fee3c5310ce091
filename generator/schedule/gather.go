package schedule

// A candidate is a person who has a row for the call, and where that row is.
type candidate struct {
	*person
	at  cursor
	row *Row
}

// A cursor is a place among a person's rows: of the job, and of the row in the job's order.
type cursor struct{ job, row int }

// gather picks the rows of the next call, and reports whether there are any.
func (s *Scheduler) gather() bool {
	s.call = s.call[:0]
	p, first := s.leader()
	if first == nil {
		return false
	}
	s.now = max(s.now, p.tag)
	p, first = s.keep(p, first)
	s.led, s.step, s.from = p, first.Job.charge(), max(s.now, p.tag)
	limit := min(s.limits.MaxLanes, s.memory.room(s.limits.Memory, first.Job.LaneBytes))
	demand := s.offer(first, max(limit, first.Job.Lanes))
	s.pick(max(first.Job.group.width(max(demand, 2)), first.Job.Lanes))
	p.keeps = false
	return len(s.call) > 0
}

// nearly is how many calls, about those of a picture, are few enough to be made at a stretch.
const nearly = 32

// keep lets who led the last call lead again, before who should, if their row is begun and nearly done, and has no more calls to come
// than the other's; by that nobody gets further ahead than what a row is charged for so many calls. Where wide calls do not pay, pictures that take turns would all be done late, while one after the other each is
// done earlier but the last.
func (s *Scheduler) keep(p *person, first *Row) (*person, *Row) {
	k := s.led
	if k == nil || k == p || len(k.jobs) == 0 {
		return p, first
	}
	_, r := s.seek(k, cursor{}, nil, s.limits.MaxLanes)
	if r == nil || r.Made() == 0 || r.left > min(nearly, first.left) || k.tag > p.tag+nearly*r.Job.charge() {
		return p, first
	}
	k.keeps = true
	return k, r
}

// leader returns the first person in fair order who has a row that could make a call, and that row.
func (s *Scheduler) leader() (*person, *Row) {
	var lead *person
	var first *Row
	for _, p := range s.persons {
		if lead != nil && !p.before(lead) {
			continue
		}
		if _, r := s.seek(p, cursor{}, nil, s.limits.MaxLanes); r != nil {
			lead, first = p, r
		}
	}
	return lead, first
}

// seek returns the person's next row, from a cursor on, that could make a call, alone or with another row, in so many lanes;
// nil if there is none.
func (s *Scheduler) seek(p *person, c cursor, with *Row, lanes int) (cursor, *Row) {
	blocked := with != nil // only leaders are passed over
	for ; c.job < len(p.jobs); c = (cursor{c.job + 1, 0}) {
		j := p.jobs[c.job]
		if j.Waiting || j.model.where != here || j.Lanes > lanes || with != nil && j.group != with.Job.group {
			continue
		}
		admits := s.admits(j)
		if !admits && !blocked && j.next() != nil && !s.fits(j) {
			blocked = true
			s.block(j)
		}
		for ; c.row < len(j.order); c.row++ {
			if r := j.order[c.row]; (r.joined || admits) && (with == nil || r.together(with)) {
				return c, r
			}
		}
	}
	return c, nil
}

// offer collects who has rows that go with the first one, and returns how many lanes of them there are, up to a limit.
func (s *Scheduler) offer(first *Row, limit int) (demand int) {
	s.candidates = s.candidates[:0]
	for _, p := range s.persons {
		c, r := s.seek(p, cursor{}, first, limit)
		if r == nil {
			continue
		}
		s.candidates = append(s.candidates, candidate{p, c, r})
		for r != nil && demand < limit {
			demand += r.Job.Lanes
			c, r = s.seek(p, cursor{c.job, c.row + 1}, first, limit)
		}
	}
	for i := len(s.candidates)/2 - 1; i >= 0; i-- {
		s.sink(i)
	}
	return min(demand, limit)
}

// pick fills the call from the candidates in fair order, up to a width. The first of them is the leader.
func (s *Scheduler) pick(width int) {
	left := width
	for len(s.candidates) > 0 && left > 0 {
		c := &s.candidates[0]
		if r := c.row; r.Job.Lanes <= left && s.take(r, width-left+r.Job.Lanes) {
			left -= r.Job.Lanes
			s.charge(c.person, r)
			c.keeps = false
		}
		c.at, c.row = s.seek(c.person, cursor{c.at.job, c.at.row + 1}, c.row, left)
		if c.row == nil {
			last := len(s.candidates) - 1
			*c = s.candidates[last]
			s.candidates = s.candidates[:last]
		}
		s.sink(0)
	}
}

// take puts a row into a call that will then have so many lanes, if memory has room for both.
func (s *Scheduler) take(r *Row, lanes int) bool {
	after := s.memory
	if !r.joined {
		if !s.admits(r.Job) {
			return false
		}
		after = after.with(r.Job)
	}
	if after.room(s.limits.Memory, r.Job.LaneBytes) < max(lanes, 2) {
		return false
	}
	if !r.joined {
		s.join(r)
	}
	r.flying = true
	s.call = append(s.call, r)
	return true
}

// sink restores the heap of candidates below one of them.
func (s *Scheduler) sink(i int) {
	h := s.candidates
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if h[c].before(h[least].person) {
				least = c
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
