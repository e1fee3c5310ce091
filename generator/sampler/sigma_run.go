package sampler

import "math"

// sigmaRun lays out a run of the sigma family (Euler and its kin) and returns the noise level at each call and after
// the last. Respaced levels span those of the run itself, not of the training.
func (s *settings) sigmaRun(o Options) (run, []float64, error) {
	alphas, err := s.alphas(leastAlpha)
	if err != nil {
		return run{}, nil, err
	}
	times, err := s.timesteps(o.Steps, 0, s.NumTrainTimesteps)
	if err != nil {
		return run{}, nil, err
	}
	t := newTable(alphas)
	sigmas := t.at(single(times))
	other, err := s.respaced(sigmas[0], sigmas[len(sigmas)-1], o.Steps)
	if err != nil {
		return run{}, nil, err
	}
	if other != nil {
		sigmas, times = other, single(t.times(other))
	}
	sigmas, err = s.finished(sigmas, t)
	if err != nil {
		return run{}, nil, err
	}
	r := run{times: times[o.Begin:], initial: s.initial(sigmas[0]), denoised: make([]float32, o.Len)}
	sigmas = sigmas[o.Begin:]
	for _, sigma := range sigmas[:len(r.times)] {
		r.levels = append(r.levels, level{1, float32(sigma)})
		r.scale = append(r.scale, float32(math.Sqrt(sigma*sigma+1)))
	}
	return r, sigmas, nil
}

// initial returns what pure noise is multiplied by for a run that begins at this level. Leading stops short of the noisiest
// timestep, so there something of the picture is assumed to be left.
func (s *settings) initial(sigma float64) float32 {
	if s.TimestepSpacing == "leading" {
		return float32(math.Sqrt(sigma*sigma + 1))
	}
	return float32(sigma)
}
