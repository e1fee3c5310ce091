package ratelimit

import (
	"fmt"
	"testing"
	"time"
)

// Two hundred thousand people come by, ten a second. Who spends 0.1 of a burst of 5 is back at full after six minutes, so about 3,600 buckets mean anything.
func TestMemoryForgetsWhoIsFullAgain(t *testing.T) {
	now := time.Unix(1e9, 0)
	m := NewMemory(Limits{Person: Limit{Burst: 5, PerHour: 1}, Tenant: Limit{Burst: 1e6}}, func() time.Time { return now })
	most := 0
	for i := range 200_000 {
		now = now.Add(100 * time.Millisecond)
		if err := m.Take(t.Context(), Spender{Person: fmt.Sprint(i)}, 0.1); err != nil {
			t.Fatal(err)
		}
		most = max(most, len(m.kinds[0].buckets.known))
	}
	for i := 200_000 - 3500; i < 200_000; i++ {
		if m.Take(t.Context(), Spender{Person: fmt.Sprint(i)}, 5) == nil {
			t.Fatalf("person %d was forgotten before their bucket was full", i)
		}
	}
	if most < 3600 || most > 2*3600+1 {
		t.Errorf("%d buckets were known at once, not 3,600 to twice that", most)
	}
}

func TestMemoryForgetsRefunds(t *testing.T) {
	tests := []struct {
		name   string
		limits Limits
		most   int // for a refund a second in twelve hours
	}{
		{"an hour at least", Limits{Person: Limit{Burst: 1, PerHour: 60}}, 2 * 3600},
		{"until the slowest bucket is full", Limits{Person: Limit{Burst: 1, PerHour: 60}, Tenant: Limit{Burst: 20, PerHour: 10}}, 4 * 3600},
		{"never where nothing comes back", Limits{Person: Limit{Burst: 1}}, 12 * 3600},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Unix(1e9, 0)
			m := NewMemory(tt.limits, func() time.Time { return now })
			most := 0
			for i := range 12 * 3600 {
				now = now.Add(time.Second)
				if err := m.Refund(t.Context(), fmt.Sprint(i), Spender{}, 0.1); err != nil {
					t.Fatal(err)
				}
				most = max(most, len(m.refunds.known))
			}
			for i := 12*3600 - tt.most/2; i < 12*3600; i++ {
				if _, ok := m.refunds.known[fmt.Sprint(i)]; !ok {
					t.Fatalf("refund %d was forgotten too early", i)
				}
			}
			if most > tt.most+1 || most < tt.most/2 {
				t.Errorf("%d refunds were known at once, not %d to twice that", most, tt.most/2)
			}
		})
	}
}
