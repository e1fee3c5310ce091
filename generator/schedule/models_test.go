package schedule

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// of is a job for a model of so many bytes.
func of(person, model string, bytes int64, calls int) *Job {
	j := picture(person, 1, calls)
	j.Model = Model{model, bytes}
	return j
}

func TestModelsStayWhileTheyFit(t *testing.T) {
	var trace []arrival
	for k := range 40 {
		trace = append(trace, arrival{at: time.Duration(k) * 10 * time.Second, job: of(fmt.Sprint(k), fmt.Sprint("m", k%2), 2<<30, 10)})
	}
	if n := newWorld(roomy, gpu, trace).run().switches; n != 2 {
		t.Errorf("%d loads of two models that both fit", n)
	}
}

func TestLeastRecentlyUsedGoes(t *testing.T) {
	l := Limits{Memory: 1 << 40, Weights: 2, MaxLanes: 8}
	s := New(l)
	var gone []Model
	for k, name := range []string{"a", "b", "a", "c"} {
		now := time.Duration(k) * time.Minute
		j := of("", name, 1, 1)
		if err := s.Add(now, j); err != nil {
			t.Fatal(err)
		}
		if d := s.Next(now); d.Load != nil {
			gone = append(gone, d.Unload...)
			s.Loaded(now, *d.Load, time.Second)
			s.Next(now)
		}
		for _, r := range s.Done(time.Second) {
			s.Release(r)
		}
	}
	if want := []Model{{"b", 1}}; !slices.Equal(gone, want) {
		t.Errorf("unloaded %v, want %v", gone, want)
	}
}

// Two models of which one fits take turns, each long enough to be worth its loading, and both persons get about as much.
func TestSwitchingIsWorthIt(t *testing.T) {
	a, b := of("a", "a", 4<<30, 5000), of("b", "b", 4<<30, 5000)
	w := newWorld(roomy, gpu, []arrival{{job: a}, {at: time.Second, job: b}})
	var served [2]int
	w.after = func() {
		served = [2]int{served[0], served[1]}
		for i, j := range []*Job{a, b} {
			if len(j.order) > 0 {
				served[i] = j.order[0].Made()
			}
		}
		if quantum := 1200; w.now > 30*time.Second && len(w.jobs) == 2 && max(served[0]-served[1], served[1]-served[0]) > quantum {
			t.Fatalf("after %v one made %d calls and the other %d", w.now, served[0], served[1])
		}
	}
	r := w.run()
	if load, work := 4*time.Duration(r.switches)*time.Second, r.busy; load > work/4 {
		t.Errorf("%d loads take %v of %v", r.switches, load, work)
	}
	if r.switches < 4 {
		t.Errorf("%d loads: they took no turns", r.switches)
	}
}

func TestLoadingGoesOnBesideCalls(t *testing.T) {
	s := ready(t, roomy, of("a", "a", 2<<30, 100))
	add(t, s, of("b", "b", 2<<30, 100))
	d := s.Next(0)
	if d.Load == nil || d.Load.Name != "b" || len(d.Unload) > 0 || len(d.Call) != 1 {
		t.Errorf("got %+v, want a call of a and a load of b", d)
	}
}

// A model is needed for decoding after the last call.
func TestModelStaysUntilItsPicturesAreDelivered(t *testing.T) {
	s := ready(t, roomy, of("a", "a", 4<<30, 1))
	add(t, s, of("b", "b", 4<<30, 1))
	s.Next(0)
	done := s.Done(time.Second)
	if d := s.Next(time.Hour); len(done) != 1 || d.Load != nil {
		t.Fatalf("got %+v while a picture waits to be decoded, want nothing", d)
	}
	s.Release(done[0])
	if d := s.Next(time.Hour); d.Load == nil || len(d.Unload) != 1 {
		t.Errorf("got %+v, want b for a", d)
	}
}

func TestLoadFailedRemovesJobs(t *testing.T) {
	s := New(roomy)
	broken, fine := of("a", "broken", 4<<30, 1), of("b", "fine", 4<<30, 1)
	add(t, s, broken, fine)
	d := s.Next(0)
	if failed := s.LoadFailed(*d.Load); len(failed) != 1 || failed[0] != broken {
		t.Fatalf("got %v, want the job of the broken model", failed)
	}
	if d := s.Next(0); d.Load == nil || d.Load.Name != "fine" {
		t.Errorf("got %+v, want the other model", d)
	}
}

// A model stays for jobs that are getting ready for it, though another is asked for: else two models could drive each other out
// for ever before a text is read.
func TestModelWaitsForItsTexts(t *testing.T) {
	s := New(roomy)
	a, b := of("a", "a", 4<<30, 1), of("b", "b", 4<<30, 1)
	a.Waiting, b.Waiting = true, true
	add(t, s, a, b)
	d := s.Next(0)
	if d.Load == nil || d.Load.Name != "a" {
		t.Fatalf("got %+v, want a", d)
	}
	s.Loaded(0, *d.Load, time.Second)
	if d := s.Next(time.Second); d.Load != nil {
		t.Fatalf("got %+v before a's texts can be read", d)
	}
	s.Remove(a)
	if d := s.Next(time.Second); d.Load == nil || d.Load.Name != "b" || len(d.Unload) != 1 {
		t.Errorf("got %+v, want b when nobody waits for a", d)
	}
}

// A large job for a model that is away has its turn beside a stream of small ones, as it has when its model is there.
func TestLargeJobOfAModelThatIsAway(t *testing.T) {
	small, large := Model{"small", 50}, Model{"large", 50}
	for name, weights := range map[string]int64{"away": 60, "here": 200} {
		t.Run(name, func(t *testing.T) {
			s := New(Limits{Memory: 100, Weights: weights, MaxLanes: 4})
			now := time.Duration(0)
			s.Here(now, small, time.Second)
			if name == "here" {
				s.Here(now, large, time.Second)
			}
			few := func(person string) {
				add(t, s, &Job{Person: person, Weight: 1, Model: small, Lanes: 2, Calls: []int{8}, Cost: 1, RowBytes: 5})
			}
			few("a")
			big := &Job{Person: "b", Weight: 1, Model: large, Lanes: 2, Calls: []int{8}, Cost: 1, RowBytes: 98}
			for call := range 100 {
				if call == 2 {
					add(t, s, big)
				}
				if call%3 == 0 { // so that two or more are there at any time
					few([]string{"c", "a", "d"}[call/3%3])
				}
				d := s.Next(now)
				if d.Load != nil || len(d.Call) > 0 && d.Call[0].Job == big {
					return
				}
				now += time.Second
				for _, r := range s.Done(time.Second) {
					s.Release(r)
				}
			}
			t.Error("it had no turn in 100 calls")
		})
	}
}

// Of three models with room for two, one whose job takes long to get ready stays until it is.
func TestModelWithALongPreparation(t *testing.T) {
	a, b, c := Model{"a", 50}, Model{"b", 50}, Model{"c", 50}
	s := New(Limits{Memory: 1000, Weights: 100, MaxLanes: 4})
	now, here := time.Duration(0), time.Duration(-1)
	s.Here(now, a, time.Second)
	of := func(person string, m Model, waiting bool) *Job {
		j := &Job{Person: person, Weight: 1, Model: m, Lanes: 2, Calls: []int{20}, Cost: 1, RowBytes: 1, Waiting: waiting}
		add(t, s, j)
		return j
	}
	others := map[Model]*Job{}
	job := of("b", b, true)
	var loading *Model
	for now < time.Hour {
		for _, m := range []Model{a, c} {
			if j := others[m]; j == nil || j.person == nil {
				others[m] = of(m.Name, m, false)
			}
		}
		if loading != nil {
			s.Loaded(now, *loading, time.Second)
			if *loading == b {
				here = now
			}
			loading = nil
		}
		d := s.Next(now)
		if slices.Contains(d.Unload, b) {
			here = -1
		}
		if d.Load != nil {
			m := *d.Load
			loading = &m
		}
		for _, r := range s.Done(time.Second) {
			s.Release(r)
		}
		now += time.Second
		if here >= 0 && now-here >= 12*time.Second {
			s.Ready(job)
			return
		}
	}
	t.Error("not ready in an hour")
}

// What it takes to get ready leaves less room for rows.
func TestEncodingIsCounted(t *testing.T) {
	s := New(Limits{Memory: 100, MaxLanes: 4})
	s.Here(0, Model{}, 0)
	encodes := &Job{Person: "a", Weight: 1, Lanes: 1, Calls: []int{1}, Cost: 1, RowBytes: 10, EncodeBytes: 60, Waiting: true}
	add(t, s, encodes, &Job{Person: "b", Weight: 1, Lanes: 1, Calls: []int{3, 3, 3, 3, 3, 3}, Cost: 1, RowBytes: 15})
	for range 3 {
		if s.Next(0); s.Held() != 30 {
			t.Errorf("%d bytes are held beside an encoding of 60", s.Held())
		}
		s.Done(0)
	}
	s.Ready(encodes)
	if s.Next(0); s.Held() <= 30 {
		t.Errorf("%d bytes are held after it", s.Held())
	}
}
