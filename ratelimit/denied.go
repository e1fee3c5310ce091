package ratelimit

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// A DeniedError says that a request asks for more than there is now.
type DeniedError struct {
	Scope string        // "person", "channel" or "tenant"
	Retry time.Duration // how long until there is enough; 0 when there never will be: it is more than the burst, or nothing comes back
	Cost  float64
	Burst float64
}

// Error tells the operator.
func (e *DeniedError) Error() string {
	switch {
	case e.Retry > 0:
		return fmt.Sprintf("the %s has spent its credits; try again in %s", e.Scope, words(e.Retry))
	case e.Cost > e.Burst:
		return fmt.Sprintf("it costs %s credits, and a %s can spend at most %s at once", amount(e.Cost, math.Ceil), e.Scope, amount(e.Burst, math.Floor))
	default:
		return fmt.Sprintf("the %s has spent its credits, and its limit lets none come back", e.Scope)
	}
}

// Polite tells the member, in one sentence of plain text, what to do.
func (e *DeniedError) Polite() string {
	who := voices[e.Scope]
	switch {
	case e.Retry > 0:
		return fmt.Sprintf("%s used up %s credits for now; try again in %s.", who.has, who.its, words(e.Retry))
	case e.Cost > e.Burst:
		return fmt.Sprintf("This asks for %s credits at once and %s can spend at most %s; ask for fewer or smaller pictures.",
			amount(e.Cost, math.Ceil), who.name, amount(e.Burst, math.Floor))
	default:
		return fmt.Sprintf("%s too few credits left for this, and they do not come back; ask for fewer or smaller pictures.", who.has)
	}
}

// voices is how a sentence speaks of each scope.
var voices = map[string]struct{ has, its, name string }{
	"person":  {"You have", "your", "you"},
	"channel": {"This channel has", "its", "this channel"},
	"tenant":  {"Everybody here together has", "the", "everybody here together"},
}

// worse tells whether e is the one to speak of, of two: what never comes before what comes late, and the smaller burst first, since the other one's advice would not do.
func (e *DeniedError) worse(than *DeniedError) bool {
	switch {
	case than == nil:
		return true
	case e.Retry == 0 && than.Retry == 0:
		return e.Burst < than.Burst
	case e.Retry == 0 || than.Retry == 0:
		return e.Retry == 0
	}
	return e.Retry > than.Retry
}

// amount writes credits with up to four decimals. Costs are rounded up and bursts down, so that the two never look as if the one were enough for the other.
func amount(credits float64, round func(float64) float64) string {
	const decimals = 1e4
	near := math.Round(credits*decimals) / decimals
	if math.Abs(near-credits) > 1e-9*credits {
		near = round(credits*decimals) / decimals
	}
	return strconv.FormatFloat(near, 'f', -1, 64)
}

// words writes a wait as people say it, rounded up: nobody is told to come back too early.
func words(d time.Duration) string {
	seconds, minutes, hours := units(d, time.Second), units(d, time.Minute), units(d, time.Hour)
	switch {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	case minutes < 24*60:
		return pair(minutes, 60, "h", "min")
	default:
		return pair(hours, 24, "d", "h")
	}
}

// units is how many units hold d, rounded up.
func units(d, unit time.Duration) int64 {
	n := int64(d / unit)
	if d%unit > 0 {
		n++
	}
	return n
}

// pair writes n small units in two parts, and leaves the second out when it is zero.
func pair(n, base int64, large, small string) string {
	if n%base == 0 {
		return fmt.Sprintf("%d %s", n/base, large)
	}
	return fmt.Sprintf("%d %s %d %s", n/base, large, n%base, small)
}
