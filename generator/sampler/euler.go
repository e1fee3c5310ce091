package sampler

import "math"

// euler is Karras et al. 2022, algorithm 2 without churn: one straight line from each noise level to the next.
type euler struct {
	run
	calls []eulerCall
}

// An eulerCall is what one call does: reads the clean latents, and goes from sigma by the way dt towards them.
type eulerCall struct {
	clean     mix
	sigma, dt float32
}

func newEuler(c Config, o Options) (Sampler, error) {
	s := common
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	if err := s.checkEuler(); err != nil {
		return nil, err
	}
	r, sigmas, err := s.sigmaRun(o)
	if err != nil {
		return nil, err
	}
	if s.TimestepType == "continuous" && s.PredictionType == "v_prediction" { // no other prediction takes notice of it
		r.times = quarterLogs(sigmas[:len(r.times)])
	}
	e := &euler{run: r}
	for i := range r.times {
		e.calls = append(e.calls, s.eulerCall(sigmas[i], sigmas[i+1]))
	}
	return e, nil
}

func (s *settings) checkEuler() error {
	switch {
	case s.InterpolationType != "linear" && s.InterpolationType != "log_linear":
		return unsupported("interpolation_type", s.InterpolationType)
	case s.TimestepType != "discrete" && s.TimestepType != "continuous":
		return unsupported("timestep_type", s.TimestepType)
	case s.TimestepType == "continuous" && s.InterpolationType == "log_linear":
		return unsupported("timestep_type", "continuous beside interpolation_type log_linear")
	}
	return nil
}

// quarterLogs returns what a model with continuous timesteps is told of each level (Karras et al. 2022, table 1, c_noise).
func quarterLogs(sigmas []float64) []float64 {
	times := make([]float64, len(sigmas))
	for i, sigma := range sigmas {
		times[i] = math.Log(sigma) / 4
	}
	return single(times)
}

func (s *settings) eulerCall(sigma, to float64) eulerCall {
	return eulerCall{s.readScaled(sigma), float32(sigma), float32(to - sigma)}
}

func (e *euler) Step(x, out []float32, i int, _ func([]float32)) { e.calls[i].step(x, out, e.denoised) }

func (c eulerCall) step(x, out, clean []float32) {
	out, clean = out[:len(x)], clean[:len(x)]
	for j, v := range x {
		clean[j] = c.clean.of(v, out[j])
		x[j] = v + (v-clean[j])/c.sigma*c.dt
	}
}
