package jobs

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// line is who waits, in the order in which they will be served: start-time fair queuing over people (Goyal, Vin and
// Cheng, 1996) on credits. A person's next job starts, in virtual time, where their last one ended, so that one who asks
// for much waits for those who ask for little. Virtual time moves on with what is served, shared among those who wait,
// so that newcomers cannot keep an older job out for ever.
type line struct {
	mu      sync.Mutex
	waiting []place
	virtual float64
	ends    map[string]float64 // where each person's last job in line or served ends
	coming  map[string]int     // places reserved by people whose job is being written down
	wake    chan struct{}      // holds one: the line is not empty, or was not
}

type place struct {
	job         Job
	person      string
	start, cost float64
}

func newLine() *line {
	return &line{ends: map[string]float64{}, coming: map[string]int{}, wake: make(chan struct{}, 1)}
}

func personOf(j Job) string { return j.Place.Platform + "\x00" + j.Place.Tenant + "\x00" + j.Owner.ID }

// least keeps jobs that cost nothing from being served before all others for ever.
const least = 1e-3

// join puts a job in line, unless it is there.
func (l *line) join(j Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(l.waiting, func(p place) bool { return p.job.ID == j.ID }) {
		return
	}
	p := place{job: j, person: personOf(j), cost: max(j.Credits, least)}
	p.start = max(l.virtual, l.ends[p.person])
	l.ends[p.person] = p.start + p.cost
	at, _ := slices.BinarySearchFunc(l.waiting, p, byStart)
	l.waiting = slices.Insert(l.waiting, at, p)
	poke(l.wake)
}

func byStart(a, b place) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.job.ID, b.job.ID))
}

// leave takes a job out of line, so that its owner's later ones move up; false if it does not wait.
func (l *line) leave(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.IndexFunc(l.waiting, func(p place) bool { return p.job.ID == id })
	if at < 0 {
		return false
	}
	gone := l.waiting[at]
	l.waiting = slices.Delete(l.waiting, at, at+1)
	for i := range l.waiting {
		if p := &l.waiting[i]; p.person == gone.person && p.start > gone.start {
			p.start -= gone.cost
		}
	}
	l.ends[gone.person] -= gone.cost
	slices.SortFunc(l.waiting, byStart)
	return true
}

// next waits for the first in line and takes it out.
func (l *line) next(ctx context.Context) (Job, error) {
	for {
		if j, ok := l.pop(); ok {
			return j, nil
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
			return Job{}, ctx.Err()
		}
	}
}

func (l *line) pop() (Job, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return Job{}, false
	}
	first := l.waiting[0]
	l.virtual = max(l.virtual, first.start) + first.cost/float64(l.people())
	l.waiting = slices.Delete(l.waiting, 0, 1)
	for person, end := range l.ends {
		if end <= l.virtual {
			delete(l.ends, person) // as if they had never asked
		}
	}
	return first.job, true
}

// people counts who waits.
func (l *line) people() int {
	seen := map[string]bool{}
	for _, p := range l.waiting {
		seen[p.person] = true
	}
	return len(seen)
}

// order lists the jobs that wait, first to last.
func (l *line) order() []Job {
	l.mu.Lock()
	defer l.mu.Unlock()
	jobs := make([]Job, len(l.waiting))
	for i, p := range l.waiting {
		jobs[i] = p.job
	}
	return jobs
}

// reserve takes a place for somebody's next job, of so many for all, a quarter of them for one person; false if there is
// none. Release follows it, after the job has joined or when it will not.
func (l *line) reserve(person string, places int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all, theirs := len(l.waiting), l.coming[person]
	for _, p := range l.waiting {
		if p.person == person {
			theirs++
		}
	}
	for _, n := range l.coming {
		all += n
	}
	if all >= places || theirs >= max(1, places/4) {
		return false
	}
	l.coming[person]++
	return true
}

// release gives a reserved place up.
func (l *line) release(person string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.coming[person]--; l.coming[person] == 0 {
		delete(l.coming, person)
	}
}

// poke puts a token into a channel that holds one.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
