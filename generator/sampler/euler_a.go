package sampler

// eulerAncestral goes by Euler below the next noise level and comes back up to it with fresh noise (K. Crowson,
// k-diffusion, sample_euler_ancestral; the split is the ancestral one of Ho et al. 2020).
type eulerAncestral struct {
	run
	calls []eulerCall
	ups   []float32 // fresh noise after each call
	fresh []float32
}

func newEulerAncestral(c Config, o Options) (Sampler, error) {
	s := common
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	s.UseKarrasSigmas, s.UseExponentialSigmas, s.UseBetaSigmas = false, false, false // keys this class does not have
	s.FinalSigmasType, s.InterpolationType = "zero", "linear"
	r, sigmas, err := s.sigmaRun(o)
	if err != nil {
		return nil, err
	}
	e := &eulerAncestral{run: r, fresh: make([]float32, o.Len)}
	for i := range r.times {
		down, up := ancestral(float32(sigmas[i]), float32(sigmas[i+1]))
		e.calls = append(e.calls, s.eulerCall(sigmas[i], float64(down)))
		e.ups = append(e.ups, up)
	}
	return e, nil
}

// ancestral splits the way from one level to a lower one: down^2 + up^2 = to^2. From a very high level down is a small
// difference, which shows that diffusers takes it in float32, rounded after each operation.
func ancestral(from, to float32) (down, up float32) {
	from, to = from*from, to*to
	up = sqrt(to * max(from-to, 0) / from)
	return sqrt(max(to-float32(up*up), 0)), up
}

// Step draws after the last call too, where the noise comes to nothing.
func (e *eulerAncestral) Step(x, out []float32, i int, draw func([]float32)) {
	e.calls[i].step(x, out, e.denoised)
	draw(e.fresh)
	add(x, e.ups[i], e.fresh)
}
