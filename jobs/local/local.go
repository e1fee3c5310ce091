// Package local is the queue within one process: jobs go straight to the engine beside it.
//
// It lets in as many as keep the engine's calls full and a few more, whose text is encoded meanwhile; the others wait in
// the saga's fair line, where they can still be overtaken.
package local

import (
	"context"
	"sync"

	"github.com/easelbot/easel/imagine"
)

// Painter is an engine.
type Painter interface {
	Paint(ctx context.Context, r imagine.Request, w imagine.Watcher) ([]imagine.Picture, error)
}

// A Queue is an engine with so many lanes to fill.
type Queue struct {
	engine Painter
	lanes  int

	mu    sync.Mutex
	taken int
	freed chan struct{} // closed and made anew when a place is freed
}

// New returns the queue of an engine whose calls take up to that many lanes.
func New(engine Painter, lanes int) *Queue {
	return &Queue{engine: engine, lanes: lanes, freed: make(chan struct{})}
}

// Ready waits until fewer lanes are taken than the engine's calls have.
func (q *Queue) Ready(ctx context.Context) error {
	for {
		q.mu.Lock()
		ready, freed := q.taken < q.lanes, q.freed
		q.mu.Unlock()
		if ready {
			return ctx.Err()
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Begin takes the lanes of a request and returns how to paint it, which frees them.
func (q *Queue) Begin(r imagine.Request) func(context.Context, imagine.Watcher) ([]imagine.Picture, error) {
	lanes := r.Count
	if r.Guidance > 1 {
		lanes *= 2
	}
	q.take(lanes)
	return func(ctx context.Context, w imagine.Watcher) ([]imagine.Picture, error) {
		defer q.take(-lanes)
		return q.engine.Paint(ctx, r, w)
	}
}

func (q *Queue) take(lanes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken += lanes
	if lanes < 0 {
		close(q.freed)
		q.freed = make(chan struct{})
	}
}
