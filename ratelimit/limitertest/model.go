package limitertest

import (
	"fmt"
	"math/big"
	"time"

	"github.com/easelbot/easel/ratelimit"
)

// A model is what a limiter should do, in fractions that are never rounded and without a thought for memory.
type model struct {
	limits  map[string]ratelimit.Limit // by scope; those there are
	elapsed time.Duration
	buckets map[string]*level
}

// A level is what was missing in a bucket at a time.
type level struct {
	missing *big.Rat
	at      time.Duration
}

func newModel(l ratelimit.Limits) *model {
	m := &model{limits: map[string]ratelimit.Limit{}, buckets: map[string]*level{}}
	for scope, l := range map[string]ratelimit.Limit{"person": l.Person, "channel": l.Channel, "tenant": l.Tenant} {
		if l.Burst == 0 {
			l.Burst = l.PerHour
		}
		if l.Burst > 0 {
			m.limits[scope] = l
		}
	}
	return m
}

// bucket is the spender's, as it is now.
func (m *model) bucket(scope string, s ratelimit.Spender) *level {
	name := fmt.Sprintf("%s %q", scope, map[string]string{"person": s.Person, "channel": s.Channel}[scope]+"@"+s.Tenant)
	b := m.buckets[name]
	if b == nil {
		b = &level{missing: new(big.Rat)}
		m.buckets[name] = b
	}
	back := new(big.Rat).SetFrac64(int64(m.elapsed-b.at), int64(time.Hour))
	b.add(back.Mul(back, exactly(-m.limits[scope].PerHour)))
	b.at = m.elapsed
	return b
}

// add adds credits to what is missing, which stays at least nothing.
func (b *level) add(credits *big.Rat) {
	if b.missing.Add(b.missing, credits).Sign() < 0 {
		b.missing.SetInt64(0)
	}
}

// spend adds credits to what is missing in every bucket.
func (m *model) spend(s ratelimit.Spender, credits float64) {
	for scope := range m.limits {
		m.bucket(scope, s).add(exactly(credits))
	}
}

// wait is how long a bucket lacks credits: 0 if it has them, ok is false if it always will. near is whether that is a matter of rounding.
func (m *model) wait(scope string, s ratelimit.Spender, credits float64) (wait float64, ok, near bool) {
	l := m.limits[scope]
	cost, burst := exactly(credits), exactly(l.Burst)
	over := new(big.Rat).Sub(cost, burst)
	lack := new(big.Rat).Add(m.bucket(scope, s).missing, over)
	const rounding = 1e-6
	o, _ := new(big.Rat).Quo(over, burst).Float64()
	n, _ := new(big.Rat).Quo(lack, burst).Float64()
	near = -rounding < o && o < rounding || -rounding < n && n < rounding
	if n <= 0 || l.PerHour == 0 || o > 0 {
		return 0, n <= 0, near
	}
	wait, _ = lack.Quo(lack, exactly(l.PerHour)).Float64()
	return wait * float64(time.Hour), true, near
}

func exactly(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }
