package sampler

import (
	"fmt"
	"math"
)

// ddim is J. Song, C. Meng, S. Ermon, "Denoising Diffusion Implicit Models" (2020), equation 12.
type ddim struct {
	run
	calls []ddimCall
	limit limit
	fresh []float32 // room for the noise that eta asks for, nil without
}

// A ddimCall is what one call does: reads clean latents and noise, and adds them up anew, with fresh noise.
type ddimCall struct {
	clean, noise            mix
	toClean, toNoise, fresh float32
}

func newDDIM(c Config, o Options) (Sampler, error) {
	s := common
	s.TimestepSpacing, s.ClipSample, s.SetAlphaToOne = "leading", true, true
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	l, err := s.newLimit(o.Len)
	if err != nil {
		return nil, err
	}
	times, alphas, err := s.alphaSchedule(o)
	if err != nil {
		return nil, err
	}
	d := s.ddim(times, alphas, o)
	d.limit = l
	return d, nil
}

// alphaSchedule returns the timesteps of a run of the alpha family, whole numbers, and the cumulative alphas.
func (s *settings) alphaSchedule(o Options) (times []float64, alphas []float32, err error) {
	alphas, err = s.alphas(0)
	if err != nil {
		return nil, nil, err
	}
	times, err = s.timesteps(o.Steps, 0, s.NumTrainTimesteps)
	if err != nil {
		return nil, nil, err
	}
	times = whole(times)[o.Begin:]
	return times, alphas, s.checkAlphas(times, alphas)
}

// checkAlphas finds timesteps that have no alpha, or one from which nothing can be predicted.
func (s *settings) checkAlphas(times []float64, alphas []float32) error {
	first := int(times[0])
	if first >= len(alphas) {
		return fmt.Errorf("timestep %d is beyond the last, %d: take fewer steps, or a steps_offset of 0", first, len(alphas)-1)
	}
	if alphas[first] == 0 && s.PredictionType == "epsilon" {
		return unsupported("prediction_type", "epsilon at zero SNR (rescale_betas_zero_snr)")
	}
	return nil
}

// alphaRun lays out a run of the alpha family.
func alphaRun(times []float64, alphas []float32, o Options) run {
	r := run{times: times, initial: 1, denoised: make([]float32, o.Len)}
	for _, t := range times {
		a := alphas[int(t)]
		r.levels = append(r.levels, level{sqrt(a), sqrt(1 - a)})
	}
	return r
}

// ddim builds the run. The timestep before t is t - T div N, which is not always the next of the list.
func (s *settings) ddim(times []float64, alphas []float32, o Options) *ddim {
	d := &ddim{run: alphaRun(times, alphas, o)}
	if o.Eta > 0 {
		d.fresh = make([]float32, o.Len)
	}
	for _, t := range times {
		a, before := alphas[int(t)], s.alphaBefore(int(t)-s.NumTrainTimesteps/o.Steps, alphas)
		d.calls = append(d.calls, s.ddimCall(a, before, float32(o.Eta)))
	}
	return d
}

// alphaBefore returns the cumulative alpha of timestep t, or the one past the end.
func (s *settings) alphaBefore(t int, alphas []float32) float32 {
	switch {
	case t >= 0:
		return alphas[t]
	case s.SetAlphaToOne:
		return 1
	}
	return alphas[0]
}

// ddimCall works in float32, rounded after each operation, as diffusers does.
func (s *settings) ddimCall(a, before, eta float32) ddimCall {
	clean, noise := s.read(math.Sqrt(float64(a)), math.Sqrt(float64(1-a)))
	fresh := eta * sqrt(max((1-before)/(1-a)*(1-a/before), 0))
	return ddimCall{
		clean: clean, noise: noise,
		toClean: sqrt(before),
		toNoise: sqrt(max(1-before-float32(fresh*fresh), 0)),
		fresh:   fresh,
	}
}

func (d *ddim) Step(x, out []float32, i int, draw func([]float32)) {
	c, out, clean := d.calls[i], out[:len(x)], d.denoised[:len(x)]
	for j, v := range x {
		clean[j] = c.clean.of(v, out[j])
	}
	d.limit.hold(clean)
	for j, v := range x {
		x[j] = c.toClean*clean[j] + c.toNoise*c.noise.of(v, out[j])
	}
	if d.fresh != nil {
		draw(d.fresh)
		add(x, c.fresh, d.fresh)
	}
}

// add adds w times y to x.
func add(x []float32, w float32, y []float32) {
	y = y[:len(x)]
	for j := range x {
		x[j] += w * y[j]
	}
}
