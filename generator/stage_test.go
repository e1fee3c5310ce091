package generator

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
)

func refined(share float64) imagine.Request {
	return imagine.Request{
		Prompt: "a red fox", Width: 48, Height: 48, Count: 2, Seed: 7, Sampler: "euler_a", Steps: 10, Guidance: 3, Refiner: "refiner", RefineAt: share,
	}
}

// Each call of a run belongs to one of two models, but for the half step that samplers of two calls a step leave to be done again.
func TestStagesShareARun(t *testing.T) {
	e := several(t, 0, "sdxl", "refiner")
	for _, name := range sampler.Names() {
		for _, share := range []float64{0.2, 0.5, 0.8} {
			r := refined(share)
			r.Sampler = name
			list, err := stages(e.kits, r)
			if err != nil {
				t.Fatal(err)
			}
			base, refiner := list[0], list[1]
			first, err := base.timesteps()
			if err != nil {
				t.Fatal(err)
			}
			second, err := refiner.timesteps()
			if err != nil {
				t.Fatal(err)
			}
			alone, err := whole(e.kits[0], r).timesteps()
			if err != nil {
				t.Fatal(err)
			}
			if again := len(first) + len(second) - len(alone); again != 0 && (again != 1 || !twice(name)) {
				t.Errorf("%s at %v: %d calls and %d, and alone it takes %d", name, share, len(first), len(second), len(alone))
			}
			if cutoff := 1000 * (1 - share); first[len(first)-1] < cutoff || second[len(second)-1] >= cutoff {
				t.Errorf("%s at %v: %v and %v", name, share, first, second)
			}
			if base.after != len(second) || refiner.before != len(first) || e.Calls(r) != len(first)+len(second) {
				t.Errorf("%s at %v: %d after %d, and %d in all", name, share, base.after, refiner.before, e.Calls(r))
			}
		}
	}
}

// The same pictures come whether both models are loaded at once or take turns, alone or in company.
func TestRefinedAgain(t *testing.T) {
	want := paint(t, several(t, 0, "sdxl", "refiner"), refined(0.7))
	e := several(t, 1, "sdxl", "refiner")
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if got := paint(t, e, refined(0.7)); !same(got, want) {
				t.Error("other pictures")
			}
		})
	}
	all.Go(func() {
		r := refined(0)
		r.Refiner = ""
		if got := paint(t, e, r); same(got, want) {
			t.Error("the refiner makes no difference")
		}
	})
	all.Wait()
}

// Calls are counted over both stages, and never go back.
func TestRefinedEvents(t *testing.T) {
	e := several(t, 0, "sdxl", "refiner")
	calls, total := 0, 2*e.Calls(refined(0.7))
	_, err := e.Paint(t.Context(), refined(0.7), imagine.Watcher{Event: func(ev imagine.Event) {
		if ev.Calls < calls || ev.Calls > calls+1 || ev.Total != total {
			t.Errorf("%d of %d calls after %d", ev.Calls, ev.Total, calls)
		}
		calls = ev.Calls
	}})
	if err != nil || calls != total {
		t.Errorf("%d of %d calls, %v", calls, total, err)
	}
}

func TestRefinersThatCannot(t *testing.T) {
	e := several(t, 0, "sdxl", "refiner", "inpaint")
	init := &imagine.Source{Image: readPNG(t, "init.png")}
	tests := []struct {
		name, field string
		change      func(*imagine.Request)
	}{
		{"unknown", "refiner", func(r *imagine.Request) { r.Refiner = "another" }},
		{"for masks", "refiner", func(r *imagine.Request) { r.Refiner = "inpaint" }},
		{"within a mask", "refiner", func(r *imagine.Request) { r.Init, r.Mask, r.Strength = init, init, 1 }},
		{"all", "refine-at", func(r *imagine.Request) { r.RefineAt = 1 }},
		{"not said when", "refine-at", func(r *imagine.Request) { r.RefineAt = 0 }},
		{"no refiner", "refine-at", func(r *imagine.Request) { r.Refiner = "" }},
		{"none of few steps", "refine-at", func(r *imagine.Request) { r.Steps = 1 }},
		{"none for the first", "refine-at", func(r *imagine.Request) { r.Init, r.Strength, r.RefineAt = init, 0.3, 0.5 }},
	}
	for _, tt := range tests {
		r := refined(0.8)
		tt.change(&r)
		var invalid *imagine.InvalidError
		if err := e.Check(r); !errors.As(err, &invalid) || invalid.Field != tt.field {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := Check(1<<30, refined(0.8), folder(t, filepath.Join(families, "sdxl")), folder(t, filepath.Join(families, "refiner"))); err != nil {
		t.Error(err)
	}
}
