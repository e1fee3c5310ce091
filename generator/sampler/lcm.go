package sampler

import (
	"fmt"
	"math"
)

// lcm is S. Luo et al., "Latent Consistency Models: Synthesizing High-Resolution Images with Few-Step Inference" (2023),
// algorithm 3: each call jumps to the clean latents, and goes back to the next noise level with fresh noise.
type lcm struct {
	run
	calls []lcmCall
	limit limit
	fresh []float32
}

// An lcmCall is what one call does: reads the clean latents, and adds them, the sample and fresh noise up anew.
type lcmCall struct {
	read  mix
	next  mix // of the sample and the clean latents
	fresh float32
}

func newLCM(c Config, o Options) (Sampler, error) {
	if o.Strength > 0 && o.Strength < 1 {
		o.Begin = 0 // the schedule begins where the strength says
	} else {
		o.Strength = 1
	}
	s, times, alphas, err := c.consistency(o)
	if err != nil {
		return nil, err
	}
	l, err := s.newLimit(o.Len)
	if err != nil {
		return nil, err
	}
	d := &lcm{run: alphaRun(times, alphas, o), limit: l, fresh: make([]float32, o.Len)}
	for i, t := range times {
		to := level{clean: 1}
		if i+1 < len(times) {
			to = d.levels[i+1]
		}
		d.calls = append(d.calls, s.lcmCall(t, d.levels[i], to))
	}
	return d, nil
}

// consistency reads the file as LCM's and TCD's classes do, and returns the timesteps from o.Begin on.
func (c Config) consistency(o Options) (s settings, times []float64, alphas []float32, err error) {
	s = common
	s.BetaStart, s.BetaEnd, s.BetaSchedule = 0.00085, 0.012, "scaled_linear"
	if err = c.fill(&s, o); err != nil {
		return s, nil, nil, err
	}
	if alphas, err = s.alphas(0); err != nil {
		return s, nil, nil, err
	}
	if times, err = s.distilled(o.Steps, o.Strength); err != nil {
		return s, nil, nil, err
	}
	times = times[o.Begin:]
	return s, times, alphas, s.checkAlphas(times, alphas)
}

// distilled spreads the steps over the timesteps that the model was distilled at, or over the lower share of them that
// strength is. No other spacing is known to these models.
func (s *settings) distilled(steps int, strength float64) ([]float64, error) {
	if s.OriginalSteps < 1 || s.OriginalSteps > s.NumTrainTimesteps {
		return nil, unsupported("original_inference_steps", s.OriginalSteps)
	}
	n := int(float64(s.OriginalSteps) * strength)
	if steps > n {
		return nil, fmt.Errorf("%d steps: original_inference_steps and the strength leave room for %d, ask for no more", steps, n)
	}
	apart, times := s.NumTrainTimesteps/s.OriginalSteps, make([]float64, steps)
	for i := range times {
		passed := int(float64(i) * (float64(n) / float64(steps)))
		times[i] = float64((n-passed)*apart - 1)
	}
	return times, nil
}

// lcmCall keeps some of the sample by the boundary condition: all of it at timestep 0, next to nothing soon after.
func (s *settings) lcmCall(t float64, at, to level) lcmCall {
	const data = 0.5 // standard deviation of the latents
	clean, _ := s.read(float64(at.clean), float64(at.noise))
	scaled := t * s.TimestepScaling
	whole := math.Hypot(scaled, data)
	skip, out := data/whole*(data/whole), scaled/whole
	return lcmCall{clean, newMix(float64(to.clean)*skip, float64(to.clean)*out), to.noise}
}

// Step draws after every call but the last.
func (d *lcm) Step(x, out []float32, i int, draw func([]float32)) {
	c, out, clean := d.calls[i], out[:len(x)], d.denoised[:len(x)]
	for j, v := range x {
		clean[j] = c.read.of(v, out[j])
	}
	d.limit.hold(clean)
	for j, v := range x {
		x[j] = c.next.of(v, clean[j])
	}
	if i+1 < len(d.calls) {
		draw(d.fresh)
		add(x, c.fresh, d.fresh)
	}
}
