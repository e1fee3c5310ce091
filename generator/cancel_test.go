package generator

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelbot/easel/imagine"
)

func TestCancelBeforeTheBeginning(t *testing.T) {
	e := engine(t, tiny, roomy())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := imagine.Watcher{Event: func(ev imagine.Event) { t.Errorf("event %+v of a request that never began", ev) }}
	if pictures, err := e.Paint(ctx, fox(), w); pictures != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v and %v, want no pictures and context.Canceled", pictures, err)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	e := engine(t, tiny, roomy())
	release := hold(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		_, err := e.Paint(ctx, fox(), imagine.Watcher{})
		result <- err
	}()
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) { // though the loop stands still
		t.Errorf("got %v, want context.Canceled", err)
	}
	release()
}

func TestCancelWhilePainting(t *testing.T) {
	e := engine(t, tiny, roomy())
	want := paint(t, e, fox())
	tests := []struct {
		name string
		when func(imagine.Event) bool
	}{
		{"when it joins", func(ev imagine.Event) bool { return ev.Calls == 0 && ev.Total > 0 }},
		{"at the first call", func(ev imagine.Event) bool { return ev.Calls == 1 }},
		{"in the middle", func(ev imagine.Event) bool { return ev.Calls == 101 }},
		{"at a preview", func(ev imagine.Event) bool { return ev.Preview != nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var returned atomic.Bool
			w := imagine.Watcher{PreviewEvery: 2, Event: func(ev imagine.Event) {
				if returned.Load() {
					t.Errorf("event %+v after Paint has returned", ev)
				}
				if tt.when(ev) {
					cancel()
				}
			}}
			pictures, err := e.Paint(ctx, endless(), w)
			returned.Store(true)
			if pictures != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("got %d pictures and %v, want none and context.Canceled", len(pictures), err)
			}
			if !same(paint(t, e, fox()), want) {
				t.Error("the next request's picture differs")
			}
		})
	}
}

func TestCancelAfterTheEnd(t *testing.T) {
	e := engine(t, tiny, roomy())
	ctx, cancel := context.WithCancel(t.Context())
	pictures, err := e.Paint(ctx, fox(), imagine.Watcher{})
	cancel()
	if err != nil || !same(pictures, paint(t, e, fox())) {
		t.Errorf("got %d pictures and %v, want the one of an unhindered run", len(pictures), err)
	}
}

func TestCancelledNeighbourChangesNothing(t *testing.T) {
	e := engine(t, tiny, roomy())
	want := paint(t, e, fox())
	ctx, cancel := context.WithCancel(t.Context())
	var neighbour sync.WaitGroup
	neighbour.Go(func() {
		if _, err := e.Paint(ctx, endless(), imagine.Watcher{}); !errors.Is(err, context.Canceled) {
			t.Errorf("the neighbour got %v, want context.Canceled", err)
		}
	})
	j := queue(t, e, fox(), at(2, cancel))
	if !same(j.wait(t), want) {
		t.Error("the picture differs from the one painted alone")
	}
	neighbour.Wait()
}

func TestCloseFailsWhatIsNotFinished(t *testing.T) {
	tests := []struct {
		name    string
		request imagine.Request
		when    func(imagine.Event) bool
	}{
		{"when it joins", endless(), func(ev imagine.Event) bool { return ev.Calls == 0 }},
		{"between calls", endless(), func(ev imagine.Event) bool { return ev.Calls == 100 }},
		{
			"when pictures are decoded", with(endless(), func(r *imagine.Request) { r.Steps = 1 }),
			func(ev imagine.Event) bool { return ev.Picture != nil },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, tiny, roomy())
			var closing sync.WaitGroup
			var once sync.Once
			w := imagine.Watcher{Event: func(ev imagine.Event) {
				if tt.when(ev) {
					once.Do(func() { closing.Go(func() { closeEngine(t, e) }) })
				}
			}}
			if _, err := e.Paint(t.Context(), tt.request, w); !errors.Is(err, ErrClosed) {
				t.Errorf("painting: got %v, want ErrClosed", err)
			}
			closing.Wait()
		})
	}
}

func closeEngine(t *testing.T, e *Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseFailsWhoWaits(t *testing.T) {
	e := engine(t, tiny, Options{Device: roomy().Device, MaxLanes: 2, Memory: need(folder(t, tiny), fox()), Queue: 16})
	jobs := []*job{queue(t, e, endless(), imagine.Watcher{})}
	for range 5 {
		jobs = append(jobs, queue(t, e, fox(), imagine.Watcher{}))
	}
	closeEngine(t, e)
	for i, j := range jobs {
		if <-j.done; !errors.Is(j.err, ErrClosed) {
			t.Errorf("request %d: got %v, want ErrClosed", i, j.err)
		}
	}
}

func TestClosedEngineRefuses(t *testing.T) {
	e := engine(t, tiny, roomy())
	for range 2 { // closing again is no error
		closeEngine(t, e)
		if _, err := e.Paint(t.Context(), fox(), imagine.Watcher{}); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
}

// Many requests arrive while the engine closes: each is painted or refused, and none hangs.
func TestCloseAmidArrivals(t *testing.T) {
	for range 5 {
		e := engine(t, tiny, roomy())
		want := paint(t, e, fox())
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				pictures, err := e.Paint(t.Context(), fox(), imagine.Watcher{})
				if !errors.Is(err, ErrClosed) && (err != nil || !same(pictures, want)) {
					t.Errorf("got %d pictures and %v, want the right one or ErrClosed", len(pictures), err)
				}
			})
		}
		all.Go(func() { closeEngine(t, e) })
		all.Wait()
	}
}

// Rows that had begun give back their memory.
func TestLoopThatEndsLeavesNothing(t *testing.T) {
	e := engine(t, tiny, roomy())
	began := make(chan struct{})
	j := queue(t, e, endless(), at(1, func() { close(began) }))
	<-began
	closeEngine(t, e)
	if <-j.done; !errors.Is(j.err, ErrClosed) || e.scheduler.Held() != 0 {
		t.Errorf("%d bytes are held and the error is %v; want 0 and ErrClosed", e.scheduler.Held(), j.err)
	}
}

// A call in flight is stopped: one that ran to its end would not fail.
func TestCallInFlightIsStopped(t *testing.T) {
	e := engine(t, tiny, roomy())
	r := rowsOf(t, e, with(fox(), func(r *imagine.Request) { r.Width, r.Height = 512, 512 }))[0]
	begin := time.Now()
	if _, err := e.step(t.Context(), e.nets(), []*row{r}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Since(begin)/4)
	defer cancel()
	if _, err := e.step(ctx, e.nets(), []*row{r}); !errors.Is(err, ErrClosed) || r.call != 1 {
		t.Errorf("after %d calls got %v, want ErrClosed after 1", r.call, err)
	}
}
