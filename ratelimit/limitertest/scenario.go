package limitertest

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/easelbot/easel/ratelimit"
)

// A scenario runs a limiter beside the model.
type scenario struct {
	model *model
	clock *Clock
	l     Limiter
	jobs  []job
}

// A job is what somebody took.
type job struct {
	who      ratelimit.Spender
	credits  float64
	refunded time.Duration // when; -1: not yet
}

func (newLimiter New) agreesWithModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := ratelimit.Limits{Person: drawLimit(t, "person"), Channel: drawLimit(t, "channel"), Tenant: drawLimit(t, "tenant")}
		clock := NewClock()
		s := &scenario{model: newModel(limits), clock: clock, l: newLimiter(limits, clock.Now)}
		t.Repeat(map[string]func(*rapid.T){
			"take":   s.take,
			"refund": s.refund,
			"wait":   s.wait,
		})
	})
}

func (s *scenario) wait(t *rapid.T) {
	d := time.Duration(rapid.IntRange(1, 7200_000).Draw(t, "ms")) * time.Millisecond
	s.clock.Move(d)
	s.model.elapsed += d
}

func (s *scenario) take(t *rapid.T) {
	who, credits := drawSpender(t), drawCredits(t)
	err := s.l.Take(t.Context(), who, credits)
	if err == nil {
		s.jobs = append(s.jobs, job{who, credits, -1})
	}
	if e := denied(t, err); !s.agrees(e, who, credits) {
		t.Fatalf("%v takes %v: got %#v", who, credits, e)
	}
	if err == nil {
		s.model.spend(who, credits)
	}
}

// agrees is whether the model would have answered the same, or could not tell for rounding.
func (s *scenario) agrees(got *ratelimit.DeniedError, who ratelimit.Spender, credits float64) bool {
	waits, longest, never := map[string]float64{}, 0.0, map[string]bool{}
	for scope := range s.model.limits {
		wait, ok, near := s.model.wait(scope, who, credits)
		if near {
			return true
		}
		waits[scope], longest = wait, max(longest, wait)
		if !ok {
			never[scope] = true
		}
	}
	switch {
	case got == nil:
		return longest == 0 && len(never) == 0
	case got.Cost != credits || got.Burst != s.model.limits[got.Scope].Burst:
		return false
	case len(never) > 0:
		return got.Retry == 0 && never[got.Scope]
	}
	return longest > 0 && tells(got.Retry, time.Duration(longest)) && waits[got.Scope] > longest-float64(time.Millisecond)
}

func (s *scenario) refund(t *rapid.T) {
	if len(s.jobs) == 0 {
		t.Skip("nobody took anything")
	}
	i := rapid.IntRange(0, len(s.jobs)-1).Draw(t, "job")
	j := &s.jobs[i]
	if j.refunded >= 0 && s.model.elapsed-j.refunded >= time.Hour {
		t.Skip("it may be forgotten")
	}
	if err := s.l.Refund(t.Context(), fmt.Sprint("job ", i), j.who, j.credits); err != nil {
		t.Fatal(err)
	}
	if j.refunded < 0 {
		j.refunded = s.model.elapsed
		s.model.spend(j.who, -j.credits)
	}
}

// waitsAreExact checks that a denied request can be made after the time that was told, and not a second before.
func (newLimiter New) waitsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := NewClock()
		amount := rapid.Float64Range(1, 100)
		limit := ratelimit.Limit{Burst: amount.Draw(t, "burst"), PerHour: 10 * amount.Draw(t, "per hour / 10")}
		l := newLimiter(ratelimit.Limits{Person: limit}, clock.Now)
		for range rapid.IntRange(1, 20).Draw(t, "requests") {
			credits := drawCredits(t)
			e := denied(t, l.Take(t.Context(), ada, credits))
			if e == nil || e.Retry == 0 {
				continue
			}
			last := min(e.Retry, time.Second)
			clock.Move(e.Retry - last)
			if l.Take(t.Context(), ada, credits) == nil {
				t.Fatalf("%v could be taken %v before the %v that were told", credits, last, e.Retry)
			}
			clock.Move(last)
			if err := l.Take(t.Context(), ada, credits); err != nil {
				t.Fatalf("%v could not be taken after the %v that were told: %v", credits, e.Retry, err)
			}
		}
	})
}

func drawLimit(t *rapid.T, label string) ratelimit.Limit {
	amount := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.01, 20), rapid.Float64Range(20, 5000))
	return ratelimit.Limit{Burst: amount.Draw(t, label+" burst"), PerHour: amount.Draw(t, label+" per hour")}
}

func drawCredits(t *rapid.T) float64 {
	sixteenths := rapid.Map(rapid.IntRange(0, 128), func(n int) float64 { return float64(n) / 16 })
	return rapid.OneOf(sixteenths, rapid.Float64Range(0, 20)).Draw(t, "credits")
}

func drawSpender(t *rapid.T) ratelimit.Spender {
	draw := func(label string, names ...string) string { return rapid.SampledFrom(names).Draw(t, label) }
	return ratelimit.Spender{Tenant: draw("tenant", "home", "work"), Channel: draw("channel", "art", "bots"), Person: draw("person", "ada", "ben", "cy")}
}
