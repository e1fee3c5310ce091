package ratelimit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A fallbackTest is a Fallback over a server that can be killed, with clocks that stand still until they are moved.
type fallbackTest struct {
	*Fallback
	server *redisServer
	log    bytes.Buffer
	mu     sync.Mutex
	at     time.Time
}

func newFallbackTest(t *testing.T, l Limits) *fallbackTest {
	t.Helper()
	f := &fallbackTest{server: startRedis(t), at: time.Unix(1e9, 0)}
	r := NewRedis(f.server.client(), l, RedisOptions{Now: f.clock})
	f.Fallback = NewFallback(r, NewMemory(l, f.clock), slog.New(slog.NewTextHandler(&f.log, nil)))
	f.now, f.patience = f.clock, time.Minute
	return f
}

func (f *fallbackTest) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *fallbackTest) move(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(d)
}

// spend has sixty-four goroutines spend one credit each, and says how many could. Nothing else may go wrong.
func (f *fallbackTest) spend(t *testing.T) int {
	t.Helper()
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			var denied *DeniedError
			switch err := f.Take(t.Context(), someone, 1); {
			case err == nil:
				taken.Add(1)
			case !errors.As(err, &denied):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return int(taken.Load())
}

// logged counts lines and forgets them.
func (f *fallbackTest) logged(t *testing.T, away, back int) {
	t.Helper()
	text := f.log.String()
	f.log.Reset()
	if strings.Count(text, "Redis is away") != away || strings.Count(text, "Redis is back") != back || strings.Count(text, "\n") != away+back {
		t.Errorf("logged:\n%swant %d lines of outages and %d of recoveries", text, away, back)
	}
}

// The server is killed with half of the credits spent and comes back empty. Nothing fails, and nobody spends more than there is.
func TestFallbackOutage(t *testing.T) {
	f := newFallbackTest(t, Limits{Person: Limit{Burst: 40, PerHour: 3600}, Tenant: Limit{Burst: 100}})
	for i := range 20 {
		if err := f.Take(t.Context(), someone, 1); err != nil {
			t.Fatalf("credit %d: %v", i, err)
		}
	}
	if err := f.Health(); err != nil {
		t.Errorf("Redis is there, and: %v", err)
	}
	f.logged(t, 0, 0)

	f.server.kill()
	if got := f.spend(t); got != 20 {
		t.Errorf("%d credits were spent in the outage, of 20 left", got)
	}
	if err := f.Health(); err == nil || !strings.Contains(err.Error(), "Redis is away") {
		t.Errorf("Redis is away, and the health is %v", err)
	}
	if err := f.Refund(t.Context(), "job", someone, 5); err != nil {
		t.Error(err)
	}
	if got := f.spend(t); got != 5 {
		t.Errorf("%d credits were spent of the 5 that were given back", got)
	}
	f.move(again)
	if got := f.spend(t); got != 2 {
		t.Errorf("%d credits were spent of the 2 that came back", got)
	}
	f.logged(t, 1, 0)

	f.server.start()
	if f.Health() == nil {
		t.Error("Redis was asked again too early")
	}
	eventually(t, func() bool {
		f.move(again)
		return f.Health() == nil
	})
	f.logged(t, 0, 1)
	f.move(time.Hour)
	if got := f.spend(t); got != 40 {
		t.Errorf("%d credits were spent of a burst of 40", got)
	}
	f.move(time.Hour)
	if got := f.spend(t); got != 100-20-20-5+5-2-40 {
		t.Errorf("%d credits of the tenant's last 18 were spent", got)
	}
	f.logged(t, 0, 0)
}

// What Redis denies for others' spending goes on the own account neither.
func TestFallbackHearsRedis(t *testing.T) {
	limits := Limits{Tenant: Limit{Burst: 4, PerHour: 60}}
	f := newFallbackTest(t, limits)
	other := NewRedis(f.server.client(), limits, RedisOptions{Now: f.clock})
	if err := other.Take(t.Context(), someone, 3); err != nil {
		t.Fatal(err)
	}
	var denied *DeniedError
	if err := f.Take(t.Context(), someone, 2); !errors.As(err, &denied) || denied.Retry != time.Minute {
		t.Fatalf("got %v, want a denial for a minute", err)
	}
	f.server.kill()
	if err := f.Take(t.Context(), someone, 4); err != nil {
		t.Errorf("the denied request was charged: %v", err)
	}
}

// A server that hangs is away as well, and nobody waits for it twice.
func TestFallbackHangingServer(t *testing.T) {
	f := newFallbackTest(t, Limits{Person: Limit{Burst: 100}})
	if err := errors.Join(f.Health(), f.server.cmd.Process.Signal(syscall.SIGSTOP)); err != nil {
		t.Fatal(err)
	}
	f.patience = patience
	begun := time.Now()
	for range 50 {
		if err := f.Take(t.Context(), someone, 1); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begun); took > 10*patience {
		t.Errorf("50 requests took %v", took)
	}
	f.logged(t, 1, 0)
	if err := f.server.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		f.move(again)
		return f.Health() == nil
	})
	f.logged(t, 0, 1)
}

// Who has no time left says nothing of Redis, and is not charged.
func TestFallbackCancelled(t *testing.T) {
	f := newFallbackTest(t, Limits{Person: Limit{Burst: 1}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Take(ctx, someone, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := f.Refund(ctx, "job", someone, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(f.Health(), f.Take(t.Context(), someone, 1)); err != nil {
		t.Error(err)
	}
	f.logged(t, 0, 0)
}

// A request that began before the outage, and is answered after it was noticed, ends nothing.
func TestFallbackLateAnswer(t *testing.T) {
	var log bytes.Buffer
	f := NewFallback(nil, nil, slog.New(slog.NewTextHandler(&log, nil)))
	turn, _ := f.due()
	f.learn(turn, errors.New("gone"))
	f.learn(turn, nil)
	if _, due := f.due(); due || strings.Contains(log.String(), "back") {
		t.Errorf("the outage is over, and the log says:\n%s", log.String())
	}
}
