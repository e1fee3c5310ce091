package generator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
)

// A visit is one request of a scenario, which may be cancelled.
type visit struct {
	request imagine.Request
	next    int // calls after which the next visitor comes
	cancel  int // calls after which this one gives up; 0 is never
}

// visits draws what happens in a scenario. The same seed gives the same requests; what meets what is left to chance.
func visits(rng *rand.Rand) []visit {
	list := make([]visit, 12)
	for i := range list {
		r := imagine.Request{
			Prompt: []string{"a red fox", "the blue cat", "dog and cat"}[rng.IntN(3)],
			Width:  32 * (1 + rng.IntN(3)), Height: 32 * (1 + rng.IntN(2)),
			Count: 1 + rng.IntN(4), Seed: rng.Int64(), Steps: 1 + rng.IntN(6),
			Sampler: sampler.Names()[rng.IntN(len(sampler.Names()))], Guidance: []float64{0, 1, 3, 7.5}[rng.IntN(4)], Eta: rng.Float64(),
		}
		r.Seed >>= 1 // leaves room for the seeds after it
		list[i] = visit{request: r, next: rng.IntN(r.Steps * r.Count)}
		if rng.IntN(3) == 0 {
			list[i].cancel = 1 + rng.IntN(r.Steps*r.Count)
		}
	}
	return list
}

// Whoever comes and goes, each request is answered once, with the pictures that it would get alone or with the error
// that it gave cause for, and no memory stays counted.
func TestScenarios(t *testing.T) {
	alone := engine(t, tiny, Options{Device: roomy().Device, MaxLanes: 2, Memory: 1 << 30, Queue: 1})
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			list := visits(rng)
			largest := with(fox(), func(r *imagine.Request) { r.Width = 96 })
			memory := need(folder(t, tiny), largest) * int64(1+rng.IntN(3))
			e := engine(t, tiny, Options{Device: roomy().Device, MaxLanes: 2 + rng.IntN(12), Memory: memory, Queue: len(list)})
			for i, got := range play(t, e, list) {
				v := list[i]
				if got.err != nil && (v.cancel == 0 || !errors.Is(got.err, context.Canceled)) {
					t.Errorf("%+v: %v", v, got.err)
				}
				if got.err == nil && !same(got.pictures, paint(t, alone, v.request)) {
					t.Errorf("%+v: the pictures differ from those painted alone", v)
				}
				if got.told > v.request.Count || got.err == nil && got.told != v.request.Count {
					t.Errorf("%+v: %d pictures were told of", v, got.told)
				}
			}
			paint(t, e, with(largest, func(r *imagine.Request) { r.Count = 3 })) // the engine is still sound
		})
	}
}

// An answer is what became of a visit.
type answer struct {
	pictures []imagine.Picture
	told     int
	err      error
}

// play lets each visitor bring the next, by an event or at the latest when it has its answer.
func play(t *testing.T, e *Engine, list []visit) []answer {
	t.Helper()
	answers := make([]answer, len(list))
	var all sync.WaitGroup
	var come func(int)
	come = func(i int) {
		if i == len(list) {
			return
		}
		v, a := list[i], &answers[i]
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		bring := sync.OnceFunc(func() { all.Go(func() { come(i + 1) }) })
		defer bring()
		a.pictures, a.err = e.Paint(ctx, v.request, imagine.Watcher{PreviewEvery: 2, Event: func(ev imagine.Event) {
			if ev.Picture != nil {
				a.told++
			}
			if ev.Calls >= v.next {
				bring()
			}
			if v.cancel > 0 && ev.Calls >= v.cancel {
				cancel()
			}
		}})
	}
	all.Go(func() { come(0) })
	all.Wait()
	return answers
}
