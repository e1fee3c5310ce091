package generator

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
)

// several opens an engine with some models, of which so many times the weights of the largest may be loaded.
func several(t *testing.T, room float64, names ...string) *Engine {
	t.Helper()
	ready(t)
	o := roomy()
	var folders []*model.Folder
	var largest int64
	for _, name := range names {
		f := folder(t, filepath.Join(families, name))
		folders = append(folders, f)
		largest = max(largest, f.Weight())
	}
	o.Weights = int64(room * float64(largest))
	e, err := Open(o, folders...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngine(t, e) })
	return e
}

// Models come and go as they are asked for, and each request is painted with its own.
func TestModelsComeAndGo(t *testing.T) {
	names := []string{"sd15", "sd2", "sdxl"}
	want := map[string][]imagine.Picture{}
	request := func(name string, seed int64) imagine.Request {
		return imagine.Request{Model: name, Prompt: "a red fox", Width: 48, Height: 48, Count: 2, Seed: seed, Sampler: "euler", Steps: 3, Guidance: 3}
	}
	for _, name := range names {
		e := engine(t, filepath.Join(families, name), roomy())
		for seed := range int64(3) {
			want[fmt.Sprint(name, seed)] = paint(t, e, request(name, seed))
		}
	}
	for _, room := range []float64{1, 2, 0} {
		e := several(t, room, names...)
		var all sync.WaitGroup
		for seed := range int64(3) {
			for _, name := range names {
				all.Go(func() {
					pictures, err := e.Paint(t.Context(), request(name, seed), imagine.Watcher{Person: fmt.Sprint(seed)})
					if err != nil || !same(pictures, want[fmt.Sprint(name, seed)]) {
						t.Errorf("room for %v models, %s with seed %d: got %d pictures and %v, want those painted alone", room, name, seed, len(pictures), err)
					}
				})
			}
		}
		all.Wait()
		e.mu.Lock()
		loaded := 0
		for _, k := range e.kits {
			if k.nets != nil {
				loaded++
			}
		}
		e.mu.Unlock()
		if most := map[float64]int{1: 1, 2: 3, 0: 3}[room]; loaded > most {
			t.Errorf("room for %v models: %d are loaded", room, loaded)
		}
	}
}

func TestUnknownModel(t *testing.T) {
	e := several(t, 0, "sd15", "sd2")
	var invalid *imagine.InvalidError
	_, err := e.Paint(t.Context(), imagine.Request{Model: "sd3", Prompt: "a fox"}, imagine.Watcher{})
	if !errors.As(err, &invalid) || invalid.Field != "model" || err.Error() != `model: there is no model "sd3" here; choose one of sd15, sd2` {
		t.Errorf("got %v", err)
	}
	if _, err := e.Defaults("sd3"); !errors.As(err, &invalid) {
		t.Errorf("defaults: %v", err)
	}
	if r, err := e.Defaults("sd2"); err != nil || r.Model != "sd2" || r.Sampler != "ddim" {
		t.Errorf("defaults %+v, %v", r, err)
	}
}

// A model that cannot be loaded fails who asked for it, and nobody else.
func TestModelThatCannotBeLoaded(t *testing.T) {
	e := several(t, 1, "sd15", "sd2")
	broken := e.kits[1]
	broken.folder.Dir = t.TempDir() // as if its files had gone
	r := imagine.Request{Prompt: "a red fox", Width: 48, Height: 48, Count: 1, Sampler: "euler", Steps: 2, Guidance: 3}
	want := paint(t, e, r)
	if pictures, err := e.Paint(t.Context(), with(r, func(r *imagine.Request) { r.Model = "sd2" }), imagine.Watcher{}); err == nil || pictures != nil {
		t.Errorf("got %d pictures and %v, want an error", len(pictures), err)
	}
	if !same(paint(t, e, r), want) {
		t.Error("the model that could be loaded paints another picture afterwards")
	}
}

// Who gives up while their model is loaded does not wait for it.
func TestCancelWhileLoading(t *testing.T) {
	e := several(t, 1, "sd15", "sdxl")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := imagine.Request{Model: "sdxl", Prompt: "a red fox", Width: 48, Height: 48, Count: 1, Sampler: "euler", Steps: 2, Guidance: 3}
	if _, err := e.Paint(ctx, r, imagine.Watcher{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	r.Model = "sd15"
	paint(t, e, r)
}
