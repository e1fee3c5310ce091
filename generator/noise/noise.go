// Package noise draws the normal noise a picture grows from, with the very bits PyTorch would draw.
//
// A seed is the recipe for a picture only if everybody's generator answers it alike. So a Source is bit-compatible with
// torch.randn(n, generator=torch.Generator().manual_seed(seed)) in float32 on the CPU, as PyTorch computes it on x86
// with AVX2 (its AVX-512 build gives the same bits), on every machine that Go runs on:
//
//   - The engine is MT19937 (M. Matsumoto, T. Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed uniform
//     pseudo-random number generator", 1998), seeded with the low 32 bits of the seed.
//   - Uniforms become normals by the transform of G. Box and M. Muller, "A note on the generation of random normal
//     deviates" (1958).
//   - A draw of fewer than 16 elements works in float64, one number at a time; the second number of each pair is kept
//     for the next such draw.
//   - A draw of 16 or more works in float32 on blocks of 16, with the single-precision polynomials of S. Moshier's Cephes
//     library for the logarithm, sine and cosine. If 16 does not divide the length, the last 16 elements are drawn
//     anew. Such a draw neither uses nor drops a kept number.
//
// Hence the order and the lengths of the draws belong to the recipe: two draws of 16 are one of 32, but two draws of
// 24 are not one of 48. PyTorch built without AVX2 differs by up to 2 units in the last place.
package noise

// Source is one stream of noise, as one torch.Generator is. It is not safe for concurrent use: give each picture its
// own.
type Source struct {
	engine twister
	kept   float64 // the second number of the last pair of a short draw
	isKept bool
}

// New returns the stream that torch.Generator().manual_seed(seed) would give. Only the low 32 bits of seed count: seeds
// that differ by a multiple of 2^32 give the same noise.
func New(seed int64) *Source {
	s := new(Source)
	s.engine.seed(uint32(seed))
	return s
}

// Normal fills dst with the next len(dst) values of mean 0 and variance 1, as one call of torch.randn would.
func (s *Source) Normal(dst []float32) {
	if len(dst) < block {
		s.scalar(dst)
		return
	}
	s.uniform(dst)
	whole := len(dst) / block * block
	for i := 0; i < whole; i += block {
		transform((*[block]float32)(dst[i:]))
	}
	if whole < len(dst) {
		tail := dst[len(dst)-block:]
		s.uniform(tail)
		transform((*[block]float32)(tail))
	}
}

// uniform fills dst with multiples of 2^-24 in [0, 1).
func (s *Source) uniform(dst []float32) {
	for i := range dst {
		dst[i] = float32(s.engine.next()&(1<<24-1)) * (1.0 / (1 << 24))
	}
}
