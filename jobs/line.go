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

// await waits until somebody is in line.
func (l *line) await(ctx context.Context) error {
	for {
		l.mu.Lock()
		n := len(l.waiting)
		l.mu.Unlock()
		if n > 0 {
			return ctx.Err()
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pop takes out the first job, of those whose owner is eligible; nil is everybody.
func (l *line) pop(eligible func(person string) bool) (Job, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.IndexFunc(l.waiting, func(p place) bool { return eligible == nil || eligible(p.person) })
	if at < 0 {
		return Job{}, false
	}
	taken := l.waiting[at]
	l.virtual = max(l.virtual, taken.start) + taken.cost/float64(l.people())
	l.waiting = slices.Delete(l.waiting, at, at+1)
	for person, end := range l.ends {
		if end <= l.virtual {
			delete(l.ends, person) // as if they had never asked
		}
	}
	return taken.job, true
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

// reserve takes a place for somebody's next job, of so many for all, a quarter of them for one person, or returns
// ErrBusy or ErrTooMany. Release follows it, after the job has joined or when it will not.
func (l *line) reserve(person string, places int) error {
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
	switch {
	case all >= places:
		return ErrBusy
	case theirs >= max(1, places/4):
		return ErrTooMany
	}
	l.coming[person]++
	return nil
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
