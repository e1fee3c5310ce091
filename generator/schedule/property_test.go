package schedule

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var tight = Limits{Memory: 1000, Weights: 100, MaxLanes: 8}

// drawJob draws a job that the tight limits can just do.
func drawJob(t *rapid.T, models int) *Job {
	j := &Job{
		Person:    rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "person"),
		Weight:    rapid.SampledFrom([]float64{0.25, 1, 4}).Draw(t, "weight"),
		Group:     rapid.IntRange(0, 2).Draw(t, "group"),
		Lanes:     rapid.IntRange(1, 2).Draw(t, "lanes"),
		Calls:     rapid.SliceOfN(rapid.IntRange(1, 12), 1, 4).Draw(t, "calls"),
		Cost:      rapid.SampledFrom([]float64{0.5, 1, 3}).Draw(t, "cost"),
		RowBytes:  rapid.SampledFrom([]int64{10, 100, 400}).Draw(t, "row bytes"),
		LaneBytes: rapid.SampledFrom([]int64{10, 100, 200}).Draw(t, "lane bytes"),
	}
	j.DecodeBytes = rapid.SampledFrom([]int64{0, 50, 200}).Draw(t, "decode bytes")
	m := rapid.IntRange(0, models-1).Draw(t, "model")
	j.Model = Model{fmt.Sprint("model ", m), int64(30 + 20*m)}
	if rapid.Bool().Draw(t, "lockstep") {
		calls := j.Calls
		j.Timestep = func(row, call int) float64 { return float64(calls[row] - call) }
	}
	return j
}

func drawTrace(t *rapid.T, models int) []arrival {
	trace := make([]arrival, rapid.IntRange(1, 25).Draw(t, "jobs"))
	for i := range trace {
		trace[i].at = seconds(float64(rapid.IntRange(0, 30).Draw(t, "at")))
		trace[i].job = drawJob(t, models)
		if rapid.IntRange(0, 4).Draw(t, "cancelled") == 0 {
			trace[i].cancel = trace[i].at + seconds(float64(rapid.IntRange(1, 200).Draw(t, "cancel"))/10)
		}
	}
	return trace
}

func drawDevice(t *rapid.T) device {
	return device{
		base:   rapid.Float64Range(0.01, 0.5).Draw(t, "base"),
		lane:   rapid.Float64Range(0.001, 0.5).Draw(t, "lane"),
		load:   rapid.Float64Range(0, 5).Draw(t, "load") * (1 << 30) / 50,
		decode: seconds(rapid.Float64Range(0, 3).Draw(t, "decode")),
	}
}

// A ledger keeps its own books of what a scheduler hands out, and fails when they show a promise broken.
type ledger struct {
	t       *rapid.T
	w       *world
	made    map[*Row]int
	joined  map[*Row]bool
	loaded  map[Model]bool
	history []string
}

func watch(t *rapid.T, w *world) *ledger {
	l := &ledger{t: t, w: w, made: map[*Row]int{}, joined: map[*Row]bool{}, loaded: map[Model]bool{}}
	w.check, w.after = l.decision, l.memory
	return l
}

func (l *ledger) decision(d Decision) {
	for _, m := range d.Unload {
		if !l.loaded[m] || len(l.w.call) > 0 && l.w.call[0].Job.Model == m {
			l.t.Fatalf("%v is unloaded, and is in use or not there", m)
		}
		delete(l.loaded, m)
	}
	if d.Load != nil {
		if l.loaded[*d.Load] {
			l.t.Fatalf("%v is loaded twice", *d.Load)
		}
		l.loaded[*d.Load] = true
	}
	var weights int64
	for m := range l.loaded {
		weights += m.Bytes
	}
	if weights > l.w.limits.Weights {
		l.t.Fatalf("models take %d bytes of %d", weights, l.w.limits.Weights)
	}
	if d.Call != nil {
		l.called(d.Call)
	}
	l.history = append(l.history, fmt.Sprint(l.w.now, d.Unload, d.Load != nil, len(d.Call)))
}

func (l *ledger) called(call []*Row) {
	first := call[0]
	if !l.loaded[first.Job.Model] || l.w.coming != nil && l.w.coming.Model == first.Job.Model {
		l.t.Fatalf("a call is made of %v, which is not loaded", first.Job.Model)
	}
	sum := 0
	for i, r := range call {
		sum += r.Job.Lanes
		l.joined[r] = true
		if l.made[r] != r.Made() {
			l.t.Fatalf("a row made %d calls and says %d", l.made[r], r.Made())
		}
		if l.made[r]++; l.made[r] > r.Job.Calls[r.Index] || slices.Contains(call[:i], r) {
			l.t.Fatalf("a row makes too many calls")
		}
		if r.Job.Model != first.Job.Model || r.Job.Group != first.Job.Group || !r.together(first) {
			l.t.Fatalf("rows that differ share a call")
		}
		if !slices.Contains(l.w.jobs, r.Job) {
			l.t.Fatalf("a job is called that was removed or is done")
		}
		l.history = append(l.history, fmt.Sprint(r.Job.Person, r.Index, r.Made()))
	}
	if sum > l.w.limits.MaxLanes {
		l.t.Fatalf("a call has %d lanes", sum)
	}
}

// memory looks at the order of rows, and adds up what is held by the scheduler's list, which must cover every row seen in a call until it is released.
func (l *ledger) memory() {
	for _, j := range l.w.jobs {
		if !slices.IsSortedFunc(j.order, func(a, b *Row) int { return a.left - b.left }) {
			l.t.Fatal("rows are not in order of the calls they have to come")
		}
	}
	var used, aside int64
	for _, r := range l.w.held {
		used += r.Job.RowBytes
		aside = max(aside, r.Job.DecodeBytes)
	}
	for r := range l.joined {
		if r.joined != slices.Contains(l.w.held, r) {
			l.t.Fatal("a row holds memory and is not counted, or the other way round")
		}
	}
	if len(l.w.call) > 0 {
		used += int64(lanes(l.w.call)) * l.w.call[0].Job.LaneBytes
	}
	if used+aside > l.w.limits.Memory {
		l.t.Fatalf("%d bytes of memory are used of %d", used+aside, l.w.limits.Memory)
	}
}

// Whatever comes and goes, every row makes exactly its calls, no budget is exceeded, and nothing is left behind.
func TestEverythingIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trace := drawTrace(t, 3)
		w := newWorld(tight, drawDevice(t), trace)
		l := watch(t, w)
		w.run()
		if len(w.jobs) > 0 || len(w.persons) > 0 || len(w.held) > 0 || w.memory.total() != 0 || len(w.blocked) > 0 || w.reserved != nil {
			t.Fatalf("left behind: %d jobs, %d persons, %d rows, %v of memory", len(w.jobs), len(w.persons), len(w.held), w.memory)
		}
		for _, a := range trace {
			if _, done := w.result.done[a.job]; !done && a.cancel == 0 {
				t.Fatal("a job is never done")
			}
		}
		for r, n := range l.made {
			if _, done := w.result.done[r.Job]; done && n != r.Job.Calls[r.Index] {
				t.Fatalf("a row of a finished job made %d of %d calls", n, r.Job.Calls[r.Index])
			}
		}
	})
}

// The same events give the same decisions.
func TestDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trace, d := drawTrace(t, 3), drawDevice(t)
		var histories [2][]string
		for i := range histories {
			again := slices.Clone(trace)
			for k := range again {
				j := *again[k].job
				j.state = state{}
				again[k].job = &j
			}
			w := newWorld(tight, d, again)
			l := watch(t, w)
			w.run()
			histories[i] = l.history
		}
		if !slices.Equal(histories[0], histories[1]) {
			t.Fatal("two runs of one trace differ")
		}
	})
}

// Persons who always have rows waiting get their shares, whether their rows fit together or not.
func TestBoundedUnfairness(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		apart := rapid.Bool().Draw(t, "apart")
		s := New(Limits{Memory: math.MaxInt64, MaxLanes: 1 << rapid.IntRange(1, 4).Draw(t, "lanes")})
		d := drawDevice(t)
		var jobs []*Job
		for k := range rapid.IntRange(2, 6).Draw(t, "persons") {
			j := drawJob(t, 1)
			j.Person, j.Model, j.Timestep = fmt.Sprint(k), Model{}, nil
			j.Calls = slices.Repeat([]int{rapid.SampledFrom([]int{5, 40, 1000}).Draw(t, "calls")}, 2000)
			j.LaneBytes, j.Group = 0, 0
			if apart {
				j.Group = k
			}
			jobs = append(jobs, j)
			if err := s.Add(0, j); err != nil {
				t.Fatal(err)
			}
		}
		s.Next(0)
		s.Loaded(0, Model{}, 0)
		served := map[*Job]float64{}
		for range 400 {
			call := s.Next(0).Call
			for _, r := range call {
				served[r.Job] += r.Job.charge()
			}
			s.Done(d.duration(call))
			for _, i := range jobs {
				for _, j := range jobs {
					bound := float64(2*s.limits.MaxLanes)*(i.Cost/i.Weight+j.Cost/j.Weight) + (nearly+4)*i.charge() // of a picture that is finished first
					if apart := served[i] - served[j]; apart > bound {
						t.Fatalf("one had %g credits by weight more than another, above %g", apart, bound)
					}
				}
			}
		}
	})
}

// A job is done when everybody else has had their weighted share meanwhile, and no later.
func TestNobodyStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Memory: math.MaxInt64, Weights: 1000, MaxLanes: 8}
		d := drawDevice(t)
		var trace []arrival
		for k := range rapid.IntRange(2, 12).Draw(t, "persons") {
			j := drawJob(t, 1)
			j.Person, j.Timestep = fmt.Sprint(k), nil
			if rapid.IntRange(0, 3).Draw(t, "hog") == 0 {
				j.Calls = slices.Repeat([]int{100}, 16)
			}
			trace = append(trace, arrival{at: seconds(rapid.Float64Range(0, 60).Draw(t, "at")), job: j})
		}
		done := newWorld(limits, d, trace).run().done
		for _, a := range trace {
			bound := d.loading(a.job.Model) + worst(limits, d, a.job, trace)
			if done[a.job] > bound {
				t.Fatalf("a job of %v calls took %v, more than %v", a.job.Calls, done[a.job], bound)
			}
		}
	})
}

// worst is how long a job may take: its work and what others may have before its last call, in the slowest calls, alone.
func worst(l Limits, d device, j *Job, trace []arrival) time.Duration {
	work := func(o *Job) (tag float64) {
		for _, n := range o.Calls {
			tag += float64(n) * o.charge()
		}
		return tag
	}
	var total float64
	for _, a := range trace {
		o, tag := a.job, work(a.job)
		if o != j {
			ahead := float64(6*l.MaxLanes) * (o.Cost/o.Weight + j.Cost/j.Weight) // of newcomers, and of their last calls
			ahead += nearly * o.charge()                                         // of a picture that is finished first
			tag = min(tag, work(j)+ahead)
		}
		calls := math.Ceil(tag/o.charge()) + 1
		total += calls * d.takes(o, max(o.Lanes, 2)).Seconds()
	}
	return seconds(total * 1.5) // wider calls are tried where they do not pay
}

// teach measures all widths of every group.
func teach(w *world) {
	for key, g := range w.groups {
		for n := 2; n <= w.limits.MaxLanes; n++ {
			j := Job{Group: key.group, Cost: g.cost}
			g.learn(n, w.device.takes(&j, n).Seconds())
			g.learn(n, w.device.takes(&j, n).Seconds())
		}
	}
}

// If nobody else comes and decoding takes no time, jobs are done about when the forecast says, once the device was measured.
func TestExpectComesTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDevice(t)
		d.decode = 0
		const later = 24 * time.Hour
		var trace []arrival
		for k := range rapid.IntRange(1, 12).Draw(t, "jobs") {
			j := drawJob(t, 2)
			j.Calls = slices.Repeat([]int{rapid.SampledFrom([]int{20, 50, 200}).Draw(t, "steps")}, rapid.IntRange(1, 4).Draw(t, "count"))
			j.Person, j.Timestep = fmt.Sprint(k), nil
			j.Cost = float64(1 + j.Group.(int)) // what goes together takes as long
			before := *j
			trace = append(trace, arrival{job: &before}, arrival{at: later, job: j})
		}
		limits := tight
		if rapid.Bool().Draw(t, "ample") {
			limits.Memory = 1 << 20
		}
		w := newWorld(limits, d, trace)
		w.at(later, func() { teach(w) })
		var expect map[*Job]time.Duration
		var asked time.Duration
		ask := later + seconds(rapid.Float64Range(0, 60).Draw(t, "asked"))
		w.check = func(Decision) {
			if expect == nil && w.now > ask {
				expect, asked = w.Expect(w.now), w.now
			}
		}
		done := w.run().done
		for j, e := range expect {
			if truth := later + done[j] - asked; truth > e*3/2 || truth < e*2/3 {
				t.Fatalf("a job of %d x %d calls takes %v, expected %v", len(j.Calls), j.Calls[0], truth, e)
			}
		}
	})
}
