package sampler

import "math"

// heun is Karras et al. 2022, algorithm 1: a step of Euler, a second look from where it leads, and the step again by the
// mean of both slopes. The last step, to no noise, is Euler's.
type heun struct {
	run
	calls         []heunCall
	clip          float32   // bound on the clean latents, infinite for none
	before, slope []float32 // the sample and the slope of the step's first call
}

// A heunCall is what one call does: reads the clean latents at sigma, and goes the way dt, again if it is the second.
type heunCall struct {
	eulerCall
	second bool
}

func newHeun(c Config, o Options) (Sampler, error) {
	s := common
	s.BetaStart, s.BetaEnd = 0.00085, 0.012
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	s.onlyEulers()
	if s.ClipSample && !(s.ClipSampleRange > 0) {
		return nil, unsupported("clip_sample_range", s.ClipSampleRange)
	}
	if s.BetaSchedule == "exp" && s.TrainedBetas == nil { // which only this class has
		s.TrainedBetas = evenBetas(s.NumTrainTimesteps)
	}
	times, sigmas, _, err := s.sigmaSchedule(o)
	if err != nil {
		return nil, err
	}
	return s.heun(times, sigmas, o), nil
}

// evenBetas returns the betas of a cumulative alpha that falls to exp(-12) evenly in its logarithm.
func evenBetas(n int) []float64 {
	b := make([]float64, n)
	for i := range b {
		b[i] = -math.Expm1(-12 / float64(n))
	}
	return b
}

func (s *settings) heun(times, sigmas []float64, o Options) *heun {
	h := &heun{run: s.emptySigmaRun(sigmas, o), clip: float32(math.Inf(1)), before: make([]float32, o.Len), slope: make([]float32, o.Len)}
	h.addTwice(o.Begin, times, sigmas, times[1:], sigmas[1:])
	if s.ClipSample {
		h.clip = float32(s.ClipSampleRange)
	}
	for k := o.Begin; k < len(times); k++ {
		first := s.eulerCall(sigmas[k], sigmas[k+1])
		h.calls = append(h.calls, heunCall{first, false})
		if k+1 < len(times) {
			second := eulerCall{s.readScaled(sigmas[k+1]), float32(sigmas[k+1]), first.dt}
			h.calls = append(h.calls, heunCall{second, true})
		}
	}
	return h
}

func (h *heun) Step(x, out []float32, i int, _ func([]float32)) {
	if h.calls[i].second {
		h.again(x, out, h.calls[i])
		return
	}
	c, out, clean := h.calls[i], out[:len(x)], h.denoised[:len(x)]
	before, slope := h.before[:len(x)], h.slope[:len(x)]
	for j, v := range x {
		clean[j] = clamp(c.clean.of(v, out[j]), h.clip)
		before[j], slope[j] = v, (v-clean[j])/c.sigma
		x[j] = v + slope[j]*c.dt
	}
}

// again does the step anew from where it began.
func (h *heun) again(x, out []float32, c heunCall) {
	out, clean, before, slope := out[:len(x)], h.denoised[:len(x)], h.before[:len(x)], h.slope[:len(x)]
	for j, v := range x {
		clean[j] = clamp(c.clean.of(v, out[j]), h.clip)
		x[j] = before[j] + (slope[j]+(v-clean[j])/c.sigma)/2*c.dt
	}
}
