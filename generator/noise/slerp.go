package noise

import "math"

// parallel is the cosine above which two noises count as one direction.
const parallel = 0.9995

// Slerp writes to dst the noise that lies the part t, 0 to 1, of the way from a to b along the arc between them
// (K. Shoemake, "Animating rotation with quaternion curves", 1985). Along the straight line the middle would be too
// quiet to be noise; along the arc the norm stays between those of a and b, and so a picture varies a little when t is small. At 0 it
// is a, at 1 it is b. Noises in nearly one direction, or opposite ones, which share no single arc, are mixed along the
// line. All three have the same length, and dst may be a or b.
//
// The whole vector is taken as one. AUTOMATIC1111's web UI, which made variation seeds known, measures the angle
// of each column apart; its variations differ a little.
func Slerp(dst, a, b []float32, t float64) {
	wa, wb := weights(cosine(a, b), t)
	b, dst = b[:len(a)], dst[:len(a)]
	for i := range a {
		dst[i] = float32(wa*float64(a[i]) + wb*float64(b[i]))
	}
}

// weights returns the shares of two vectors with this cosine between them.
func weights(cosine, t float64) (a, b float64) {
	if !(math.Abs(cosine) <= parallel) { // also when a vector is zero and the cosine NaN
		return 1 - t, t
	}
	angle := math.Acos(cosine)
	return math.Sin((1-t)*angle) / math.Sin(angle), math.Sin(t*angle) / math.Sin(angle)
}

// cosine returns the cosine of the angle between two vectors.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i, x := range a {
		x, y := float64(x), float64(b[i])
		ab += x * y
		aa += x * x
		bb += y * y
	}
	return ab / math.Sqrt(aa*bb)
}
