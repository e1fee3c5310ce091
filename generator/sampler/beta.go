package sampler

import "math"

// betaSpaced spaces levels by the quantiles of the symmetric beta distribution, closely at both ends (T. Lee et al., "Beta
// Sampling is All You Need: Efficient Image Generation Strategy for Diffusion Models using Stepwise Spectral Analysis",
// 2024).
func betaSpaced(high, low float64, n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = low + quantile(1-part(i, n))*(high-low)
	}
	return s
}

// betaShape is both parameters of the distribution.
const betaShape = 0.6

// quantile returns the x below which the share p of the distribution lies, 0 to 1.
//
// The cumulative distribution is x^a/(a B(a,a)) F(x), where F, a hypergeometric series, moves only from 1 to 1.1 up to the
// middle. So x is found by turns from F and F from x; each turn leaves less than a third of the error.
func quantile(p float64) float64 {
	if p > 0.5 {
		return 1 - quantile(1-p)
	}
	whole, _ := math.Lgamma(2 * betaShape)
	half, _ := math.Lgamma(betaShape)
	scaled := p * betaShape * math.Exp(2*half-whole)
	x := 0.0
	for range 40 {
		x = math.Pow(scaled/hypergeometric(x), 1/betaShape)
	}
	return x
}

// hypergeometric returns 2F1(a, 1-a; a+1; x) for x up to one half (Abramowitz and Stegun 15.1.1 and 26.5.23).
func hypergeometric(x float64) float64 {
	const a = betaShape
	sum, term := 1.0, 1.0
	for n := 1.0; term > 1e-17; n++ {
		term *= (n - a) / n * x
		sum += term * a / (a + n)
	}
	return sum
}
