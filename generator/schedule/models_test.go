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
