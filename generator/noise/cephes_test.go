package noise

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// fma must round once, also where the float64 sum falls half-way between two float32.
func TestFMARoundsOnce(t *testing.T) {
	const half = 1.0 / (1 << 24) // half a unit of 1
	const bit = 1.0 / (1 << 12)
	for _, c := range []struct {
		name          string
		a, b, c, want float32
	}{
		{"tie, even below", half, 1, 1, 1},
		{"tie, even above", half, 1, 1 + 2*half, 1 + 4*half},
		{"above by 2^-47", half, 1 + 2*half, 1, 1 + 2*half},
		{"below by 2^-48", half, 1 - half, 1 + 2*half, 1 + 2*half},
		{"above by 2^-60", half * (1 + bit), 1 - bit + half, 1, 1 + 2*half},
		{"below by 2^-70", half * (1 + 2*half), 1 - 2*half, 1 + 2*half, 1 + 2*half},
		{"negative, above", -half * (1 + 2*half), 1 - 2*half, -1 - 2*half, -1 - 2*half},
		{"negative, below", -half * (1 + bit), 1 - bit + half, -1, -1 - 2*half},
	} {
		if got := fma(c.a, c.b, c.c); got != c.want {
			t.Errorf("%s: fma(%v, %v, %v) = %v, want %v", c.name, c.a, c.b, c.c, got, c.want)
		}
	}
}

func TestFMAEqualsExactArithmetic(t *testing.T) {
	value := rapid.Float32Range(-8, 8)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := value.Draw(t, "a"), value.Draw(t, "b"), value.Draw(t, "c")
		if got, want := fma(a, b, c), exact(a, b, c); got != want {
			t.Fatalf("fma(%v, %v, %v) = %v, want %v", a, b, c, got, want)
		}
	})
}

// exact returns a*b + c by arithmetic of any length, rounded once.
func exact(a, b, c float32) float32 {
	wide := func(x float32) *big.Float { return new(big.Float).SetPrec(2000).SetFloat64(float64(x)) }
	sum := wide(a)
	sum.Mul(sum, wide(b)).Add(sum, wide(c))
	f, _ := sum.Float32()
	return f
}

func TestLogAndSincosAreAccurate(t *testing.T) {
	near := func(got float32, want float64) bool { return math.Abs(float64(got)-want) < 2e-7*(1+math.Abs(want)) }
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float32Range(1.0/(1<<24), 1).Draw(t, "x")
		if got := log(x); !near(got, math.Log(float64(x))) {
			t.Fatalf("log(%v) = %v", x, got)
		}
		angle := rapid.Float32Range(0, 2*math.Pi).Draw(t, "angle")
		sin, cos := sincos(angle)
		if !near(sin, math.Sin(float64(angle))) || !near(cos, math.Cos(float64(angle))) {
			t.Fatalf("sincos(%v) = %v, %v", angle, sin, cos)
		}
	})
}
