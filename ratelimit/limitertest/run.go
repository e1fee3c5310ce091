// Package limitertest has the tests that every limiter passes, whatever it keeps its buckets in. They are the rules of package ratelimit, one by one.
//
// No test waits: each moves a clock of its own. A limiter may count time in milliseconds, so waits may be told that much too long, but never too short.
package limitertest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/easelbot/easel/ratelimit"
)

// A Limiter is what is tested.
type Limiter interface {
	Take(ctx context.Context, s ratelimit.Spender, credits float64) error
	Refund(ctx context.Context, job string, s ratelimit.Spender, credits float64) error
}

// A New returns a limiter of its own, with full buckets, that reads the time from now.
type New func(l ratelimit.Limits, now func() time.Time) Limiter

// Run tests the limiters that newLimiter returns.
func Run(t *testing.T, newLimiter New) {
	t.Helper()
	t.Run("stories", newLimiter.stories)
	t.Run("amounts", newLimiter.amounts)
	t.Run("model", newLimiter.agreesWithModel)
	t.Run("waits", newLimiter.waitsAreExact)
	t.Run("crowd", newLimiter.crowd)
	t.Run("crowd of refunds", newLimiter.crowdOfRefunds)
}

// A Clock stands still until it is moved. It is safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock returns a clock that shows a time of this century.
func NewClock() *Clock { return &Clock{at: time.Date(2026, time.March, 29, 1, 59, 30, 0, time.UTC)} }

// Now is the time it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Move moves the clock, back when d is negative.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// A test is a [*testing.T] or a [*rapid.T].
type test interface {
	Helper()
	Errorf(format string, args ...any)
}

// denied returns the denial in err, nil if there is none. Any other error fails the test.
func denied(t test, err error) *ratelimit.DeniedError {
	t.Helper()
	var e *ratelimit.DeniedError
	if err != nil && !errors.As(err, &e) {
		t.Errorf("not a denial: %v", err)
	}
	return e
}

// tells is whether a wait is told rightly: never too short, and too long by a millisecond at most. Zero stands for never.
func tells(got, want time.Duration) bool {
	if got == 0 || want == 0 {
		return got == want
	}
	return got >= want-time.Microsecond && got <= want+time.Millisecond
}
