package sampler

import (
	"errors"
	"fmt"
	"math"
)

// leastAlpha is what stands for a cumulative alpha of zero where its noise level, else infinite, is needed.
const leastAlpha = 1.0 / (1 << 24)

// alphas returns the cumulative product of 1-beta at each training timestep: the share of the picture, squared, that is
// left in the sample. It falls from below 1 to above 0; rescaled to zero SNR it falls to least, which may be 0. (diffusers
// lets only the last be least, so that those before it may lie below.)
//
// J. Ho, A. Jain, P. Abbeel, "Denoising Diffusion Probabilistic Models" (2020).
func (s *settings) alphas(least float32) ([]float32, error) {
	betas, err := s.betas()
	if err != nil {
		return nil, err
	}
	for i, b := range betas {
		if !(b > 0 && b < 1) {
			return nil, fmt.Errorf("scheduler_config.json: the beta of timestep %d is %v, outside 0 to 1: check beta_start, beta_end and trained_betas", i, b)
		}
	}
	a := cumulative(betas)
	last := len(a) - 1
	if s.RescaleBetasZeroSNR {
		a = rescale(a)
		for i, v := range a {
			a[i] = max(v, least)
		}
	}
	for i, v := range a {
		if !(v < 1) || !(v > 0 || i == last && v == least) || i > 0 && !(v <= a[i-1]) {
			return nil, errors.New("scheduler_config.json: the betas run out of float32: check num_train_timesteps, beta_start, beta_end and trained_betas")
		}
	}
	return a, nil
}

// betas returns the variance that each training timestep added.
func (s *settings) betas() ([]float32, error) {
	switch n := s.NumTrainTimesteps; {
	case s.TrainedBetas != nil:
		return trained(s.TrainedBetas, n)
	case s.BetaSchedule == "linear":
		return ramp(s.BetaStart, s.BetaEnd, n), nil
	case s.BetaSchedule == "scaled_linear":
		b := ramp(math.Sqrt(s.BetaStart), math.Sqrt(s.BetaEnd), n)
		for i := range b {
			b[i] *= b[i]
		}
		return b, nil
	case s.BetaSchedule == "squaredcos_cap_v2":
		return cosine(n), nil
	}
	return nil, unsupported("beta_schedule", s.BetaSchedule)
}

func trained(betas []float64, n int) ([]float32, error) {
	if len(betas) != n {
		return nil, fmt.Errorf("scheduler_config.json: %d trained_betas for a num_train_timesteps of %d", len(betas), n)
	}
	b := make([]float32, n)
	for i, v := range betas {
		b[i] = float32(v)
	}
	return b, nil
}

// ramp returns n even steps from start to end with the bits of torch.linspace, which counts from the nearer end and rounds
// once.
func ramp(start, end float64, n int) []float32 {
	first, last := float32(start), float32(end)
	step := (last - first) / float32(n-1)
	r := make([]float32, n)
	for i := range r {
		if i < n/2 {
			r[i] = float32(float64(first) + float64(i)*float64(step))
		} else {
			r[i] = float32(float64(last) - float64(n-1-i)*float64(step))
		}
	}
	return r
}

// cosine returns the betas of A. Nichol, P. Dhariwal, "Improved Denoising Diffusion Probabilistic Models" (2021).
func cosine(n int) []float32 {
	left := func(i int) float64 {
		c := math.Cos((float64(i)/float64(n) + 0.008) / 1.008 * math.Pi / 2)
		return c * c
	}
	b := make([]float32, n)
	for i := range b {
		b[i] = float32(min(1-left(i+1)/left(i), 0.999))
	}
	return b
}

// cumulative returns the running product of 1-beta, kept in float64 and rounded at each element.
func cumulative(betas []float32) []float32 {
	product := 1.0
	a := make([]float32, len(betas))
	for i, b := range betas {
		product *= float64(1 - b)
		a[i] = float32(product)
	}
	return a
}

// rescale shifts and stretches the square roots of the cumulative alphas so that the last is 0 and the first stays
// (S. Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", 2023, algorithm 1).
func rescale(a []float32) []float32 {
	first, last := sqrt(a[0]), sqrt(a[len(a)-1])
	stretch := first / (first - last)
	betas := make([]float32, len(a))
	before := float32(1)
	for i, v := range a {
		root := (sqrt(v) - last) * stretch
		square := root * root
		betas[i] = 1 - square/before
		before = square
	}
	return cumulative(betas)
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
