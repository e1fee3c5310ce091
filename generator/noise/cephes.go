package noise

import "math"

// The functions below follow the single-precision routines of Cephes (S. Moshier, "Methods and Programs for
// Mathematical Functions", 1989) in the order of operations that a vectorising compiler gives them where fused
// multiply-add exists. Every conversion to float32 marks a rounding; none may be added or left out.

// The coefficients of log(1+x), highest power first, and log 2 in two parts.
const (
	l0 = 7.0376836292e-2
	l1 = -1.1514610310e-1
	l2 = 1.1676998740e-1
	l3 = -1.2420140846e-1
	l4 = 1.4249322787e-1
	l5 = -1.6668057665e-1
	l6 = 2.0000714765e-1
	l7 = -2.4999993993e-1
	l8 = 3.3333331174e-1

	log2Low  = -2.12194440e-4
	log2High = 0.693359375
)

// log returns the natural logarithm of x, a normal number above 0.
func log(x float32) float32 {
	x, e := split(x)
	z := x * x
	y := fma(l0, x, l1)
	y = fma(y, x, l2)
	y = fma(y, x, l3)
	y = fma(y, x, l4)
	y = fma(y, x, l5)
	y = fma(y, x, l6)
	y = fma(y, x, l7)
	y = fma(y, x, l8)
	y *= x
	y = fma(y, z, float32(e*log2Low))
	y = fma(z, -0.5, y)
	return fma(e, log2High, x+y)
}

// split returns m and e such that x = (1+m) 2^e and 1+m lies in [sqrt(1/2), sqrt(2)).
func split(x float32) (m, e float32) {
	bits := math.Float32bits(x)
	e = float32(int(bits>>23) - 126)
	m = math.Float32frombits(bits&(1<<23-1) | 126<<23)
	if m < math.Sqrt2/2 {
		return m + m - 1, e - 1 // exact, as every step is
	}
	return m - 1, e
}

// A quarter of pi in three parts, and the coefficients of sine and cosine on [-pi/4, pi/4], highest power first.
const (
	quarter0 = 0.78515625
	quarter1 = 2.4187564849853515625e-4
	quarter2 = 3.77489497744594108e-8

	s0 = -1.9515295891e-4
	s1 = 8.3321608736e-3
	s2 = -1.6666654611e-1

	c0 = 2.443315711809948e-5
	c1 = -1.388731625493765e-3
	c2 = 4.166664568298827e-2
)

// sincos returns the sine and cosine of x, which is not negative and small enough for x*4/pi to be an int32.
func sincos(x float32) (sin, cos float32) {
	octant := (int32(x*(4/math.Pi)) + 1) &^ 1
	j := float32(octant)
	x = fma(j, -quarter0, x)
	x = fma(j, -quarter1, x)
	x = fma(j, -quarter2, x)
	z := x * x
	c := fma(c0, z, c1)
	c = fma(c, z, c2) * z
	c = fma(c, z, -(z*0.5)) + 1
	s := fma(s0, z, s1)
	s = fma(s, z, s2) * z
	s = fma(s, x, x)
	return quadrant(s, c, octant)
}

// quadrant puts the sine and cosine of the angle within its octant in their places and gives them their signs.
func quadrant(s, c float32, octant int32) (sin, cos float32) {
	if octant&2 != 0 {
		s, c = c, s
	}
	if octant&4 != 0 {
		s = -s
	}
	if (octant-2)&4 == 0 {
		c = -c
	}
	return s, c
}

// fma returns a*b + c rounded once to float32. The product of two float32 is exact in float64, so only the sum needs
// care: rounded to float64 it may fall on the middle of two float32, where a second rounding goes astray.
func fma(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	sum := p + float64(c)
	if math.Float64bits(sum)&(1<<29-1) == 1<<28 {
		return middleOf(sum, p, float64(c))
	}
	return float32(sum)
}

// middleOf rounds p + c to float32, where sum is p + c rounded to float64 and lies half-way between two float32.
func middleOf(sum, p, c float64) float32 {
	b := sum - p
	rest := (p - (sum - b)) + (c - b) // what rounding to sum lost (Knuth's two-sum)
	switch {
	case rest > 0:
		sum = math.Nextafter(sum, math.Inf(1))
	case rest < 0:
		sum = math.Nextafter(sum, math.Inf(-1))
	}
	return float32(sum)
}
