package ratelimit

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"
)

// Memory keeps the buckets in this process. It is safe for concurrent use, needs no closing and starts no goroutine.
type Memory struct {
	now   func() time.Time
	keep  time.Duration // of refunds; never: for ever
	kinds []*kind

	mu      sync.Mutex
	last    time.Time                 // what the clock showed, plus behind
	behind  time.Duration             // how far the clock has jumped back in all
	refunds fading[string, time.Time] // when each job's was made
}

// never is longer than anything is waited for.
const never = time.Duration(math.MaxInt64)

// NewMemory returns a limiter whose buckets are full. now is the clock, such as [time.Now].
func NewMemory(l Limits, now func() time.Time) *Memory {
	m := &Memory{now: now, keep: time.Hour, last: now()}
	m.limit("person", l.Person, func(s Spender) Spender { return Spender{Tenant: s.Tenant, Person: s.Person} })
	m.limit("channel", l.Channel, func(s Spender) Spender { return Spender{Tenant: s.Tenant, Channel: s.Channel} })
	m.limit("tenant", l.Tenant, func(s Spender) Spender { return Spender{Tenant: s.Tenant} })
	return m
}

func (m *Memory) limit(name string, l Limit, key func(Spender) Spender) {
	if l == (Limit{}) {
		return
	}
	if l.Burst == 0 {
		l.Burst = l.PerHour
	}
	m.kinds = append(m.kinds, &kind{name: name, limit: l, key: key})
	m.keep = max(m.keep, l.wait(l.Burst))
}

// Take spends credits from every bucket of the spender, or from none. A [*DeniedError] says which one lacks most, and how long.
// NaN, infinite and negative amounts are refused with another error. It never blocks, so the context is not looked at.
func (m *Memory) Take(_ context.Context, s Spender, credits float64) error {
	if err := valid(credits); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.time()
	var worst *DeniedError
	for _, k := range m.kinds {
		if e := k.denies(s, credits, now); e != nil && e.worse(worst) {
			worst = e
		}
	}
	if worst != nil {
		return worst
	}
	for _, k := range m.kinds {
		k.spend(s, credits, now)
	}
	return nil
}

// Refund puts back what the spender took for a job. Again for the same job it does nothing, so an effect that is repeated after a failure may call it. It
// refuses amounts as Take does, and an empty job.
func (m *Memory) Refund(_ context.Context, job string, s Spender, credits float64) error {
	if err := valid(credits); err != nil {
		return err
	}
	if job == "" {
		return errors.New("ratelimit: a refund needs the ID of its job")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.time()
	if _, ok := m.refunds.known[job]; ok {
		return nil
	}
	m.refunds.put(job, now, func(made time.Time) bool { return now.Sub(made) >= m.keep })
	for _, k := range m.kinds {
		k.spend(s, -credits, now)
	}
	return nil
}

// time is the clock's, without its jumps back.
func (m *Memory) time() time.Time {
	now := m.now().Add(m.behind)
	if now.Before(m.last) {
		m.behind += m.last.Sub(now)
		now = m.last
	}
	m.last = now
	return now
}
