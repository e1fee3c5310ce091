package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Fallback limits by Redis, and by this process's own account while Redis is away.
//
// # Policy
//
//   - Every request is charged to the process's own [Memory] and to [Redis], and goes ahead if neither denies it. So an outage finds an account that knows what
//     this process's people have spent, and a Redis that comes back empty gives nobody a second burst.
//   - Redis is away when it has not answered within 200 ms, or has answered with an error. No request fails for that: the own account decides. One process alone
//     therefore keeps its limits exactly throughout; each of n processes keeps them for itself, so that during an outage n times as much may be spent in all.
//   - While it is away, one request every two seconds asks Redis; no other waits for it. Its log has one line when an outage begins and one when it ends.
//   - What was spent or given back during an outage is not told to Redis afterwards. A refund of what was taken before the outage is then missing in Redis until it
//     has come back by itself; one of what was taken during it, made after it, is too much there, and only the own account bounds it.
//
// It is safe for concurrent use and starts no goroutine.
type Fallback struct {
	redis    *Redis
	memory   *Memory
	log      *slog.Logger
	now      func() time.Time
	patience time.Duration

	mu    sync.Mutex
	away  error     // why Redis is away; nil: it is not
	since time.Time // when it went
	tried time.Time // when it was last asked, since it went
	turn  int       // outages and recoveries until now
}

// again is the time between two attempts to reach Redis.
const again = 2 * time.Second

// NewFallback returns a limiter over both, which have the same limits. The memory is its own from now on.
func NewFallback(redis *Redis, memory *Memory, log *slog.Logger) *Fallback {
	return &Fallback{redis: redis, memory: memory, log: log, now: time.Now, patience: patience}
}

// Take spends credits as [Memory.Take] does. Beside its errors there is the context's.
func (f *Fallback) Take(ctx context.Context, s Spender, credits float64) error {
	if err := f.memory.Take(ctx, s, credits); err != nil {
		return later(err)
	}
	err := f.ask(ctx, func(ctx context.Context) error { return f.redis.Take(ctx, s, credits) })
	if err != nil {
		f.memory.restore(s, credits)
	}
	return err
}

// Refund puts back what the spender took for a job, as [Memory.Refund] does. Beside its errors there is the context's, after which it may be called again.
func (f *Fallback) Refund(ctx context.Context, job string, s Spender, credits float64) error {
	if err := f.memory.Refund(ctx, job, s, credits); err != nil {
		return err
	}
	return f.ask(ctx, func(ctx context.Context) error { return f.redis.Refund(ctx, job, s, credits) })
}

// Health is nil while Redis answers, which it finds out.
func (f *Fallback) Health() error {
	_ = f.ask(context.Background(), func(ctx context.Context) error { return f.redis.client.Ping(ctx).Err() })
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		return nil
	}
	return fmt.Errorf("limits are counted by this process alone, because Redis is away: %w", f.away)
}

// ask calls Redis, if that is worth while, and returns what it says; not that it is away.
func (f *Fallback) ask(ctx context.Context, call func(context.Context) error) error {
	turn, due := f.due()
	if !due {
		return nil
	}
	short, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	err := call(short)
	var denied *DeniedError
	switch {
	case err == nil, errors.As(err, &denied):
		f.learn(turn, nil)
		return err
	case ctx.Err() != nil: // the caller has no time left, which says nothing of Redis
		return ctx.Err()
	}
	f.learn(turn, err)
	return nil
}

// due tells whether to ask Redis now, and in which turn.
func (f *Fallback) due() (turn int, due bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		return f.turn, true
	}
	now := f.now()
	if now.Sub(f.tried) < again {
		return f.turn, false
	}
	f.tried = now
	return f.turn, true
}

// learn hears how Redis answered: nil if it did. An answer to what was asked in an earlier turn is no news.
func (f *Fallback) learn(turn int, away error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if turn != f.turn || (away == nil) == (f.away == nil) {
		return
	}
	now := f.now()
	if away != nil {
		f.since, f.tried = now, now
		f.log.Warn("Redis is away: limits are counted by this process alone", "err", away)
	} else {
		f.log.Info("Redis is back: limits are counted together again", "away", now.Sub(f.since).Round(time.Second))
	}
	f.away = away
	f.turn++
}

// restore undoes a Take that came to nothing.
func (m *Memory) restore(s Spender, credits float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.time()
	for _, k := range m.kinds {
		k.spend(s, -credits, now)
	}
}

// later rounds a denial's wait up to what Redis can tell apart, so that it holds there too.
func later(err error) error {
	var denied *DeniedError
	if errors.As(err, &denied) {
		denied.Retry = inMicroseconds(denied.Retry)
	}
	return err
}
