package sampler

import "math"

// sigmaRun lays out a run of the sigma family (Euler and its kin) of one call a step, and returns the noise level at each
// call and after the last.
func (s *settings) sigmaRun(o Options) (run, []float64, error) {
	times, sigmas, _, err := s.sigmaSchedule(o)
	if err != nil {
		return run{}, nil, err
	}
	r := s.emptySigmaRun(sigmas, o)
	for k := o.Begin; k < len(times); k++ {
		r.addCall(times[k], sigmas[k])
	}
	return r, sigmas[o.Begin:], nil
}

// sigmaSchedule returns the timestep of each step from 0 on, and the noise level of each and after the last. Respaced
// levels span those of the run itself, not of the training, if the file does not say otherwise.
func (s *settings) sigmaSchedule(o Options) (times, sigmas []float64, t table, err error) {
	alphas, err := s.alphas(leastAlpha)
	if err != nil {
		return nil, nil, nil, err
	}
	times, err = s.timesteps(o.Steps, 0, s.NumTrainTimesteps)
	if err != nil {
		return nil, nil, nil, err
	}
	t = newTable(alphas)
	sigmas = s.interpolated(t, single(times))
	other, err := s.respaced(s.top(sigmas), s.bottom(sigmas), o.Steps)
	if err != nil {
		return nil, nil, nil, err
	}
	if other != nil {
		if err := s.checkSpan(other); err != nil {
			return nil, nil, nil, err
		}
		sigmas, times = other, single(t.times(other))
	}
	sigmas, err = s.finished(sigmas, t)
	return times, sigmas, t, err
}

// interpolated returns the levels of timesteps. Those of log_linear take no notice of the timesteps and are one more.
func (s *settings) interpolated(t table, times []float64) []float64 {
	if s.InterpolationType == "log_linear" {
		return exponential(float64(t[len(t)-1]), float64(t[0]), len(times)+1)
	}
	return t.at(times)
}

// top returns the first of the levels to be spaced anew.
func (s *settings) top(sigmas []float64) float64 {
	if s.SigmaMax != nil {
		return *s.SigmaMax
	}
	return sigmas[0]
}

// bottom returns the last of the levels to be spaced anew.
func (s *settings) bottom(sigmas []float64) float64 {
	if s.SigmaMin != nil {
		return *s.SigmaMin
	}
	return sigmas[len(sigmas)-1]
}

// checkSpan finds ends, of the file's own, between which no levels fall.
func (s *settings) checkSpan(sigmas []float64) error {
	beyond := func(end *float64) bool { return end != nil && !(*end >= 1e-6 && *end <= 1e6) }
	switch high := s.top(sigmas); {
	case beyond(s.SigmaMin):
		return unsupported("sigma_min", *s.SigmaMin)
	case beyond(s.SigmaMax) || !(high >= s.bottom(sigmas)):
		return unsupported("sigma_max", high)
	}
	return nil
}

// emptySigmaRun returns a run to which the calls are to be added.
func (s *settings) emptySigmaRun(sigmas []float64, o Options) run {
	return run{initial: s.initial(sigmas[0]), denoised: make([]float32, o.Len)}
}

// addCall adds a call of the sigma family.
func (r *run) addCall(time, sigma float64) {
	r.times = append(r.times, time)
	r.levels = append(r.levels, level{1, float32(sigma)})
	r.scale = append(r.scale, float32(math.Sqrt(sigma*sigma+1)))
}

// addTwice adds the calls of steps from begin on, two each: one at the step's level and one at that of between. The last
// step, which goes to no noise, has only the first.
func (r *run) addTwice(begin int, times, sigmas, timesBetween, between []float64) {
	for k := begin; k < len(times); k++ {
		r.addCall(times[k], sigmas[k])
		if k+1 < len(times) {
			r.addCall(timesBetween[k], between[k])
		}
	}
}

// initial returns what pure noise is multiplied by for a run that begins at this level. Leading stops short of the noisiest
// timestep, so there something of the picture is assumed to be left.
func (s *settings) initial(sigma float64) float32 {
	if s.TimestepSpacing == "leading" {
		return float32(math.Sqrt(sigma*sigma + 1))
	}
	return float32(sigma)
}

// onlyEulers drops the keys that of this family only Euler's own class has.
func (s *settings) onlyEulers() {
	s.RescaleBetasZeroSNR, s.FinalSigmasType, s.InterpolationType = false, "zero", "linear"
}
