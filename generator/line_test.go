package generator

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
)

// fixed is a sampler of so many calls, and nothing else.
type fixed struct {
	sampler.Sampler
	calls int
}

func (f fixed) Timesteps() []float64 { return make([]float64, f.calls) }

// fake returns the rows of a request that only a line can tell apart.
func fake(tb testing.TB, count int, guidance float64, p place) []*row {
	tb.Helper()
	j := newJob(tb.Context(), imagine.Request{Count: count, Guidance: guidance}, imagine.Watcher{})
	rows := make([]*row, count)
	for k := range rows {
		rows[k] = &row{job: j, index: k, place: p, most: math.MaxInt, sampler: fixed{calls: 1}}
	}
	return rows
}

func samePlace(a, b *row) bool { return a.place == b.place }

func lanesOf(batch []*row, j *job) int {
	n := 0
	for _, r := range batch {
		if j == nil || r.job == j {
			n += r.job.lanes()
		}
	}
	return n
}

func TestLateSmallRequestIsServedAtOnce(t *testing.T) {
	var l line
	rows := l.join(fake(t, 64, 3, place{}))
	for range 100 {
		l.gather(rows, 8, samePlace)
	}
	late := fake(t, 1, 3, place{})
	rows = append(rows, l.join(late)...)
	for call := range 3 {
		if !slices.Contains(l.gather(rows, 8, samePlace), late[0]) {
			t.Errorf("call %d after it joined passes it over", call)
		}
	}
}

func TestLateRequestIsNotOwedThePast(t *testing.T) {
	var l line
	old := l.join(fake(t, 8, 3, place{}))
	for range 100 {
		l.gather(old, 8, samePlace)
	}
	late := l.join(fake(t, 8, 3, place{}))
	rows := append(slices.Clone(old), late...)
	first := l.gather(rows, 8, samePlace)
	if second := l.gather(rows, 8, samePlace); lanesOf(second, old[0].job) == 0 {
		t.Errorf("two calls give the late one %d and %d of 8 lanes, want the old one to have its share by the second",
			lanesOf(first, late[0].job), lanesOf(second, late[0].job))
	}
}

// A request whose rows waited for memory is not owed what it could not use.
func TestIdleRequestIsNotOwedThePast(t *testing.T) {
	var l line
	idle, busy := fake(t, 9, 3, place{}), fake(t, 8, 3, place{})
	rows := l.join(append(slices.Clone(idle[:1]), busy...))
	l.gather(rows, 8, samePlace)
	for range 100 { // while only the other has rows
		l.gather(busy, 8, samePlace)
	}
	rows = append(slices.Clone(busy), l.join(idle[1:])...)
	l.gather(rows, 8, samePlace)
	if second := l.gather(rows, 8, samePlace); lanesOf(second, busy[0].job) == 0 {
		t.Error("the second call after the idle one came back has no lane of the busy one")
	}
}

func TestSharesAreEqual(t *testing.T) {
	tests := []struct {
		name   string
		counts []int
		scales []float64
		lanes  int
	}{
		{"many against few", []int{64, 4}, []float64{3, 3}, 8},
		{"guided against not", []int{16, 16}, []float64{3, 0}, 8},
		{"three", []int{64, 8, 16}, []float64{3, 0, 3}, 12},
		{"fewest lanes", []int{4, 4}, []float64{3, 0}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l line
			var rows []*row
			for i, count := range tt.counts {
				rows = append(rows, l.join(fake(t, count, tt.scales[i], place{}))...)
			}
			had := map[*job]int{}
			for range 300 {
				for _, r := range l.gather(rows, tt.lanes, samePlace) {
					had[r.job] += r.job.lanes()
				}
			}
			least, most := 1<<30, 0
			for _, n := range had {
				least, most = min(least, n), max(most, n)
			}
			if len(had) != len(tt.counts) || most-least > 2 {
				t.Errorf("lanes had are %v, want them equal to within one row", had)
			}
		})
	}
}

// Rows that fit no call together take turns, whoever brings more of them.
func TestNobodyStarvesOverMixedSizes(t *testing.T) {
	var l line
	var rows []*row
	for i := range 5 {
		rows = append(rows, l.join(fake(t, 1+10*i, 3, place{height: i}))...)
	}
	for turn := range 20 {
		served := map[int]bool{}
		for range 5 * 5 { // a call serves up to 4 rows of one request
			served[l.gather(rows, 8, samePlace)[0].place.height] = true
		}
		if len(served) != 5 {
			t.Fatalf("turn %d serves sizes %v alone, want all 5", turn, served)
		}
	}
}

// However many short requests keep coming, who came before them is served.
func TestNewcomersDoNotStarveTheOld(t *testing.T) {
	for _, perCall := range []int{4, 6} {
		t.Run(fmt.Sprint(perCall), func(t *testing.T) {
			var l line
			old := l.join(fake(t, 1, 3, place{}))
			rows := slices.Clone(old)
			served := 0
			for range 100 {
				for range perCall {
					rows = append(rows, l.join(fake(t, 1, 3, place{}))...)
				}
				batch := l.gather(rows, 8, samePlace)
				if slices.Contains(batch, old[0]) {
					served++
				}
				rows = slices.DeleteFunc(rows, func(r *row) bool { return r != old[0] && slices.Contains(batch, r) })
			}
			if served < 5 {
				t.Errorf("it is in %d of 100 calls, want several", served)
			}
		})
	}
}

func TestGatherFillsACall(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var l line
		var rows []*row
		for range rapid.IntRange(1, 6).Draw(rt, "requests") {
			count := rapid.IntRange(1, 5).Draw(rt, "count")
			guidance := rapid.SampledFrom([]float64{0, 1, 1.5, 7}).Draw(rt, "guidance")
			height := rapid.IntRange(1, 2).Draw(rt, "height")
			rows = append(rows, l.join(fake(t, count, guidance, place{height: height}))...)
		}
		lanes := rapid.IntRange(2, 16).Draw(rt, "lanes")
		for range 5 {
			least := slices.MinFunc(rows, func(a, b *row) int { return int(a.job.served - b.job.served) }).job.served
			before := map[*job]float64{}
			for _, r := range rows {
				before[r.job] = r.job.served
			}
			batch := l.gather(rows, lanes, samePlace)
			checkCall(rt, rows, batch, lanes)
			if first := batch[0].job; before[first] != least {
				rt.Errorf("a request that had %v lanes goes first, and one had %v", before[first], least)
			}
		}
	})
}

// checkCall checks that a call holds what fits, once, and that nothing more would fit.
func checkCall(rt *rapid.T, rows, batch []*row, lanes int) {
	seen := map[*row]bool{}
	for _, r := range batch {
		if seen[r] || !slices.Contains(rows, r) {
			rt.Error("a row is in the call twice, or was never there")
		}
		if seen[r] = true; !samePlace(batch[0], r) {
			rt.Error("rows of two sizes share a call")
		}
	}
	used := lanesOf(batch, nil)
	if used > lanes {
		rt.Errorf("%d lanes, and %d are the most", used, lanes)
	}
	for _, r := range rows {
		if !seen[r] && samePlace(batch[0], r) && used+r.job.lanes() <= lanes {
			rt.Errorf("a row of %d lanes is left out of a call with %d of %d lanes", r.job.lanes(), used, lanes)
		}
	}
}
