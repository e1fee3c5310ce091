package sampler

import (
	"errors"
	"math"
	"sort"
)

// dpmSchedule returns the whole timesteps, and the noise level of each and after the last. Respaced levels span those
// of the training, unless the file says otherwise, and entire makes the timesteps found for them whole.
func (s *settings) dpmSchedule(o Options, entire func([]float64) []float64) (times, sigmas []float64, err error) {
	alphas, err := s.alphas(leastAlpha)
	if err != nil {
		return nil, nil, err
	}
	t := newTable(alphas)
	end := s.clipped(t)
	if end == 0 {
		return nil, nil, unsupported("lambda_min_clipped", s.LambdaMinClipped)
	}
	times, err = s.timesteps(o.Steps, 1, end)
	if err != nil {
		return nil, nil, err
	}
	sigmas = t.at(whole(times))
	other, err := s.dpmRespaced(t, o.Steps)
	if err != nil {
		return nil, nil, err
	}
	if other != nil {
		sigmas, times = other, entire(t.times(other))
	}
	if o.Begin >= len(times) {
		return nil, nil, errors.New("lambda_min_clipped leaves fewer steps than those passed over: raise the strength or the steps")
	}
	sigmas, err = s.finished(sigmas, t)
	return times, sigmas, err
}

// clipped returns how many training timesteps are left when those whose log-SNR is below the bound are not used.
func (s *settings) clipped(t table) int {
	return sort.Search(len(t), func(i int) bool { return -math.Log(float64(t[i])) < float64(s.LambdaMinClipped) })
}

// dpmRespaced is respaced with one more way, which is even in the log-SNR (Lu et al. 2022) as if exponential, but from
// float32 logarithms.
func (s *settings) dpmRespaced(t table, n int) ([]float64, error) {
	ends := []float64{float64(t[len(t)-1]), float64(t[0])}
	high, low := s.top(ends), s.bottom(ends)
	other, err := s.respaced(high, low, n)
	if s.UseLuLambdas && !s.UseKarrasSigmas {
		other = evenly(float64(float32(math.Log(high))), float64(float32(math.Log(low))), n)
	}
	if other == nil || err != nil {
		return nil, err
	}
	return other, s.checkSpan(other)
}

// evenly spaces the logarithms of levels.
func evenly(from, to float64, n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = math.Exp(from + part(i, n)*(to-from))
	}
	return s
}

// truncated makes timesteps whole towards zero, in place.
func truncated(times []float64) []float64 {
	for i, v := range times {
		times[i] = math.Trunc(v)
	}
	return times
}
