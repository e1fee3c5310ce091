package sampler

import (
	"math"
	"sort"
)

// A table holds the noise level of each training timestep: sigma = sqrt((1-a)/a), rising, in float32. It is the level at
// which the picture keeps its size and noise is added, as in T. Karras et al., "Elucidating the Design Space of
// Diffusion-Based Generative Models" (2022).
type table []float32

func newTable(alphas []float32) table {
	t := make(table, len(alphas))
	for i, a := range alphas {
		t[i] = sqrt((1 - a) / a)
	}
	return t
}

// at returns the levels of timesteps, between whole ones by a straight line; outside the table, its end.
func (t table) at(times []float64) []float64 {
	s := make([]float64, len(times))
	for i, v := range times {
		low := min(max(int(v), 0), len(t)-1)
		high := min(low+1, len(t)-1)
		from, to := float64(t[low]), float64(t[high])
		s[i] = from + float64((v-float64(low))*(to-from))
	}
	return s
}

// times returns the timesteps of levels, between whole ones by a straight line in the logarithm.
func (t table) times(sigmas []float64) []float64 {
	times := make([]float64, len(sigmas))
	for i, s := range sigmas {
		times[i] = t.time(math.Log(max(s, 1e-10)))
	}
	return times
}

func (t table) time(logarithm float64) float64 {
	log := func(i int) float64 { return float64(float32(math.Log(float64(t[i])))) }
	above := sort.Search(len(t), func(i int) bool { return log(i) > logarithm })
	low := min(max(above-1, 0), len(t)-2)
	from, to := log(low), log(low+1)
	if from == to {
		return float64(low)
	}
	w := min(max((from-logarithm)/(from-to), 0), 1)
	return (1-w)*float64(low) + w*float64(low+1)
}

// respaced returns n levels from high down to low, spaced as the file asks, or nil if it does not ask.
func (s *settings) respaced(high, low float64, n int) ([]float64, error) {
	switch {
	case s.UseKarrasSigmas && s.UseExponentialSigmas:
		return nil, unsupported("use_exponential_sigmas", "true beside use_karras_sigmas")
	case s.UseBetaSigmas && (s.UseKarrasSigmas || s.UseExponentialSigmas):
		return nil, unsupported("use_beta_sigmas", "true beside another spacing of the levels")
	case s.UseBetaSigmas:
		return betaSpaced(high, low, n), nil
	case s.UseKarrasSigmas:
		return karras(high, low, n), nil
	case s.UseExponentialSigmas:
		return exponential(high, low, n), nil
	}
	return nil, nil
}

// karras spaces levels evenly in their seventh root (Karras et al. 2022, equation 5).
func karras(high, low float64, n int) []float64 {
	const rho = 7
	from, to := math.Pow(high, 1.0/rho), math.Pow(low, 1.0/rho)
	s := make([]float64, n)
	for i := range s {
		s[i] = math.Pow(from+part(i, n)*(to-from), rho)
	}
	return s
}

// exponential spaces levels evenly in their logarithm.
func exponential(high, low float64, n int) []float64 {
	from, to := math.Log(high), math.Log(low)
	s := make([]float64, n)
	for i := range s {
		s[i] = math.Exp(from + part(i, n)*(to-from))
	}
	return s
}

// part returns how far element i of n lies on the way from the first to the last, 0 to 1.
func part(i, n int) float64 {
	if n == 1 {
		return 0
	}
	return float64(i) / float64(n-1)
}

// finished appends the level after the last step, and rounds all to float32.
func (s *settings) finished(sigmas []float64, t table) ([]float64, error) {
	switch s.FinalSigmasType {
	case "zero":
		return single(append(sigmas, 0)), nil
	case "sigma_min":
		return single(append(sigmas, float64(t[0]))), nil
	}
	return nil, unsupported("final_sigmas_type", s.FinalSigmasType)
}
