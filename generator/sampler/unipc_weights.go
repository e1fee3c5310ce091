package sampler

import (
	"math"
	"slices"
)

// plan finds the weights of all steps from begin on.
func (s *settings) plan(u *unipc, sigmas []float64, begin int) {
	var correct *weights // what follows the step before
	for k := begin; k < len(sigmas)-1; k++ {
		u.corrects = append(u.corrects, correct)
		order := s.unipcOrder(sigmas, k, k-begin)
		predict := standstill
		correct = nil
		if sigmas[k] > sigmas[k+1] {
			w := s.unipcStride(sigmas, k, order)
			predict, correct = w.predict(), w.correct()
		}
		if slices.Contains(s.DisableCorrector, k) {
			correct = nil
		}
		u.predicts = append(u.predicts, predict)
	}
}

// unipcOrder returns the order of step k: no more than there are estimates, nor, unless the file wants it, than there are steps
// left. Of a way to no noise only the first order is finite.
func (s *settings) unipcOrder(sigmas []float64, k, past int) int {
	order := min(s.SolverOrder, past+1)
	switch left := len(sigmas) - 1 - k; {
	case sigmas[k+1] == 0:
		return 1
	case s.LowerOrderFinal:
		order = min(order, left)
	}
	return apart(sigmas, k, order)
}

// A unipcStride is a stride with what corrects it: differences of estimates to that at its beginning, each at a distance
// which is a share of the stride's own, negative for the older estimates and 1 for the one at its end.
type unipcStride struct {
	stride
	value  float64   // the weight of the estimate at the beginning
	b      float64   // B(h) of the paper, with the stride's scale
	shares []float64 // of the older estimates, newest first
	phis   []float64 // the sums over shares and weights that the weights have to give, beginning with the plain sum
}

func (s *settings) unipcStride(sigmas []float64, k, order int) unipcStride {
	w := unipcStride{stride: s.stride(sigmas[k], sigmas[k+1])}
	w.value, w.b = w.stride.value(), w.stride.value()
	if s.SolverType == "bh1" {
		w.b = w.scale * w.h
	}
	if sigmas[k+1] == 0 { // the limit, which is finite over the noise as well
		alpha, share := split(sigmas[k])
		w.value = 1
		if s.ofNoise() {
			w.sample, w.value = 1/alpha, -share/alpha
		}
		return w
	}
	for back := 1; back < order; back++ {
		w.shares = append(w.shares, -fall(sigmas, k-back, k)/fall(sigmas, k, k+1))
	}
	w.phis = phis(w.h, w.scale/w.b, order)
	return w
}

// phis returns, for n from 1 up to the order, n! times the n+1st phi function of exponential integrators at h, times h and by.
func phis(h, by float64, order int) []float64 {
	phi, factorial := math.Expm1(h)/h-1, 1.0
	p := make([]float64, order)
	for i := range p {
		p[i] = phi * factorial * by
		factorial *= float64(i + 2)
		phi = phi/h - 1/factorial
	}
	return p
}

// predict goes without the estimate at the end. The second order's only weight is set to a half.
func (w unipcStride) predict() weights {
	rhos := []float64{0.5}
	if len(w.shares) != 1 {
		rhos = moments(w.shares, w.phis)
	}
	return w.spread(w.shares, rhos)
}

// correct goes with the estimate at the end. The first order's only weight is set to a half.
func (w unipcStride) correct() *weights {
	shares, rhos := append([]float64{1}, w.shares...), []float64{0.5}
	if len(shares) > 1 {
		rhos = moments(shares, w.phis)
	}
	sum := w.spread(w.shares, rhos[1:])
	end := w.b * rhos[0]
	sum.estimates[0] -= float32(end)
	sum.estimates = append([]float32{float32(end)}, sum.estimates...)
	return &sum
}

// spread turns weights of differences into weights of estimates.
func (w unipcStride) spread(shares, rhos []float64) weights {
	estimates := []float64{w.value}
	for i, r := range shares {
		v := w.b * rhos[i] / r
		estimates = append(estimates, v)
		estimates[0] -= v
	}
	return w.weights(estimates...)
}

// moments returns the weights of values at these shares that sum to the first of phis, with the shares as factors to the
// second, with their squares to the third, and so on. Each weight is what the polynomial sums to that is 1 at its share and
// 0 at the others.
func moments(shares, phis []float64) []float64 {
	rhos := make([]float64, len(shares))
	for j, at := range shares {
		polynomial := []float64{1}
		for m, root := range shares {
			if m != j {
				polynomial = rooted(polynomial, root, at)
			}
		}
		for i, c := range polynomial {
			rhos[j] += c * phis[i]
		}
	}
	return rhos
}

// rooted gives a polynomial, lowest power first, another root and leaves its value at a point as it is.
func rooted(polynomial []float64, root, at float64) []float64 {
	p := make([]float64, len(polynomial)+1)
	for i, c := range polynomial {
		c /= at - root
		p[i] -= c * root
		p[i+1] += c
	}
	return p
}
