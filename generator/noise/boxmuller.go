package noise

import "math"

// block is how many uniforms the float32 transform takes at a time: 8 for the radii, 8 for the angles.
const block = 16

// scalar draws one number after the other in float64, two uniforms a pair, and keeps the odd one out.
func (s *Source) scalar(dst []float32) {
	for i := range dst {
		if s.isKept {
			dst[i], s.isKept = float32(s.kept), false
			continue
		}
		angle := 2 * math.Pi * s.unit()
		radius := math.Sqrt(-2 * math.Log1p(-s.unit()))
		sin, cos := math.Sincos(angle)
		dst[i] = float32(radius * cos)
		s.kept, s.isKept = radius*sin, true
	}
}

// unit returns a multiple of 2^-53 in [0, 1).
func (s *Source) unit() float64 { return float64(s.engine.next53()) * (1.0 / (1 << 53)) }

// transform turns 16 uniforms in [0, 1) into 16 normals, in place: elements j and j+8 make a pair.
func transform(d *[block]float32) {
	for j := range block / 2 {
		radius := float32(math.Sqrt(float64(-2 * log(1-d[j]))))
		sin, cos := sincos(2 * math.Pi * d[j+block/2])
		d[j] = radius*cos + 0 // adding 0 leaves no negative zero
		d[j+block/2] = radius*sin + 0
	}
}
