package sampler

import (
	"math"
	"slices"
)

// A mix is a weighted sum of a sample and the model's output for it: every reading of a model is one.
type mix struct{ sample, out float32 }

func (m mix) of(sample, out float32) float32 { return m.sample*sample + m.out*out }

// checkPrediction refuses what read does not know.
func (s *settings) checkPrediction() error {
	if !slices.Contains([]string{"epsilon", "v_prediction", "sample"}, s.PredictionType) {
		return unsupported("prediction_type", s.PredictionType)
	}
	return nil
}

// read says how to find the clean latents and the noise in a sample alpha*clean + sigma*noise with alpha^2 + sigma^2 = 1,
// from the output of a model that predicts the noise (epsilon), the clean latents (sample), or alpha*noise - sigma*clean
// (v_prediction; T. Salimans, J. Ho, "Progressive Distillation for Fast Sampling of Diffusion Models", 2022, appendix D).
func (s *settings) read(alpha, sigma float64) (clean, noise mix) {
	switch s.PredictionType {
	case "epsilon":
		return newMix(1/alpha, -sigma/alpha), newMix(0, 1)
	case "v_prediction":
		return newMix(alpha, -sigma), newMix(sigma, alpha)
	default:
		return newMix(0, 1), newMix(1/sigma, -alpha/sigma)
	}
}

// readScaled says how to find the clean latents in a sample clean + sigma*noise whose model was shown it divided by
// sqrt(sigma^2 + 1).
func (s *settings) readScaled(sigma float64) mix {
	alpha, share := split(sigma)
	clean, _ := s.read(alpha, share)
	return mix{float32(float64(clean.sample) * alpha), clean.out}
}

// split returns the shares of picture and noise, whose squares sum to 1, at a noise level.
func split(sigma float64) (alpha, share float64) {
	alpha = 1 / math.Sqrt(sigma*sigma+1)
	return alpha, sigma * alpha
}

func newMix(sample, out float64) mix { return mix{float32(sample), float32(out)} }
