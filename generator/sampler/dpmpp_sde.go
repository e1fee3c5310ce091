package sampler

// singlestep is the singlestep solver of Lu et al. 2022, of order 1 to 3 (usually 2): steps go in groups, and every step of
// a group goes out from the sample at which the group began, with one more estimate than the step before it.
//
// (diffusers' DPMSolverSDEScheduler, also known as DPM++ SDE, is another: its noise is a Brownian tree.)
type singlestep struct {
	solver
	sums   []weights
	begins []bool    // whether a group begins at this call
	from   []float32 // the sample at which the latest group began
}

func newDPMPPSDE(c Config, o Options) (Sampler, error) {
	s := common
	s.AlgorithmType, s.SolverType, s.SolverOrder = "dpmsolver++", "midpoint", 2
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	if c.Class != "DPMSolverSinglestepScheduler" { // only a file of the very class may say that no noise is drawn
		s.AlgorithmType = "sde-dpmsolver++"
	}
	if err := s.checkSinglestep(); err != nil {
		return nil, err
	}
	times, sigmas, err := s.dpmSchedule(o, s.entire())
	if err != nil {
		return nil, err
	}
	shared, err := s.solver(times, sigmas, s.SolverOrder, o)
	if err != nil {
		return nil, err
	}
	d := &singlestep{solver: shared, from: make([]float32, o.Len)}
	orders := s.groups(len(times))
	for k := o.Begin; k < len(times); k++ {
		order := apart(sigmas, k, min(orders[k], k-o.Begin+1))
		d.begins = append(d.begins, order == 1)
		d.sums = append(d.sums, s.singlestep(sigmas, k, order))
	}
	return d, nil
}

// checkSinglestep also drops the keys that this class does not have.
func (s *settings) checkSinglestep() error {
	s.TimestepSpacing, s.RescaleBetasZeroSNR, s.UseLuLambdas, s.SigmaMin, s.SigmaMax = "linspace", false, false, nil, nil
	if s.AlgorithmType == "sde-dpmsolver" {
		return unsupported("algorithm_type", s.AlgorithmType)
	}
	return s.checkDPM()
}

// entire returns what makes timesteps whole that were found from levels: only those of Karras are rounded.
func (s *settings) entire() func([]float64) []float64 {
	if s.UseKarrasSigmas {
		return whole
	}
	return truncated
}

// groups returns the order of each of n steps: 1, 2, 1, 2 and so on, or 1, 2, 3, 1, 2, 3. A group that would be cut short by
// the end, or reach no noise, ends lower.
func (s *settings) groups(n int) []int {
	orders := make([]int, n)
	for k := range orders {
		orders[k] = k%s.SolverOrder + 1
	}
	if s.FinalSigmasType == "zero" || s.LowerOrderFinal || n%s.SolverOrder != 0 {
		if n%s.SolverOrder == 0 && s.SolverOrder == 3 {
			orders[n-2], orders[n-1] = 2, 1
		}
		if n%s.SolverOrder == 0 || s.FinalSigmasType == "zero" {
			orders[n-1] = 1
		}
	}
	return orders
}

// singlestep returns the weights of step k. The slope and the bend of the estimates are found from their differences to the
// first of the group.
func (s *settings) singlestep(sigmas []float64, k, order int) weights {
	first := k + 1 - order
	if sigmas[first] <= sigmas[k+1] {
		return standstill
	}
	w, h := s.stride(sigmas[first], sigmas[k+1]), fall(sigmas, first, k+1)
	switch order {
	case 2:
		slope := s.slope(w) * h / fall(sigmas, first, k)
		return w.weights(slope, w.value()-slope)
	case 3:
		r0, r1 := fall(sigmas, first, k)/h, fall(sigmas, first, k-1)/h
		newer, older := s.thirdOfGroup(w, r0, r1)
		return w.weights(newer/r0, older/r1, w.value()-newer/r0-older/r1)
	}
	return w.weights(w.value())
}

// thirdOfGroup returns the weights of the two slopes that a step of third order knows: from the first of the group, r0 h
// away to the newest estimate and r1 h away to the one before.
func (s *settings) thirdOfGroup(w stride, r0, r1 float64) (newer, older float64) {
	if s.SolverType == "midpoint" {
		return w.exactSlope(), 0
	}
	slope, bend := w.exactSlope()/(r0-r1), 2*s.bend(w)/(r0-r1)
	return bend - slope*r1, slope*r0 - bend
}

func (d *singlestep) Step(x, out []float32, i int, draw func([]float32)) {
	d.estimate(x, out, i)
	if d.begins[i] {
		copy(d.from, x)
	}
	d.sum(x, d.from, d.sums[i], i)
	d.shake(x, d.sums[i], draw)
}
