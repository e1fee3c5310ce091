package sampler

// dpm2 is DPM-Solver-2 (C. Lu et al., "DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in Around 10
// Steps", 2022, algorithm 1) as Karras et al. 2022 write it: a step of Euler to the level midway in the logarithm, and
// the whole step by the slope found there. The last step, to no noise, is Euler's.
type dpm2 struct {
	run
	calls  []dpm2Call
	before []float32 // the sample of the step's first call
}

// A dpm2Call is what one call does: goes from sigma by the way dt, from where the step began if it is the second.
type dpm2Call struct {
	eulerCall
	second bool
	up     float32 // fresh noise after it, for dpm2_a
}

// A halving says how to go from one level to a lower one: by way of a level between, to down, and up again by noise.
type halving func(from, to float32) (between, down, up float32)

func newDPM2(c Config, o Options) (Sampler, error) {
	d, err := c.dpm2(o, func(from, to float32) (between, down, up float32) { return sqrt(from * to), to, 0 })
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (c Config) dpm2(o Options, halve halving) (*dpm2, error) {
	s := common
	s.BetaStart, s.BetaEnd = 0.00085, 0.012
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	s.onlyEulers()
	times, sigmas, t, err := s.sigmaSchedule(o)
	if err != nil {
		return nil, err
	}
	if s.UseKarrasSigmas {
		times = whole(times)
	}
	return s.dpm2(times, sigmas, t, o, halve), nil
}

func (s *settings) dpm2(times, sigmas []float64, t table, o Options, halve halving) *dpm2 {
	d := &dpm2{run: s.emptySigmaRun(sigmas, o), before: make([]float32, o.Len)}
	last := len(times) - 1
	between := make([]float64, last)
	for k := range last {
		level, down, up := halve(float32(sigmas[k]), float32(sigmas[k+1]))
		between[k] = float64(level)
		if k >= o.Begin {
			second := eulerCall{s.readScaled(between[k]), level, down - float32(sigmas[k])}
			d.calls = append(d.calls, dpm2Call{s.eulerCall(sigmas[k], between[k]), false, 0}, dpm2Call{second, true, up})
		}
	}
	d.calls = append(d.calls, dpm2Call{s.eulerCall(sigmas[last], sigmas[last+1]), false, 0})
	d.addTwice(o.Begin, times, sigmas, single(t.times(between)), between)
	for i := 1; i+1 < len(d.levels); i += 2 {
		d.levels[i] = d.levels[i+1] // what a mask keeps has the noise of the step's end after both calls, as in diffusers
	}
	return d
}

func (d *dpm2) Step(x, out []float32, i int, _ func([]float32)) {
	c := d.calls[i]
	if !c.second {
		copy(d.before, x)
		c.step(x, out, d.denoised)
		return
	}
	out, clean, before := out[:len(x)], d.denoised[:len(x)], d.before[:len(x)]
	for j, v := range x {
		clean[j] = c.clean.of(v, out[j])
		x[j] = before[j] + (v-clean[j])/c.sigma*c.dt
	}
}
