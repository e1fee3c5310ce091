package local_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/jobs/local"
)

type painter chan struct{}

func (p painter) Paint(ctx context.Context, r imagine.Request, _ imagine.Watcher) ([]imagine.Picture, error) {
	select {
	case <-p:
		return make([]imagine.Picture, r.Count), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestReadyWaitsForALane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := make(painter)
		q := local.New(p, 4)
		guided := imagine.Request{Count: 1, Guidance: 3}
		begin := func(r imagine.Request) chan error {
			paint, done := q.Begin(r), make(chan error, 1)
			go func() {
				_, err := paint(t.Context(), imagine.Watcher{})
				done <- err
			}()
			return done
		}
		first, second := begin(guided), begin(imagine.Request{Count: 2, Guidance: 1}) // two lanes each
		ready := make(chan error, 1)
		go func() { ready <- q.Ready(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-ready:
			t.Fatalf("ready (%v), though all four lanes are taken", err)
		default:
		}
		p <- struct{}{}
		if err := <-ready; err != nil {
			t.Fatal(err)
		}
		p <- struct{}{}
		if err := errors.Join(<-first, <-second); err != nil {
			t.Error(err)
		}
	})
}

func TestReadyEndsWithItsContext(t *testing.T) {
	q := local.New(make(painter), 1)
	_ = q.Begin(imagine.Request{Count: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Ready(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestACancelledPaintFreesItsLanes(t *testing.T) {
	q := local.New(make(painter), 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Begin(imagine.Request{Count: 1})(ctx, imagine.Watcher{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := q.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}
