package schedule

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// ready returns a scheduler with the jobs, and their models loaded.
func ready(tb testing.TB, l Limits, jobs ...*Job) *Scheduler {
	tb.Helper()
	s := New(l)
	add(tb, s, jobs...)
	for m := s.change(0); m != nil; m = s.change(0) {
		s.Loaded(0, m.Model, time.Second)
	}
	return s
}

func add(tb testing.TB, s *Scheduler, jobs ...*Job) {
	tb.Helper()
	for _, j := range jobs {
		if err := s.Add(0, j); err != nil {
			tb.Fatal(err)
		}
	}
}

// step makes a call, and returns how many rows of each person it had.
func step(s *Scheduler, d device) map[string]int {
	call := s.Next(0).Call
	had := map[string]int{}
	for _, r := range call {
		had[r.Job.Person]++
	}
	if len(call) > 0 {
		for _, r := range s.Done(d.duration(call)) {
			s.Release(r)
		}
	}
	return had
}

func TestAddRefuses(t *testing.T) {
	change := func(f func(*Job)) *Job {
		j := picture("a", 1, 10)
		f(j)
		return j
	}
	tests := []struct {
		name string
		job  *Job
		want error
	}{
		{"a model larger than the budget", change(func(j *Job) { j.Model.Bytes = roomy.Weights + 1 }), ErrNever},
		{"a row larger than memory", change(func(j *Job) { j.RowBytes = roomy.Memory + 1 }), ErrNever},
		{"a call larger than memory", change(func(j *Job) { j.LaneBytes = math.MaxInt64 }), ErrNever},
		{"more lanes than a call has", change(func(j *Job) { j.Lanes = 17 }), ErrNever},
		{"no weight", change(func(j *Job) { j.Weight = 0 }), ErrInvalid},
		{"a cost that is no number", change(func(j *Job) { j.Cost = math.NaN() }), ErrInvalid},
		{"no rows", change(func(j *Job) { j.Calls = nil }), ErrInvalid},
		{"a row without calls", change(func(j *Job) { j.Calls[0] = 0 }), ErrInvalid},
		{"negative bytes", change(func(j *Job) { j.RowBytes = -1 }), ErrInvalid},
	}
	for _, tt := range tests {
		if err := New(roomy).Add(0, tt.job); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
	s, j := New(roomy), picture("a", 1, 10)
	add(t, s, j)
	if err := s.Add(0, j); !errors.Is(err, ErrInvalid) {
		t.Errorf("the same job twice: got %v, want %v", err, ErrInvalid)
	}
}

func TestManyJobsAreOneShare(t *testing.T) {
	l := roomy
	l.MaxLanes = 2
	s := ready(t, l, picture("many", 8, 100), picture("many", 8, 100), picture("many", 8, 100), picture("one", 1, 200))
	had := map[string]int{}
	for range 100 {
		for p, n := range step(s, cpu) {
			had[p] += n
		}
	}
	if had["many"] != 50 || had["one"] != 50 {
		t.Errorf("got %v, want 50 each", had)
	}
}

func TestWeightsAreShares(t *testing.T) {
	l := roomy
	l.MaxLanes = 2
	high, normal, low := picture("high", 1, 1000), picture("normal", 1, 1000), picture("low", 1, 1000)
	high.Weight, low.Weight = 4, 0.25
	s := ready(t, l, high, normal, low)
	had := map[string]int{}
	for range 210 {
		for p, n := range step(s, cpu) {
			had[p] += n
		}
	}
	for p, want := range map[string]int{"high": 160, "normal": 40, "low": 10} {
		if got := had[p]; max(got-want, want-got) > 4 {
			t.Errorf("%s has %d calls, want about %d", p, got, want)
		}
	}
}

func TestNewcomerIsServedAtOnce(t *testing.T) {
	s := ready(t, roomy, picture("hog", 64, 1000))
	for range 100 {
		step(s, gpu)
	}
	add(t, s, picture("late", 1, 30))
	for call := range 30 {
		if step(s, gpu)["late"] != 1 {
			t.Fatalf("call %d passes the newcomer over", call)
		}
	}
}

func TestStreamOfNewcomersKeepsNobodyOut(t *testing.T) {
	l := roomy
	l.MaxLanes = 2
	s := ready(t, l, picture("old", 1, 20))
	calls := 0
	for k := 0; s.named["old"] != nil; k++ {
		add(t, s, picture(fmt.Sprint("new ", k), 1, 1))
		step(s, cpu)
		if calls++; calls > 300 {
			t.Fatal("300 newcomers kept somebody out")
		}
	}
}

func TestReturningIsNoNewcomer(t *testing.T) {
	l := roomy
	l.MaxLanes = 8
	s := ready(t, l, picture("patient", 4, 1000))
	had := 0
	for range 100 {
		if s.named["quick"] == nil {
			quick := picture("quick", 4, 1)
			quick.Group = "another"
			add(t, s, quick)
		}
		had += step(s, gpu)["quick"]
	}
	if had > 210 {
		t.Errorf("somebody has %d of 400 rows by asking for more as soon as they are done", had)
	}
}

// Lanes that nobody else could use are not held against who filled them.
func TestFillingIsNotHeldAgainstAnyone(t *testing.T) {
	s := ready(t, roomy, picture("hog", 8, 5000), picture("one", 1, 5000))
	for range 1000 {
		step(s, gpu)
	}
	add(t, s, picture("one", 8, 5000))
	for call := 1; step(s, gpu)["hog"] == 0; call++ {
		if call > 4 {
			t.Fatalf("who filled lanes is left out of %d calls", call)
		}
	}
}

// Who waited for memory has it first, and then no more than their share.
func TestWaitingForMemoryIsNotOwed(t *testing.T) {
	shape := func(person string, bytes int64, calls int) *Job {
		return &Job{Person: person, Weight: 1, Lanes: 2, Cost: 1, Calls: []int{calls}, RowBytes: bytes}
	}
	s := ready(t, Limits{Memory: 1000, MaxLanes: 2}, shape("first", 600, 100), shape("second", 600, 100), shape("small", 100, 500))
	for range 200 {
		step(s, cpu)
	}
	had := map[string]int{}
	for range 20 {
		for p, n := range step(s, cpu) {
			had[p] += n
		}
	}
	if had["second"] < 9 || had["small"] < 9 {
		t.Errorf("got %v after memory came free, want about 10 each", had)
	}
}

// Where wide calls do not pay, equal requests are done one after the other, and one with less to do goes first when it is its turn.
func TestBegunPicturesAreFinished(t *testing.T) {
	l := roomy
	l.MaxLanes = 2
	s := ready(t, l, picture("first", 1, 20), picture("second", 1, 20), picture("third", 1, 20))
	var order []string
	took := func(n int) {
		for range n {
			for p := range step(s, cpu) {
				if len(order) == 0 || order[len(order)-1] != p {
					order = append(order, p)
				}
			}
		}
	}
	took(25)
	add(t, s, picture("late", 1, 3))
	took(38)
	if want := []string{"first", "second", "third", "late", "third"}; !slices.Equal(order, want) {
		t.Errorf("calls went to %v, want %v", order, want)
	}
}

func TestPicturesComeOneAfterAnother(t *testing.T) {
	l := roomy
	l.MaxLanes = 2
	s := ready(t, l, picture("a", 3, 10))
	var done []int
	for call := 1; call <= 30; call++ {
		s.Next(0)
		for _, r := range s.Done(time.Second) {
			done = append(done, call)
			s.Release(r)
		}
	}
	if want := []int{10, 20, 30}; !slices.Equal(done, want) {
		t.Errorf("pictures are done after calls %v, want %v", done, want)
	}
}

func TestWidthFollowsTheDevice(t *testing.T) {
	linear := device{base: 0.01, lane: 0.4}
	knee := device{base: 0.8, lane: 0.4} // 2 lanes 0.8 each, 4 0.6, 8 0.5, 16 0.45, 32 0.425
	for _, tt := range []struct {
		name string
		device
		want int
	}{{"CPU", linear, 2}, {"GPU", gpu, 64}, {"one with a knee", knee, 32}} {
		l := Limits{Memory: 1 << 40, Weights: 4 << 30, MaxLanes: 64}
		s := ready(t, l, picture("a", 64, 1000))
		for range 30 {
			step(s, tt.device)
		}
		if s.Next(0); lanes(s.call) != tt.want {
			t.Errorf("%s: got %d lanes, want %d", tt.name, lanes(s.call), tt.want)
		}
	}
}

func TestCancelDuringCall(t *testing.T) {
	gone, stays := picture("gone", 2, 1), picture("stays", 1, 1)
	s := ready(t, roomy, gone, stays)
	for range 3 { // until calls are wide
		s.Next(0)
		s.Remove(gone)
		for _, r := range s.Done(time.Millisecond) {
			if r.Job == gone {
				t.Fatal("a row is returned that was removed during its call")
			}
			s.Release(r)
		}
	}
	if s.memory.total() != 0 || len(s.persons) != 0 {
		t.Errorf("left behind: %v of memory and %d persons", s.memory, len(s.persons))
	}
}

// A picture that needs most of the memory gets its turn among ever new small ones, and they get theirs after it.
func TestBigPictureAmongSmallOnes(t *testing.T) {
	l := Limits{Memory: 1000, Weights: 1, MaxLanes: 8}
	shape := func(person string, bytes int64, calls int) *Job {
		return &Job{Person: person, Weight: 1, Lanes: 2, Cost: 1, Calls: []int{calls}, RowBytes: bytes, Group: bytes}
	}
	s := ready(t, l, shape("small 0", 300, 7), shape("small 1", 300, 13))
	add(t, s, shape("big", 900, 10))
	big, small := 0, 0
	for k := range 400 {
		if k%5 == 0 {
			add(t, s, shape(fmt.Sprint("small ", k+2), 300, 10))
		}
		had := step(s, gpu)
		if had["big"] > 0 {
			big++
		}
		if big < 10 && k > 100 {
			t.Fatalf("the big picture made %d calls out of %d", big, k)
		}
		if big == 10 {
			small += len(had) - had["big"]
		}
	}
	if small < 300 {
		t.Errorf("small pictures made %d calls after the big one", small)
	}
}

func TestCallsNarrowWithMemory(t *testing.T) {
	j := picture("a", 64, 1000)
	s := ready(t, Limits{Memory: j.RowBytes*8 + j.DecodeBytes + j.LaneBytes*6, Weights: 4 << 30, MaxLanes: 64}, j)
	for range 30 {
		step(s, gpu)
	}
	if s.Next(0); lanes(s.call) != 6 {
		t.Errorf("got %d lanes, want 6", lanes(s.call))
	}
}

func TestNextTakesNoMemory(t *testing.T) {
	s := crowd(t, 200)
	if n := testing.AllocsPerRun(100, func() { s.Next(0); s.Done(time.Second) }); n > 0 {
		t.Errorf("a call allocates %v times", n)
	}
}
