// Package ratelimit says how much a person, a channel and a whole server or workspace may spend.
//
// What is spent are credits, fractions included. Each limit is a bucket of burst credits that fills again at a steady rate: the generic cell rate algorithm
// (GCRA; ATM Forum TM 4.0, annex I, as the continuous-state leaky bucket) with a cost per request. All buckets of a request are taken from, or none is.
//
// # Rules
//
//   - A bucket begins full and never holds more than its burst. Nobody is charged twice for a place: a person has one bucket in a tenant.
//   - A request that is denied costs nothing. It is told the longest of the waits, after which there is enough if nobody else spends meanwhile.
//   - A refund puts back what a job took, once a job. It may reach a bucket that has filled again since, which then is full and no more.
//   - Refunds are remembered for as long as the slowest bucket takes to fill from empty, and for an hour at least; later a repeated one would give what
//     has come back anyway. Where a limit has no PerHour they are remembered for ever.
//   - A clock that jumps back takes nothing and gives nothing: credits go on coming back from the time it shows then.
//   - Sums are floating-point: a bucket may be overspent by a billionth of its burst, so that ten times 0.1 is 1.
//
// [Memory] forgets a bucket that is full again, so it grows with those who spent lately and not with all who ever did. It also forgets everything when the process
// ends: after a restart all buckets are full. [Redis] keeps them for several processes, and [Fallback] goes on by the process's own while Redis is away.
// limitertest has the tests that every implementation passes.
package ratelimit

import (
	"fmt"
	"math"
)

// A Limit bounds one bucket. The zero Limit is no limit. Neither number is negative.
//
// Without PerHour what was spent does not come back. Without Burst an hour's worth can be spent at once.
type Limit struct {
	Burst   float64 // credits that can be spent at once
	PerHour float64 // credits that come back in an hour
}

// Limits are the limits of each kind of bucket.
type Limits struct{ Person, Channel, Tenant Limit }

// A Spender is who spends, and where. A person has one bucket in a tenant, whatever the channel.
type Spender struct{ Tenant, Channel, Person string }

// valid refuses amounts that would spoil a bucket.
func valid(credits float64) error {
	if !(credits >= 0) || math.IsInf(credits, 1) { // written so that NaN fails too
		return fmt.Errorf("ratelimit: %v is no number of credits: it must be finite and not negative", credits)
	}
	return nil
}
