package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelbot/easel/ratelimit"
	"github.com/easelbot/easel/ratelimit/limitertest"
)

func TestMemory(t *testing.T) {
	limitertest.Run(t, func(l ratelimit.Limits, now func() time.Time) limitertest.Limiter { return ratelimit.NewMemory(l, now) })
}

func ExampleDeniedError_Polite() {
	noon := func() time.Time { return time.Date(2026, time.January, 1, 12, 0, 0, 0, time.UTC) }
	limiter := ratelimit.NewMemory(ratelimit.Limits{Person: ratelimit.Limit{Burst: 8, PerHour: 30}}, noon)
	ada := ratelimit.Spender{Tenant: "home", Channel: "art", Person: "ada"}
	for _, credits := range []float64{12, 8, 0.25} {
		var denied *ratelimit.DeniedError
		if err := limiter.Take(context.Background(), ada, credits); errors.As(err, &denied) {
			fmt.Println(denied.Polite())
		}
	}
	// Output:
	// This asks for 12 credits at once and you can spend at most 8; ask for fewer or smaller pictures.
	// You have used up your credits for now; try again in 30 s.
}

func BenchmarkMemory(b *testing.B) {
	limit := ratelimit.Limit{Burst: 1e9, PerHour: 3600}
	for _, people := range []int{1, 1_000_000} {
		b.Run(fmt.Sprintf("people=%d", people), func(b *testing.B) {
			m := ratelimit.NewMemory(ratelimit.Limits{Person: limit, Channel: limit, Tenant: limit}, time.Now)
			who := make([]ratelimit.Spender, people)
			for i := range who {
				who[i] = ratelimit.Spender{Tenant: "home", Channel: "art", Person: fmt.Sprint(i)}
			}
			b.ReportAllocs()
			var next atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := m.Take(context.Background(), who[int(next.Add(1))%people], 0.25); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
