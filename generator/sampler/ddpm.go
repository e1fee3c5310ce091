package sampler

import "slices"

// ddpm is J. Ho, A. Jain, P. Abbeel, "Denoising Diffusion Probabilistic Models" (2020), equations 6 and 7: each call goes to
// the mean of what may have come before the sample, and draws from around it.
type ddpm struct {
	run
	calls []ddpmCall
	limit limit
	fresh []float32
}

// A ddpmCall is what one call does: reads the clean latents, weighs them against the sample, and adds fresh noise.
type ddpmCall struct {
	read   mix
	mean   mix // of the sample and the clean latents
	fresh  float32
	random bool // whether noise is drawn at all
}

func newDDPM(c Config, o Options) (Sampler, error) {
	s := common
	s.TimestepSpacing, s.ClipSample = "leading", true
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"}, s.VarianceType) {
		return nil, unsupported("variance_type", s.VarianceType)
	}
	l, err := s.newLimit(o.Len)
	if err != nil {
		return nil, err
	}
	times, alphas, err := s.alphaSchedule(o)
	if err != nil {
		return nil, err
	}
	d := &ddpm{run: alphaRun(times, alphas, o), limit: l, fresh: make([]float32, o.Len)}
	for i, t := range times {
		before := float32(1)
		if i+1 < len(times) {
			before = alphas[int(times[i+1])]
		}
		d.calls = append(d.calls, s.ddpmCall(alphas[int(t)], before, t > 0))
	}
	return d, nil
}

// ddpmCall works in float32, rounded after each operation, as diffusers does: beta is a small difference.
func (s *settings) ddpmCall(a, before float32, random bool) ddpmCall {
	clean, _ := s.read(float64(sqrt(a)), float64(sqrt(1-a)))
	kept := a / before
	beta := 1 - kept
	return ddpmCall{
		read:   clean,
		mean:   mix{sqrt(kept) * (1 - before) / (1 - a), sqrt(before) * beta / (1 - a)},
		fresh:  sqrt(s.variance(a, before, beta)),
		random: random,
	}
}

// variance returns that of the fresh noise: the least or the most that the data can ask for (section 3.2). The names with
// _log are other ways to compute the same.
func (s *settings) variance(a, before, beta float32) float32 {
	if s.VarianceType == "fixed_large" || s.VarianceType == "fixed_large_log" {
		return beta
	}
	return max((1-before)/(1-a)*beta, 1e-20)
}

// Step draws at every timestep above 0, the last call's too.
func (d *ddpm) Step(x, out []float32, i int, draw func([]float32)) {
	c, out, clean := d.calls[i], out[:len(x)], d.denoised[:len(x)]
	for j, v := range x {
		clean[j] = c.read.of(v, out[j])
	}
	d.limit.hold(clean)
	for j, v := range x {
		x[j] = c.mean.of(v, clean[j])
	}
	if c.random {
		draw(d.fresh)
		add(x, c.fresh, d.fresh)
	}
}
