package inference

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestHalfRoundTrip takes every half there is to float32 and back.
func TestHalfRoundTrip(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		x := float(h)
		if math.IsNaN(float64(x)) {
			if back := half(x); back&0x7c00 != 0x7c00 || back&0x3ff == 0 {
				t.Fatalf("not a number %#04x becomes %#04x", h, back)
			}
			continue
		}
		if back := half(x); back != h {
			t.Fatalf("%#04x is %v is %#04x", h, x, back)
		}
	}
}

func TestHalf(t *testing.T) {
	for _, c := range []struct {
		x    float32
		want uint16
	}{
		{0, 0},
		{float32(math.Copysign(0, -1)), 0x8000},
		{1, 0x3c00},
		{-2, 0xc000},
		{0.1, 0x2e66},
		{65504, 0x7bff},
		{65519.996, 0x7bff},
		{65520, 0x7c00},
		{1e30, 0x7c00},
		{float32(math.Inf(-1)), 0xfc00},
		{2049, 0x6800},
		{2051, 0x6802}, // ties, to even
		{0x1p-24, 1},
		{0x1p-25, 0},
		{0x1.8p-25, 1},
		{0x1.8p-24, 2},
		{0x1.ff8p-15, 0x3ff},
		{0x1.ffcp-15, 0x400},
		{0x1.fffp-15, 0x400},
	} {
		if got := half(c.x); got != c.want {
			t.Errorf("%v is %#04x, want %#04x", c.x, got, c.want)
		}
	}
}

// TestHalfNearest checks that no other half lies nearer.
func TestHalfNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float32Range(-65519, 65519).Draw(t, "x")
		h := half(x)
		off := func(h uint16) float64 { return math.Abs(float64(float(h)) - float64(x)) }
		for _, neighbour := range []uint16{h + 1, h - 1} {
			if !math.IsNaN(off(neighbour)) && off(neighbour) < off(h) {
				t.Fatalf("%v becomes %v, but %v is nearer", x, float(h), float(neighbour))
			}
		}
	})
}
