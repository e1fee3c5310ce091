package generator

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/easelbot/easel/imagine"
)

// A way is how an engine is used: by everybody at once, or by one after the other.
type way struct {
	name string
	one  bool
}

var ways = []way{{"together", false}, {"one-at-a-time", true}}

// painter returns how requests are painted: a mutex makes of the engine one that does a job at a time, first come, first served.
func (w way) painter(b *testing.B, e *Engine) func(imagine.Request, string) time.Duration {
	b.Helper()
	var turn sync.Mutex
	return func(r imagine.Request, person string) time.Duration {
		begin := time.Now()
		if w.one {
			turn.Lock()
			defer turn.Unlock()
		}
		if _, err := e.Paint(b.Context(), r, imagine.Watcher{Person: person}); err != nil {
			b.Error(err)
		}
		return time.Since(begin)
	}
}

// BenchmarkCrowd has people ask for a picture each at the same moment.
func BenchmarkCrowd(b *testing.B) {
	e, r := benchEngine(b)
	for _, people := range []int{2, 8, 32} {
		for _, w := range ways {
			b.Run(fmt.Sprintf("people=%d/%s", people, w.name), func(b *testing.B) {
				paint := w.painter(b, e)
				for b.Loop() {
					var all sync.WaitGroup
					for k := range people {
						r := with(r, func(r *imagine.Request) { r.Seed = int64(k) })
						all.Go(func() { paint(r, fmt.Sprint(k)) })
					}
					all.Wait()
				}
				b.ReportMetric(float64(b.N*people)/b.Elapsed().Minutes(), "pictures/min")
			})
		}
	}
}

// BenchmarkShortBehindLong has somebody ask for many pictures, and others for one each while those are painted.
func BenchmarkShortBehindLong(b *testing.B) {
	e, r := benchEngine(b)
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			paint := w.painter(b, e)
			var waits []time.Duration
			for b.Loop() {
				var mu sync.Mutex
				var all sync.WaitGroup
				begun := make(chan struct{})
				long := with(r, func(r *imagine.Request) { r.Count, r.Seed = 32, 1000 })
				all.Go(func() {
					close(begun)
					paint(long, "long")
				})
				<-begun
				every := time.Tick(50 * time.Millisecond)
				for k := range 12 {
					<-every
					all.Go(func() {
						took := paint(with(r, func(r *imagine.Request) { r.Seed = int64(k) }), fmt.Sprint(k))
						mu.Lock()
						defer mu.Unlock()
						waits = append(waits, took)
					})
				}
				all.Wait()
			}
			slices.Sort(waits)
			b.ReportMetric(waits[len(waits)/2].Seconds(), "p50-s")
			b.ReportMetric(waits[len(waits)*99/100].Seconds(), "p99-s")
		})
	}
}
