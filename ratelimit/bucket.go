package ratelimit

import (
	"math"
	"time"
)

// A kind is one limit and its buckets.
type kind struct {
	name    string
	limit   Limit
	key     func(Spender) Spender // what of a spender has a bucket
	buckets fading[Spender, bucket]
}

// A bucket is what was missing in it at a time. The zero bucket is full.
type bucket struct {
	spent float64
	at    time.Time
}

// slack is the part of a burst that rounding may overspend.
const slack = 1e-9

// denies says why the spender cannot spend credits now, nil if they can.
func (k *kind) denies(s Spender, credits float64, now time.Time) *DeniedError {
	lack := k.spent(s, now) + credits - k.limit.Burst
	if lack <= slack*k.limit.Burst {
		return nil
	}
	e := &DeniedError{Scope: k.name, Cost: credits, Burst: k.limit.Burst}
	if wait := k.limit.wait(lack); wait != never && credits <= (1+slack)*k.limit.Burst {
		e.Retry = wait
	}
	return e
}

// spend takes credits, or gives them back when they are negative.
func (k *kind) spend(s Spender, credits float64, now time.Time) {
	spent := k.spent(s, now) + credits
	if spent <= 0 {
		delete(k.buckets.known, k.key(s))
		return
	}
	k.buckets.put(k.key(s), bucket{spent, now}, func(b bucket) bool { return k.limit.missing(b, now) == 0 })
}

// spent is what is missing in the spender's bucket.
func (k *kind) spent(s Spender, now time.Time) float64 {
	return k.limit.missing(k.buckets.known[k.key(s)], now)
}

// missing is what is still missing in a bucket.
func (l Limit) missing(b bucket, now time.Time) float64 {
	return max(0, b.spent-l.PerHour*now.Sub(b.at).Hours())
}

// wait is how long credits take to come back, to the next nanosecond.
func (l Limit) wait(credits float64) time.Duration {
	ns := math.Ceil(credits / l.PerHour * float64(time.Hour))
	if !(ns < float64(never)) { // also when nothing comes back
		return never
	}
	return time.Duration(ns)
}
