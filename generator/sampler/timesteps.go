package sampler

import (
	"fmt"
	"math"
)

// timesteps spreads the steps over the training timesteps below end, from the noisiest on. The samplers that need the level
// after the last step spread one more and drop it: that is spare, 0 or 1. Under linspace the timesteps may be fractions.
//
// The three ways are those of Lin et al. 2023, table 2.
func (s *settings) timesteps(steps, spare, end int) ([]float64, error) {
	n := steps + spare
	switch s.TimestepSpacing {
	case "linspace":
		t := linspace(float64(end-1), n)
		return t[:steps], nil
	case "leading":
		if end < n {
			return nil, fmt.Errorf("%d steps: timestep_spacing leading leaves room for %d, ask for no more", steps, end-spare)
		}
		return leading(end/n, steps, spare, s.StepsOffset), nil
	case "trailing":
		return trailing(end, steps, float64(s.NumTrainTimesteps)/float64(steps)), nil
	}
	return nil, unsupported("timestep_spacing", s.TimestepSpacing)
}

// linspace returns n even steps from last down to 0; one alone is 0.
func linspace(last float64, n int) []float64 {
	t := make([]float64, n)
	for i := range n - 1 {
		t[n-1-i] = float64(i) * (last / float64(n-1))
	}
	if n > 1 {
		t[0] = last
	}
	return t
}

// leading returns every ratio-th timestep, counted from spare and shifted by offset.
func leading(ratio, steps, spare, offset int) []float64 {
	t := make([]float64, steps)
	for i := range t {
		t[i] = float64((steps-1-i+spare)*ratio + offset)
	}
	return t
}

// trailing counts down from end by step, which need not be whole, at most steps times, and rounds half to even. The step
// is first rounded as NumPy's arange does, by way of the first two values, since halves hang on it.
func trailing(end, steps int, step float64) []float64 {
	from := float64(end)
	t := make([]float64, min(int(math.Ceil(from/step)), steps))
	step = from - (from - step)
	for i := range t {
		t[i] = math.RoundToEven(from-float64(float64(i)*step)) - 1
	}
	return t
}

// whole rounds timesteps half to even, in place.
func whole(t []float64) []float64 {
	for i, v := range t {
		t[i] = math.RoundToEven(v)
	}
	return t
}

// single rounds timesteps to float32, in place.
func single(t []float64) []float64 {
	for i, v := range t {
		t[i] = float64(float32(v))
	}
	return t
}
