package sampler

import "math"

// lms is the linear multistep method (Adams-Bashforth) on uneven levels: the slopes of up to four calls, as a polynomial in
// sigma, integrated over the step (K. Crowson, k-diffusion, sample_lms).
type lms struct {
	run
	calls  []lmsCall
	slopes [lmsOrder][]float32 // of the latest calls, call i's at i mod lmsOrder
}

const lmsOrder = 4

// An lmsCall is what one call does: reads the clean latents, at a level, and adds up slopes, newest first.
type lmsCall struct {
	clean   mix
	sigma   float32
	weights []float32
}

func newLMS(c Config, o Options) (Sampler, error) {
	s := common
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	s.onlyEulers()
	if s.UseKarrasSigmas { // where this class, unlike its kin, reads no ends
		s.SigmaMin, s.SigmaMax = nil, nil
	}
	times, sigmas, _, err := s.sigmaSchedule(o)
	if err != nil {
		return nil, err
	}
	l := &lms{run: s.emptySigmaRun(sigmas, o)}
	for i := range l.slopes {
		l.slopes[i] = make([]float32, o.Len)
	}
	for k := o.Begin; k < len(times); k++ {
		l.addCall(times[k], sigmas[k])
		weights := lmsWeights(sigmas, k)
		weights = weights[:min(len(weights), k-o.Begin+1)] // diffusers weighs as if the steps before the first had been made
		l.calls = append(l.calls, lmsCall{s.readScaled(sigmas[k]), float32(sigmas[k]), weights})
	}
	return l, nil
}

// lmsWeights integrates, for each slope that step k knows, the polynomial that is 1 at its level and 0 at the others'. Two
// Gauss points do that exactly for a cubic.
func lmsWeights(sigmas []float64, k int) []float32 {
	var known []float64 // levels, newest first
	for back := k; back >= 0 && len(known) < lmsOrder; back-- {
		if back < k && sigmas[back] == sigmas[back+1] { // a gap of nothing tells nothing of the bend
			break
		}
		known = append(known, sigmas[back])
	}
	half := (sigmas[k+1] - sigmas[k]) / 2
	middle, off := sigmas[k]+half, half/math.Sqrt(3)
	w := make([]float32, len(known))
	for j := range w {
		w[j] = float32(half * (lagrange(known, j, middle-off) + lagrange(known, j, middle+off)))
	}
	return w
}

// lagrange returns, at x, the polynomial that is 1 at node j and 0 at the others.
func lagrange(nodes []float64, j int, x float64) float64 {
	product := 1.0
	for i, n := range nodes {
		if i != j {
			product *= (x - n) / (nodes[j] - n)
		}
	}
	return product
}

func (l *lms) Step(x, out []float32, i int, _ func([]float32)) {
	c, out, clean, slope := l.calls[i], out[:len(x)], l.denoised[:len(x)], l.slopes[i%lmsOrder][:len(x)]
	newest := c.weights[0]
	for j, v := range x {
		clean[j] = c.clean.of(v, out[j])
		slope[j] = (v - clean[j]) / c.sigma
		x[j] = v + newest*slope[j]
	}
	for back := 1; back < len(c.weights); back++ {
		add(x, c.weights[back], l.slopes[(i-back)%lmsOrder])
	}
}
