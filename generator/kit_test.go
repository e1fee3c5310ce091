package generator

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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

// loads counts how often models come, until it is called.
func loads(e *Engine) func() int {
	stop, count := make(chan struct{}), make(chan int)
	go func() {
		n, last := 0, map[*kit]*networks{}
		for {
			select {
			case <-stop:
				count <- n
				return
			case <-time.After(50 * time.Microsecond):
			}
			e.mu.Lock()
			for _, k := range e.kits {
				if k.nets != nil && last[k] != k.nets {
					n++
				}
				last[k] = k.nets
			}
			e.mu.Unlock()
		}
	}()
	return func() int { close(stop); return <-count }
}

// Two models of which one has room do not drive each other out while the texts for them are read, which may take longer than loading.
func TestTextsAreReadBeforeAModelGoes(t *testing.T) {
	e := several(t, 1, "sd15", "sd2")
	count := loads(e)
	text := strings.Repeat("{a red fox|the blue cat|an old photo} on, ", 44)
	var all sync.WaitGroup
	for _, name := range []string{"sd15", "sd2"} {
		all.Go(func() {
			paint(t, e, imagine.Request{Model: name, Prompt: text, Width: 48, Height: 48, Count: 64, Seed: 1, Sampler: "euler", Steps: 1, Guidance: 1})
		})
	}
	all.Wait()
	if n := count(); n > 3 {
		t.Errorf("%d loads for two requests", n)
	}
}

// A model that cannot be loaded turns out the one that works only once in a while.
func TestBrokenModelIsLeftAlone(t *testing.T) {
	e := several(t, 1, "sd15", "sd2")
	count := loads(e)
	e.kits[1].folder.Dir = t.TempDir()
	r := imagine.Request{Prompt: "a red fox", Width: 48, Height: 48, Count: 1, Sampler: "euler", Steps: 2, Guidance: 3}
	for range 5 {
		if _, err := e.Paint(t.Context(), with(r, func(r *imagine.Request) { r.Model = "sd2" }), imagine.Watcher{}); err == nil || !strings.Contains(err.Error(), "the model sd2 could not be loaded") {
			t.Fatalf("got %v", err)
		}
		paint(t, e, r)
	}
	if n := count(); n > 2 {
		t.Errorf("the healthy model was loaded %d times", n)
	}
}

// A row goes with its picture, though others of the request are still painted.
func TestRowsGoWithTheirPictures(t *testing.T) {
	e := engine(t, tiny, roomy())
	var j *job
	entered := make(chan struct{})
	pictures, most := 0, 0
	w := imagine.Watcher{Event: func(ev imagine.Event) {
		if ev.Picture == nil {
			return
		}
		<-entered
		if pictures++; pictures == j.request.Count {
			for _, r := range j.rows {
				if r != nil {
					most++
				}
			}
		}
	}}
	j = queue(t, e, with(fox(), func(r *imagine.Request) { r.Count, r.Steps = 16, 2 }), w)
	close(entered)
	j.wait(t)
	if most > 0 {
		t.Errorf("at the last picture there are %d rows", most)
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
