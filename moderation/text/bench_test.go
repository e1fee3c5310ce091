package text

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkScreen measures an ordinary prompt, a long one, and texts made to be slow: 2,000 characters each.
func BenchmarkScreen(b *testing.B) {
	const ordinary = "a wide photograph of a quiet harbour at dawn with fishing boats, gulls, nets drying on the quay, soft light"
	j := newJudge(b, Words{})
	for _, text := range []struct{ name, prompt string }{
		{"ordinary", ordinary},
		{"2000", long(ordinary + ", ")},
		{"2000 stars", long("*")},
		{"2000 masked", long("f*c* ")},
		{"2000 single letters", long("a s e x n ")},
		{"2000 dotted", long("p.o.r.n.")},
		{"2000 leet", long("1t5 4n4l ")},
		{"2000 repeats", long("seeexxx ")},
		{"2000 hits", long("nude child ")},
		{"2000 Chinese", string([]rune(strings.Repeat("裸体孩子", 500)))},
		{"2000 look-alikes", string([]rune(strings.Repeat("ѕех ", 500)))},
		{"2000 base64", long("bmFrZWQ= ")},
		{"2000 no spaces", long("nakedporn")},
	} {
		b.Run(text.name, func(b *testing.B) {
			times := make([]time.Duration, 0, b.N)
			for b.Loop() {
				start := time.Now()
				j.Screen(text.prompt, "")
				times = append(times, time.Since(start))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
		})
	}
}

func long(s string) string { return strings.Repeat(s, 2000/len(s)+1)[:2000] }

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newJudge(b, Words{})
	}
}
