package limitertest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/easelbot/easel/ratelimit"
)

const many = 64

// atOnce calls f from many goroutines, which begin together.
func atOnce(f func(i int)) {
	var begin, end sync.WaitGroup
	begin.Add(1)
	for i := range many {
		end.Go(func() {
			begin.Wait()
			f(i)
		})
	}
	begin.Done()
	end.Wait()
}

// crowd checks that many people at once spend a channel's credits to the last and no further, and that who was denied kept theirs.
func (newLimiter New) crowd(t *testing.T) {
	l := newLimiter(ratelimit.Limits{Person: ratelimit.Limit{Burst: 1}, Channel: ratelimit.Limit{Burst: 10}}, NewClock().Now)
	var spent [many]int
	atOnce(func(i int) {
		who := ratelimit.Spender{Channel: "art", Person: fmt.Sprint(i)}
		for range 5 {
			if denied(t, l.Take(t.Context(), who, 0.1)) == nil {
				spent[i]++
			}
		}
	})
	sum := 0
	for i, n := range spent {
		sum += n
		own := ratelimit.Spender{Channel: "of " + fmt.Sprint(i), Person: fmt.Sprint(i)}
		if err := l.Take(t.Context(), own, float64(10-n)*0.1); err != nil {
			t.Errorf("person %d spent %d tenths of 10 and has not got the rest: %v", i, n, err)
		}
	}
	if sum != 100 {
		t.Errorf("%d tenths were spent of 100", sum)
	}
}

// crowdOfRefunds checks that a job's refund that many make at once is made once.
func (newLimiter New) crowdOfRefunds(t *testing.T) {
	l := newLimiter(ratelimit.Limits{Person: ratelimit.Limit{Burst: many}}, NewClock().Now)
	if err := l.Take(t.Context(), ada, many); err != nil {
		t.Fatal(err)
	}
	var taken atomic.Int64
	atOnce(func(int) {
		if err := l.Refund(t.Context(), "job", ada, 1); err != nil {
			t.Error(err)
		}
		if denied(t, l.Take(t.Context(), ada, 1)) == nil {
			taken.Add(1)
		}
	})
	if taken.Load() != 1 {
		t.Errorf("one credit was given back, and %d were spent", taken.Load())
	}
}
