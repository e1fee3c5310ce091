package limitertest

import (
	"math"
	"testing"
	"time"

	"github.com/easelbot/easel/ratelimit"
)

// A step is one thing that happens in a story.
type step func(t *testing.T, l Limiter, c *Clock)

func take(s ratelimit.Spender, credits float64) step {
	return func(t *testing.T, l Limiter, _ *Clock) {
		t.Helper()
		if err := l.Take(t.Context(), s, credits); err != nil {
			t.Errorf("%v cannot take %v: %v", s, credits, err)
		}
	}
}

func deny(s ratelimit.Spender, credits float64, scope string, retry time.Duration) step {
	return func(t *testing.T, l Limiter, _ *Clock) {
		t.Helper()
		e := denied(t, l.Take(t.Context(), s, credits))
		if e == nil || e.Scope != scope || !tells(e.Retry, retry) || e.Cost != credits {
			t.Errorf("%v takes %v: got %#v, want a denial for the %s and %v", s, credits, e, scope, retry)
		}
	}
}

func refund(job string, s ratelimit.Spender, credits float64) step {
	return func(t *testing.T, l Limiter, _ *Clock) {
		t.Helper()
		if err := l.Refund(t.Context(), job, s, credits); err != nil {
			t.Errorf("refund of %s: %v", job, err)
		}
	}
}

func move(d time.Duration) step {
	return func(_ *testing.T, _ Limiter, c *Clock) { c.Move(d) }
}

var (
	ada     = ratelimit.Spender{Tenant: "home", Channel: "art", Person: "ada"}
	adaBots = ratelimit.Spender{Tenant: "home", Channel: "bots", Person: "ada"}
	adaWork = ratelimit.Spender{Tenant: "work", Channel: "art", Person: "ada"}
	ben     = ratelimit.Spender{Tenant: "home", Channel: "art", Person: "ben"}

	person = ratelimit.Limits{Person: ratelimit.Limit{Burst: 4, PerHour: 60}} // a credit a minute
	all    = ratelimit.Limits{
		Person:  ratelimit.Limit{Burst: 4, PerHour: 60},
		Channel: ratelimit.Limit{Burst: 6, PerHour: 30},
		Tenant:  ratelimit.Limit{Burst: 8, PerHour: 10},
	}
)

var told = []struct {
	name   string
	limits ratelimit.Limits
	steps  []step
}{
	{"no limit", ratelimit.Limits{}, []step{take(ada, 1e9), take(ada, 1e9), refund("a", ada, 1e9)}},
	{"a burst, then a steady rate", person, []step{
		take(ada, 3), take(ada, 1), deny(ada, 1, "person", time.Minute),
		move(time.Minute - time.Millisecond), deny(ada, 1, "person", time.Millisecond),
		move(time.Millisecond), take(ada, 1), deny(ada, 0.5, "person", 30*time.Second),
	}},
	{"never fuller than full", person, []step{
		take(ada, 1), move(1000 * time.Hour), take(ada, 4), deny(ada, 1, "person", time.Minute),
	}},
	{"nothing costs nothing", person, []step{take(ada, 4), take(ada, 0)}},
	{"more than the burst", person, []step{deny(ada, 4.5, "person", 0), take(ada, 4), deny(ada, 4.5, "person", 0)}},
	{"a denial costs nothing", person, []step{deny(ada, 9, "person", 0), take(ada, 3), deny(ada, 2, "person", time.Minute), take(ada, 1)}},
	{"fractions add up", ratelimit.Limits{Person: ratelimit.Limit{Burst: 0.3, PerHour: 0.3}}, []step{
		take(ada, 0.1), take(ada, 0.1), take(ada, 0.1), deny(ada, 0.1, "person", 20*time.Minute),
		move(20 * time.Minute), take(ada, 0.1),
	}},
	{"nothing comes back", ratelimit.Limits{Person: ratelimit.Limit{Burst: 2}}, []step{
		take(ada, 1.5), move(10000 * time.Hour), deny(ada, 1, "person", 0), take(ada, 0.5), deny(ada, 0.5, "person", 0),
		refund("a", ada, 1.5), take(ada, 1.5),
	}},
	{"no burst is an hour's worth", ratelimit.Limits{Person: ratelimit.Limit{PerHour: 2}}, []step{
		deny(ada, 2.5, "person", 0), take(ada, 2), deny(ada, 1, "person", 30*time.Minute),
	}},
	{"people have a bucket each, in every tenant", person, []step{
		take(ada, 4), deny(adaBots, 1, "person", time.Minute), take(ben, 4), take(adaWork, 4),
	}},
	{"a channel is shared", ratelimit.Limits{Channel: ratelimit.Limit{Burst: 4, PerHour: 60}}, []step{
		take(ada, 3), deny(ben, 2, "channel", time.Minute), take(adaBots, 4), take(adaWork, 4),
	}},
	{"a tenant is shared", ratelimit.Limits{Tenant: ratelimit.Limit{Burst: 4, PerHour: 60}}, []step{
		take(ada, 3), deny(adaBots, 2, "tenant", time.Minute), deny(ben, 2, "tenant", time.Minute), take(adaWork, 4),
	}},
	{"all buckets or none", all, []step{
		take(ben, 4), deny(ada, 4, "channel", 4*time.Minute), take(adaBots, 4), // the denied request took nothing of hers
	}},
	{"the longest wait is told", all, []step{
		take(ada, 4), deny(ada, 1, "person", time.Minute), deny(ada, 3, "person", 3*time.Minute), deny(ben, 4, "channel", 4*time.Minute),
		take(ben, 2), deny(ben, 2, "channel", 4*time.Minute), deny(ben, 4, "tenant", 12*time.Minute), deny(adaBots, 4, "tenant", 12*time.Minute),
	}},
	{"never is longest, and the least burst tells", all, []step{
		take(ada, 4), deny(ada, 5, "person", 0), deny(ada, 7, "person", 0), deny(ada, 9, "person", 0),
	}},
	{"names do not run together", person, []step{
		take(ratelimit.Spender{Tenant: "a", Person: "b:c"}, 4), take(ratelimit.Spender{Tenant: "a:b", Person: "c"}, 4),
		take(ratelimit.Spender{Tenant: "a}{", Person: "\x00"}, 4), take(ratelimit.Spender{}, 4),
	}},
	{"a refund, once a job", person, []step{
		take(ada, 4), refund("a", ada, 2), refund("a", ada, 2), take(ada, 2), deny(ada, 1, "person", time.Minute),
		move(59 * time.Minute), take(ada, 4), refund("a", ada, 2), deny(ada, 1, "person", time.Minute),
		refund("b", ada, 1), take(ada, 1),
	}},
	{"a refund reaches all buckets", all, []step{
		take(ada, 4), refund("a", ada, 4), take(ada, 4), deny(ben, 3, "channel", 2*time.Minute), take(ben, 2),
	}},
	{"a refund is remembered until an empty bucket is full", ratelimit.Limits{Person: ratelimit.Limit{Burst: 4, PerHour: 0.1}}, []step{
		take(ada, 4), refund("a", ada, 1), move(39 * time.Hour), take(ada, 4), refund("a", ada, 1), deny(ada, 1, "person", 10*time.Hour),
	}},
	{"a refund comes too late for a full bucket", person, []step{
		take(ada, 4), move(3 * time.Minute), refund("a", ada, 4), take(ada, 4), deny(ada, 1, "person", time.Minute),
	}},
	{"a clock that jumps back", person, []step{
		take(ada, 4), move(-time.Hour), deny(ada, 1, "person", time.Minute), move(time.Minute), take(ada, 1),
		deny(ada, 1, "person", time.Minute), move(-time.Hour), take(ben, 4), deny(ada, 1, "person", time.Minute),
	}},
}

func (newLimiter New) stories(t *testing.T) {
	for _, tt := range told {
		t.Run(tt.name, func(t *testing.T) {
			clock := NewClock()
			l := newLimiter(tt.limits, clock.Now)
			for _, s := range tt.steps {
				s(t, l, clock)
			}
		})
	}
}

// amounts is about what is no amount, or no refund. None of it may leave a trace.
func (newLimiter New) amounts(t *testing.T) {
	clock := NewClock()
	l := newLimiter(person, clock.Now)
	take(ada, 3)(t, l, clock)
	for _, credits := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, -1e-9} {
		if err := l.Take(t.Context(), ada, credits); err == nil {
			t.Errorf("%v were taken", credits)
		}
		if err := l.Refund(t.Context(), "a", ada, credits); err == nil {
			t.Errorf("%v were given back", credits)
		}
	}
	if err := l.Refund(t.Context(), "", ada, 1); err == nil {
		t.Error("a refund for no job was made")
	}
	deny(ada, 2, "person", time.Minute)(t, l, clock)
	refund("a", ada, 1)(t, l, clock)
	take(ada, 2)(t, l, clock)
}
