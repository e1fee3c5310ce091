package ratelimit_test

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/easelbot/easel/ratelimit"
	"github.com/easelbot/easel/ratelimit/limitertest"
)

// fresh returns limiters on one server that have nothing in common.
func fresh(c *redis.Client) func(l ratelimit.Limits, now func() time.Time) *ratelimit.Redis {
	var count atomic.Int64
	return func(l ratelimit.Limits, now func() time.Time) *ratelimit.Redis {
		return ratelimit.NewRedis(c, l, ratelimit.RedisOptions{Prefix: fmt.Sprint(count.Add(1)), Now: now})
	}
}

func TestRedis(t *testing.T) {
	newRedis := fresh(ratelimit.StartRedis(t))
	limitertest.Run(t, func(l ratelimit.Limits, now func() time.Time) limitertest.Limiter { return newRedis(l, now) })
}

func TestFallback(t *testing.T) {
	newRedis := fresh(ratelimit.StartRedis(t))
	limitertest.Run(t, func(l ratelimit.Limits, now func() time.Time) limitertest.Limiter {
		c := &clocks{here: now}
		return ratelimit.NewFallback(newRedis(l, c.redis), ratelimit.NewMemory(l, c.process), slog.New(slog.DiscardHandler))
	})
}

// clocks are a process's and Redis's, which does not jump back with it.
type clocks struct {
	here   func() time.Time
	mu     sync.Mutex
	last   time.Time
	behind time.Duration
}

func (c *clocks) process() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.here()
	c.behind += max(0, c.last.Sub(now))
	c.last = now
	return now
}

func (c *clocks) redis() time.Time {
	now := c.process()
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Add(c.behind)
}

// With nothing at the address, a limiter is as good as its memory.
func TestFallbackWithoutRedis(t *testing.T) {
	nowhere, err := ratelimit.OpenRedis("unix:///nowhere/at/all")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nowhere.Close() })
	newRedis := fresh(nowhere)
	limitertest.Run(t, func(l ratelimit.Limits, now func() time.Time) limitertest.Limiter {
		return ratelimit.NewFallback(newRedis(l, now), ratelimit.NewMemory(l, now), slog.New(slog.DiscardHandler))
	})
}
