package sampler

import "math"

// A stride is the exact part of the way from one noise level to a lower one: what becomes of the older sample, and the
// integral over estimates that do not change. The four algorithms differ in little else: DPM-Solver (Lu et al. 2022) solves
// over the noise, DPM-Solver++ over the clean latents, and each with or without fresh noise.
type stride struct {
	sample float64 // the older sample's weight
	scale  float64 // what all the estimates' weights have in common
	h      float64 // the fall of log sigma: negative for clean latents, twice for fresh noise with them
	fresh  float64 // the weight of fresh noise
}

func (s *settings) stride(from, to float64) stride {
	before, shareBefore := split(from)
	alpha, share := split(to)
	h := math.Log(from / to)
	switch s.AlgorithmType {
	case "dpmsolver":
		return stride{alpha / before, -share, h, 0}
	case "sde-dpmsolver":
		return stride{alpha / before, -2 * share, h, share * math.Sqrt(math.Expm1(2*h))}
	case "sde-dpmsolver++":
		return stride{share / shareBefore * to / from, -alpha, -2 * h, share * math.Sqrt(-math.Expm1(-2*h))}
	}
	return stride{share / shareBefore, -alpha, -h, 0}
}

// ofNoise says whether the estimates are of the noise, not of the clean latents.
func (s *settings) ofNoise() bool {
	return s.AlgorithmType == "dpmsolver" || s.AlgorithmType == "sde-dpmsolver"
}

// draws says whether every step draws fresh noise.
func (s *settings) draws() bool {
	return s.AlgorithmType == "sde-dpmsolver" || s.AlgorithmType == "sde-dpmsolver++"
}

// weights makes the sum of these weights of the estimates.
func (w stride) weights(estimates ...float64) weights {
	sum := weights{sample: float32(w.sample), fresh: float32(w.fresh)}
	for _, v := range estimates {
		sum.estimates = append(sum.estimates, float32(v))
	}
	return sum
}

// standstill is the sum over a step to an equal level, or one above by a rounding, where nothing changes.
var standstill = weights{sample: 1, estimates: []float32{0}}

// value returns the weight of the estimate itself, slope that of its slope in a step of second order.
func (w stride) value() float64 { return w.scale * math.Expm1(w.h) }

func (s *settings) slope(w stride) float64 {
	if s.SolverType == "midpoint" {
		return w.value() / 2
	}
	return w.exactSlope()
}

func (w stride) exactSlope() float64 { return w.scale * (math.Expm1(w.h)/w.h - 1) }

// bend returns the weight of the second derivative. In sde-dpmsolver++ diffusers has the other sign before the half.
func (s *settings) bend(w stride) float64 {
	half := 0.5
	if s.AlgorithmType == "sde-dpmsolver++" {
		half = -half
	}
	return w.scale * ((math.Expm1(w.h)-w.h)/(w.h*w.h) - half)
}

// apart returns the order of step k, lowered so that no slope is taken between equal levels.
func apart(sigmas []float64, k, order int) int {
	for back := 1; back < order; back++ {
		if sigmas[k-back] == sigmas[k-back+1] {
			return back
		}
	}
	return order
}

// fall returns how far the logarithm of the level falls from step i to step k.
func fall(sigmas []float64, i, k int) float64 { return math.Log(sigmas[i] / sigmas[k]) }
