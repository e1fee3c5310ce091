package ratelimit

import (
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	tests := []struct {
		perHour, credits float64
		want             time.Duration
	}{
		{1, 1, time.Hour},
		{3600, 1e-9, 1},
		{3600, 1.1e-9, 2},
		{3600, 1e-12, 1},
		{7, 1, 514285714286 * time.Nanosecond},
		{0, 1, never},
		{1e-300, 1, never},
		{5e-324, 1e300, never},
	}
	for _, tt := range tests {
		if got := (Limit{PerHour: tt.perHour}).wait(tt.credits); got != tt.want {
			t.Errorf("%v credits at %v an hour: got %v, want %v", tt.credits, tt.perHour, got, tt.want)
		}
	}
}
