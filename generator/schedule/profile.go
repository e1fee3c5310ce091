package schedule

import (
	"math"
	"slices"
)

const (
	fewPercent = 0.05 // in time per lane that a narrower call, or no further doubling, is worth
	fresh      = 0.2  // weight of a new measurement
	again      = 256  // calls after which the neighbours of the width in use are measured again
	mostGroups = 256  // kept
)

type groupKey struct {
	model     Model
	group     any
	laneBytes int64
}

// A group is rows that may share calls, and what was measured of them.
type group struct {
	model *model
	jobs  int // with calls to come
	used  int // sequence number of the last job, for forgetting
	cost  float64

	calls   int
	samples []sample // by lanes
}

// A sample is what a call of so many lanes takes.
type sample struct {
	lanes, seen int
	seconds     float64
}

func (a sample) perLane() float64 { return a.seconds / float64(a.lanes) }

// known reports whether the device was warm.
func (a sample) known() bool { return a.seen > 1 }

// group returns that of a job.
func (s *Scheduler) group(j *Job) *group {
	key := groupKey{j.Model, j.Group, j.LaneBytes}
	g := s.groups[key]
	if g == nil {
		s.makeRoom()
		g = &group{model: s.model(j.Model)}
		s.groups[key] = g
	}
	g.jobs++
	g.used, g.cost = s.seq, j.Cost
	return g
}

// makeRoom forgets the group that was not used for longest.
func (s *Scheduler) makeRoom() {
	if len(s.groups) < mostGroups {
		return
	}
	var oldest groupKey
	used := math.MaxInt
	for key, g := range s.groups {
		if g.jobs == 0 && g != s.latest && g.used < used {
			oldest, used = key, g.used
		}
	}
	delete(s.groups, oldest)
}

// at finds the sample of a width, or where it belongs.
func (g *group) at(lanes int) (int, bool) {
	return slices.BinarySearchFunc(g.samples, lanes, func(a sample, n int) int { return a.lanes - n })
}

func (g *group) sample(lanes int) sample {
	if i, ok := g.at(lanes); ok {
		return g.samples[i]
	}
	return sample{}
}

// learn takes a measurement.
func (g *group) learn(lanes int, seconds float64) {
	g.calls++
	i, ok := g.at(lanes)
	if !ok {
		g.samples = slices.Insert(g.samples, i, sample{lanes: lanes})
	}
	a := &g.samples[i]
	a.seen++
	if a.seen <= 2 {
		a.seconds = seconds
	} else {
		a.seconds += fresh * (seconds - a.seconds)
	}
}

// width is how many lanes a call should have, of at most as many as there is demand for.
func (g *group) width(demand int) int {
	if n, blank := g.blank(demand); blank {
		return n
	}
	n := g.narrowest(demand)
	switch g.calls % again {
	case again / 2:
		return max(n/2, 2)
	case again - 1:
		return min(n*2, demand)
	}
	return n
}

// blank returns the first width to try by doubling that is not known, if the ones before it give hope.
func (g *group) blank(demand int) (int, bool) {
	for n := 2; ; n *= 2 {
		w := min(n, demand)
		a := g.sample(w)
		if !a.known() {
			return w, true
		}
		if w == demand || n > 2 && a.perLane() > (1-fewPercent)*g.sample(n/2).perLane() {
			return 0, false
		}
	}
}

// narrowest returns the least known width that is about as fast a lane as the best.
func (g *group) narrowest(demand int) int {
	best := math.Inf(1)
	for _, a := range g.samples {
		if a.known() && a.lanes <= demand {
			best = min(best, a.perLane())
		}
	}
	for _, a := range g.samples {
		if a.known() && a.perLane() <= best*(1+fewPercent) {
			return min(a.lanes, demand)
		}
	}
	return demand
}

// seconds is how long a call should take; false if nothing like it was ever measured.
func (s *Scheduler) seconds(g *group, lanes int) (float64, bool) {
	if len(g.samples) > 0 {
		return g.estimate(lanes), true
	}
	o := s.similar(g)
	if o == nil {
		return 0, false
	}
	return o.estimate(lanes) * g.cost / o.cost, true
}

// similar returns the group to judge an unmeasured one by: the last used of its model, else the last one measured.
func (s *Scheduler) similar(g *group) *group {
	best := s.latest
	for _, o := range s.groups {
		if len(o.samples) > 0 && o.model == g.model && (best == nil || best.model != g.model || o.used > best.used) {
			best = o
		}
	}
	return best
}

// estimate goes straight between the nearest measured widths and on beyond them; with a single one, time goes with lanes.
func (g *group) estimate(lanes int) float64 {
	i, ok := g.at(lanes)
	if ok {
		return g.samples[i].seconds
	}
	if len(g.samples) == 1 {
		return g.samples[0].perLane() * float64(lanes)
	}
	i = min(max(i, 1), len(g.samples)-1)
	a, b := g.samples[i-1], g.samples[i]
	slope := max(b.seconds-a.seconds, 0) / float64(b.lanes-a.lanes)
	if lanes < a.lanes {
		return max(a.seconds-slope*float64(a.lanes-lanes), a.perLane()*float64(lanes))
	}
	return a.seconds + slope*float64(lanes-a.lanes)
}
