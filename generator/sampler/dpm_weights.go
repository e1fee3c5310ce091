package sampler

import "math"

// dpmWeights are the weights of one step: of the sample, and of the estimates of the clean latents, newest first.
type dpmWeights struct {
	sample float32
	clean  [3]float32
	order  int // how many estimates count
}

// dpmStep returns the weights of step k, after past calls of this run.
func (s *settings) dpmStep(sigmas []float64, k, past int) dpmWeights {
	order := s.dpmOrder(k, len(sigmas)-1, past)
	for back := 1; back < order; back++ { // a gap of nothing tells nothing of the slope
		if sigmas[k-back] == sigmas[k-back+1] {
			order = back
		}
	}
	if sigmas[k] == sigmas[k+1] {
		return dpmWeights{sample: 1, order: 1}
	}
	return s.weigh(sigmas, k, order)
}

// weigh works in h, the fall of log sigma over the step, and in the slope and the bend of the clean latents against it,
// found from the differences of the estimates.
func (s *settings) weigh(sigmas []float64, k, order int) dpmWeights {
	gap := func(k int) float64 { return math.Log(sigmas[k] / sigmas[k+1]) }
	alpha, share := split(sigmas[k+1])
	_, from := split(sigmas[k])
	h, gone := gap(k), 1-sigmas[k+1]/sigmas[k]
	clean := [3]float64{gone}
	switch order {
	case 2:
		slope := s.slope(h, gone) * h / gap(k-1)
		clean[0] += slope
		clean[1] -= slope
	case 3:
		clean = thirdOrder(h, gone, gap(k-1)/h, gap(k-2)/h)
	}
	w := dpmWeights{sample: float32(share / from), order: order}
	for i, v := range clean {
		w.clean[i] = float32(alpha * v)
	}
	return w
}

// slope returns the weight of the slope in a step of second order; gone is 1 - exp(-h).
func (s *settings) slope(h, gone float64) float64 {
	if s.SolverType == "heun" {
		return 1 - gone/h
	}
	return gone / 2
}

// thirdOrder returns the weights of three estimates whose older gaps are r0 and r1 times h.
func thirdOrder(h, gone, r0, r1 float64) [3]float64 {
	slope, bend := 1-gone/h, (h-gone)/(h*h)-0.5
	both := (slope*r0 - bend) / (r0 + r1)
	newer, older := (slope+both)/r0, both/r1
	return [3]float64{gone + newer, -newer - older, older}
}

// dpmOrder returns the order of step k of n: no more than there are estimates, and lower at the end, where the last levels
// lie far apart in their logarithms.
func (s *settings) dpmOrder(k, n, past int) int {
	few := s.LowerOrderFinal && n < 15
	order := min(s.SolverOrder, past+1)
	switch {
	case k == n-1 && (few || s.EulerAtFinal || s.FinalSigmasType == "zero"):
		return 1
	case k == n-2 && few:
		return min(order, 2)
	}
	return order
}
