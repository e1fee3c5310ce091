package schedule

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A device is a model of one: what a call takes by its lanes, and loading by bytes.
type device struct {
	base, lane float64 // seconds: base + lane*n, times the job's cost
	load       float64 // seconds a gigabyte
	decode     time.Duration
}

var (
	cpu = device{base: 0.05, lane: 0.4, load: 1, decode: time.Second}
	gpu = device{base: 0.040, lane: 0.002, load: 1, decode: 50 * time.Millisecond}
)

func (d device) duration(call []*Row) time.Duration {
	return d.takes(call[0].Job, lanes(call))
}

func (d device) takes(j *Job, n int) time.Duration {
	return seconds(j.Cost * (d.base + d.lane*float64(max(n, 2))))
}

func (d device) loading(m Model) time.Duration { return seconds(d.load * float64(m.Bytes) / (1 << 30)) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// An arrival is a job at its time, and when it is cancelled, if ever.
type arrival struct {
	at, cancel time.Duration
	job        *Job
}

// A result is what a run of a trace gave.
type result struct {
	done     map[*Job]time.Duration // latencies until the last call
	busy     time.Duration          // from the first arrival until the last job was done
	lanes    int                    // lanes of calls made for pictures
	lag      float64                // most credits that somebody had in calls that left out another who waited, beyond what that one had
	switches int
}

// A world runs a trace against the real scheduler with a fake clock.
type world struct {
	*Scheduler
	device
	jobs   []*Job
	trace  []arrival
	now    time.Duration
	free   time.Duration  // when the decoder is
	check  func(Decision) // after each decision, if not nil
	after  func()         // each event, if not nil
	events []event
	seq    int
	result result
	lags   map[[2]*Job]float64
	began  map[*Job]time.Duration
}

type event struct {
	at  time.Duration
	seq int
	do  func()
}

func newWorld(l Limits, d device, trace []arrival) *world {
	w := &world{Scheduler: New(l), device: d, trace: trace}
	w.result.done = map[*Job]time.Duration{}
	w.lags = map[[2]*Job]float64{}
	w.began = map[*Job]time.Duration{}
	return w
}

func (w *world) at(at time.Duration, do func()) {
	w.seq++
	e := event{at, w.seq, do}
	i, _ := slices.BinarySearchFunc(w.events, e, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq))
	})
	w.events = slices.Insert(w.events, i, e)
}

// run plays the trace to its end; it panics on jobs that cannot be added.
func (w *world) run() result {
	for _, a := range w.trace {
		w.at(a.at, func() {
			if err := w.Add(w.now, a.job); err != nil {
				panic(err)
			}
			w.jobs = append(w.jobs, a.job)
			w.began[a.job] = w.now
		})
		if a.cancel > 0 {
			w.at(a.cancel, func() { w.leaves(a.job); w.Remove(a.job) })
		}
	}
	for n := 0; len(w.events) > 0; n++ {
		if n > 1e6 {
			panic("the scheduler goes round in circles")
		}
		e := w.events[0]
		w.events = w.events[1:]
		w.now = e.at
		e.do()
		w.decide()
		if w.after != nil {
			w.after()
		}
	}
	return w.result
}

func (w *world) leaves(j *Job) {
	w.jobs = slices.DeleteFunc(w.jobs, func(o *Job) bool { return o == j })
}

func (w *world) decide() {
	d := w.Next(w.now)
	if w.check != nil {
		w.check(d)
	}
	if d.Load != nil {
		w.result.switches++
		m, took := *d.Load, w.device.loading(*d.Load)
		w.at(w.now+took, func() { w.Loaded(w.now, m, took) })
	}
	if d.Call != nil {
		took := w.duration(d.Call)
		w.judge(d.Call)
		w.at(w.now+took, func() { w.ended(took) })
	}
}

func (w *world) ended(took time.Duration) {
	done := slices.Clone(w.Done(took))
	w.deliver(done)
	for _, r := range done {
		if r.Job.person == nil && slices.Contains(w.jobs, r.Job) {
			w.result.done[r.Job] = w.now - w.began[r.Job]
			w.result.busy = w.now
			w.leaves(r.Job)
		}
	}
}

// deliver decodes rows one after another; all at once if that takes no time.
func (w *world) deliver(done []*Row) {
	if w.decode == 0 {
		w.at(w.now, func() {
			for _, r := range done {
				w.Release(r)
			}
		})
		return
	}
	for _, r := range done {
		w.free = max(w.free, w.now) + w.decode
		w.at(w.free, func() { w.Release(r) })
	}
}

// judge keeps the books of fairness, for jobs of different persons with one job each.
func (w *world) judge(call []*Row) {
	had := map[*Job]float64{}
	for _, r := range call {
		had[r.Job] += r.Job.charge()
		w.result.lanes += r.Job.Lanes
	}
	w.result.lag = max(w.result.lag, lag(w.lags, w.jobs, had))
}

func lag(lags map[[2]*Job]float64, jobs []*Job, had map[*Job]float64) (most float64) {
	if len(jobs) > 40 {
		return 0
	}
	for _, i := range jobs {
		for _, j := range jobs {
			if i == j {
				continue
			}
			k := [2]*Job{i, j}
			if own, in := had[i]; in {
				lags[k] = max(0, lags[k]-own)
			} else {
				lags[k] += had[j]
			}
			most = max(most, lags[k])
		}
	}
	return most
}

// one runs a trace one job at a time, first come first served; whole also batches jobs that go together and wait when
// one begins, and nobody joins before all of them are done.
func one(l Limits, d device, trace []arrival) result   { return blocks(l, d, trace, false) }
func whole(l Limits, d device, trace []arrival) result { return blocks(l, d, trace, true) }

func blocks(l Limits, d device, trace []arrival, batch bool) result {
	res := result{done: map[*Job]time.Duration{}}
	waiting := slices.Clone(trace)
	slices.SortStableFunc(waiting, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	var now time.Duration
	var model Model
	lags := map[[2]*Job]float64{}
	for len(waiting) > 0 {
		now = max(now, waiting[0].at)
		first := waiting[0].job
		if first.Model != model {
			model, now = first.Model, now+d.loading(first.Model)
			res.switches++
		}
		var block, rest []arrival
		room := l.MaxLanes
		for _, a := range waiting {
			n := a.job.Lanes * len(a.job.Calls)
			fits := len(block) == 0 || batch && a.at <= now && n <= room && a.job.Model == model && a.job.Group == first.Group
			if fits {
				block, room = append(block, a), room-n
			} else {
				rest = append(rest, a)
			}
		}
		waiting = rest
		now = play(l, d, now, block, trace, lags, &res)
	}
	res.busy = now
	return res
}

// play makes all calls of a block of jobs.
func play(l Limits, d device, now time.Duration, block, trace []arrival, lags map[[2]*Job]float64, res *result) time.Duration {
	type row struct {
		a    arrival
		left int
	}
	var rows []*row
	for _, a := range block {
		for _, n := range a.job.Calls {
			rows = append(rows, &row{a, n})
		}
	}
	for len(rows) > 0 {
		n := 0
		had := map[*Job]float64{}
		for _, r := range rows {
			if n+r.a.job.Lanes <= l.MaxLanes {
				n += r.a.job.Lanes
				r.left--
				had[r.a.job] += r.a.job.charge()
			}
		}
		var jobs []*Job
		for _, a := range trace {
			if _, done := res.done[a.job]; a.at <= now && !done {
				jobs = append(jobs, a.job)
			}
		}
		res.lag = max(res.lag, lag(lags, jobs, had))
		now += d.takes(block[0].job, n)
		res.lanes += n
		rows = slices.DeleteFunc(rows, func(r *row) bool { return r.left == 0 })
		for _, a := range block {
			if _, done := res.done[a.job]; !done && !slices.ContainsFunc(rows, func(r *row) bool { return r.a.job == a.job }) {
				res.done[a.job] = now - a.at
			}
		}
	}
	return now
}

// quantile is of the latencies of jobs of few calls, in seconds.
func (r result) quantile(q float64, calls int) float64 {
	var all []float64
	for j, took := range r.done {
		if j.Calls[0] <= calls {
			all = append(all, took.Seconds())
		}
	}
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

// picture is a job of one person: so many pictures of so many calls under guidance.
func picture(person string, count, calls int) *Job {
	j := &Job{Person: person, Weight: 1, Model: Model{"sd", 2 << 30}, Group: 64, Lanes: 2, Cost: 1, RowBytes: 8 << 20, LaneBytes: 64 << 20, DecodeBytes: 128 << 20}
	for range count {
		j.Calls = append(j.Calls, calls)
	}
	return j
}

var roomy = Limits{Memory: 8 << 30, Weights: 4 << 30, MaxLanes: 16}
