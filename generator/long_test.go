package generator

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
)

// longRun is how many requests TestLongRun makes: EASEL_LONG of them (make long has 2,000), else few.
func longRun(t *testing.T) int {
	t.Helper()
	told := os.Getenv("EASEL_LONG")
	if told == "" {
		return 80
	}
	n, err := strconv.Atoi(told)
	if err != nil || n < 1 {
		t.Fatalf("EASEL_LONG is %q; it should be a number of requests", told)
	}
	return n
}

// mixed draws a request for one of some models; every twentieth is one that must be refused.
func mixed(rng *rand.Rand, names []string, init, mask image.Image) (r imagine.Request, wrong bool) {
	name := names[rng.IntN(len(names))]
	r = imagine.Request{
		Model: name, Prompt: []string{"a red fox", "the (blue:1.3) cat", "a {red|green} dog BREAK on a hill"}[rng.IntN(3)], Negative: []string{"", "blue", "a cat"}[rng.IntN(3)],
		Width: 32 * (1 + rng.IntN(2)), Height: 32 * (1 + rng.IntN(2)), Count: 1 + rng.IntN(3), Seed: rng.Int64() >> 1, Steps: 1 + rng.IntN(6),
		Sampler: sampler.Names()[rng.IntN(len(sampler.Names()))], Guidance: []float64{0, 1, 3, 7.5}[rng.IntN(4)], Eta: rng.Float64(),
		Rescale: []float64{0, 0.7}[rng.IntN(2)], ClipSkip: []int{0, 0, 0, 1}[rng.IntN(4)],
	}
	if name == "tiny" {
		r.ClipSkip = 0 // not CLIP
	}
	task := rng.IntN(3)
	if name == "inpaint" {
		task = 2
	}
	if task > 0 {
		r.Init, r.Strength = &imagine.Source{Image: init}, []float64{0.4, 0.8, 1}[rng.IntN(3)]
		r.Steps += 3
	}
	if task == 2 {
		r.Mask = &imagine.Source{Image: mask}
	}
	if rng.IntN(5) == 0 {
		r.Plain = true
	}
	if wrong = rng.IntN(20) == 0; wrong {
		switch rng.IntN(4) {
		case 0:
			r.Model = "none"
		case 1:
			r.Width = 33
		case 2:
			r.Steps = 0
		default:
			r.Prompt, r.Plain = "a {fox", false
		}
	}
	return r, wrong
}

// A tally is what came of a long run's requests.
type tally struct {
	mu                                    sync.Mutex
	painted, cancelled, refused, pictures int
}

// TestLongRun has people come and go, with every kind of request and models that take turns. Every request ends once and as it should,
// and nothing grows.
func TestLongRun(t *testing.T) {
	n := longRun(t)
	names := []string{"tiny", "sd15", "sdxl", "lcm", "inpaint"}
	e, alone := crowded(t, names), map[string]*Engine{}
	for _, name := range names {
		alone[name] = engine(t, e.kits[len(alone)].folder.Dir, roomy())
	}
	init, mask := readPNG(t, "init.png"), readPNG(t, "mask.png")
	var got tally
	stage := func(seed uint64, from, to int) (goroutines int, heap, rss uint64) {
		people := make(chan int)
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				for k := range people {
					visitOnce(t, e, alone, &got, rand.New(rand.NewPCG(seed, uint64(k))), names, init, mask)
				}
			})
		}
		for k := from; k < to; k++ {
			people <- k
		}
		close(people)
		all.Wait()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapAlloc >> 20, resident(t)
	}
	g1, h1, r1 := stage(1, 0, n/2)
	g2, h2, r2 := stage(1, n/2, n)
	t.Logf("%d requests: %d painted (%d pictures), %d cancelled, %d refused; goroutines %d and %d, Go heap %d and %d MiB, resident %d and %d MiB half-way and at the end",
		n, got.painted, got.pictures, got.cancelled, got.refused, g1, g2, h1, h2, r1, r2)
	if sum := got.painted + got.cancelled + got.refused; sum != n {
		t.Errorf("%d of %d requests are accounted for", sum, n)
	}
	if g2 > g1+3 || h2 > h1+16 || r2 > r1+r1/4+64 {
		t.Error("something grows")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.jobs) != 0 || e.scheduler.Held() != 0 {
		t.Errorf("%d requests are still in the engine, and hold %d bytes", len(e.jobs), e.scheduler.Held())
	}
}

// crowded opens an engine whose models do not all fit.
func crowded(t *testing.T, names []string) *Engine {
	t.Helper()
	ready(t)
	var folders []*model.Folder
	var largest int64
	for _, name := range names {
		dir := filepath.Join(families, name)
		if name == "tiny" {
			dir = tiny
		}
		folders = append(folders, folder(t, dir))
		largest = max(largest, folders[len(folders)-1].Weight())
	}
	o := roomy()
	o.Weights, o.Queue, o.Memory = largest*5/2, 64, 256<<20
	e, err := Open(o, folders...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngine(t, e) })
	return e
}

// visitOnce makes one request, a third of which are given up, and compares a tenth of the pictures with those painted alone.
func visitOnce(t *testing.T, e *Engine, alone map[string]*Engine, got *tally, rng *rand.Rand, names []string, init, mask image.Image) {
	t.Helper()
	r, wrong := mixed(rng, names, init, mask)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	after := -1
	if rng.IntN(3) == 0 {
		after = rng.IntN(r.Count*6 + 1)
	}
	if after == 0 {
		cancel()
	}
	w := imagine.Watcher{Person: fmt.Sprint(rng.IntN(6)), Priority: []float64{0, 0.25, 4}[rng.IntN(3)], PreviewEvery: rng.IntN(3), Event: func(ev imagine.Event) {
		if after > 0 && ev.Calls >= after {
			cancel()
		}
	}}
	pictures, err := e.Paint(ctx, r, w)
	var invalid *imagine.InvalidError
	got.mu.Lock()
	defer got.mu.Unlock()
	switch {
	case err == nil && !wrong && len(pictures) == r.Count:
		got.painted++
		got.pictures += len(pictures)
	case errors.Is(err, context.Canceled) && after >= 0:
		got.cancelled++
		return
	case errors.As(err, &invalid) && wrong, errors.As(err, &invalid) && invalid.Field == "sampler":
		got.refused++
		return
	default:
		t.Errorf("%+v: %d pictures and %v", r, len(pictures), err)
		return
	}
	if rng.IntN(10) == 0 {
		model := r.Model
		r.Model = ""
		if want, err := alone[model].Paint(t.Context(), r, imagine.Watcher{}); err != nil || !same(pictures, want) {
			t.Errorf("%s %+v: other pictures than alone, %v", model, r, err)
		}
	}
}

// resident returns the process's resident memory in MiB, 0 where the system does not tell.
func resident(t *testing.T) uint64 {
	t.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, _ := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			return kib >> 10
		}
	}
	return 0
}
