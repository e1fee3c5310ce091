package sampler

// dpmpp2m is the multistep solver of C. Lu et al., "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion
// Probabilistic Models" (2022), of order 1 to 3 (usually 2): each step takes the slope of the estimates from those of the
// calls before it. Its older kin over the noise (DPM-Solver, 2022) and those with fresh noise go the same way.
type dpmpp2m struct {
	solver
	sums []weights
}

func newDPMPP2M(c Config, o Options) (Sampler, error) {
	return newMultistep(c, o, func(*settings) {})
}

// newDPMPP2MKarras is a spacing by name, whatever the file says of spacings.
func newDPMPP2MKarras(c Config, o Options) (Sampler, error) {
	return newMultistep(c, o, func(s *settings) {
		s.UseKarrasSigmas, s.UseExponentialSigmas, s.UseBetaSigmas, s.UseLuLambdas = true, false, false, false
	})
}

// newDPMPP2MSDE is an algorithm by name.
func newDPMPP2MSDE(c Config, o Options) (Sampler, error) {
	return newMultistep(c, o, func(s *settings) { s.AlgorithmType = "sde-dpmsolver++" })
}

func newMultistep(c Config, o Options, named func(*settings)) (Sampler, error) {
	s := common
	s.AlgorithmType, s.SolverType, s.SolverOrder, s.LowerOrderFinal = "dpmsolver++", "midpoint", 2, true
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	named(&s)
	s.SigmaMin, s.SigmaMax = nil, nil // no keys of this class
	if err := s.checkDPM(); err != nil {
		return nil, err
	}
	entire := truncated
	if (s.UseKarrasSigmas || s.UseLuLambdas) && s.BetaSchedule != "squaredcos_cap_v2" {
		entire = whole
	}
	times, sigmas, err := s.dpmSchedule(o, entire)
	if err != nil {
		return nil, err
	}
	shared, err := s.solver(times, sigmas, s.SolverOrder, o)
	if err != nil {
		return nil, err
	}
	d := &dpmpp2m{solver: shared}
	for k := o.Begin; k < len(times); k++ {
		d.sums = append(d.sums, s.multistep(sigmas, k, s.dpmOrder(k, len(times), k-o.Begin)))
	}
	return d, nil
}

// checkDPM is for both of diffusers' DPM-Solver classes.
func (s *settings) checkDPM() error {
	switch s.SolverType {
	case "midpoint", "heun":
	case "logrho", "bh1", "bh2": // of DEIS and UniPC, whose files may be read by this class
		s.SolverType = "midpoint"
	default:
		return unsupported("solver_type", s.SolverType)
	}
	switch s.AlgorithmType {
	case "dpmsolver++", "sde-dpmsolver++":
	case "deis":
		s.AlgorithmType = "dpmsolver++"
	case "dpmsolver", "sde-dpmsolver":
		if s.FinalSigmasType == "zero" {
			return unsupported("final_sigmas_type", "zero with algorithm_type "+s.AlgorithmType)
		}
	default:
		return unsupported("algorithm_type", s.AlgorithmType)
	}
	switch {
	case s.SolverOrder < 1 || s.SolverOrder > 3:
		return unsupported("solver_order", s.SolverOrder)
	case s.SolverOrder == 3 && s.AlgorithmType == "sde-dpmsolver":
		return unsupported("solver_order", "3 with algorithm_type sde-dpmsolver")
	case s.VarianceType == "learned" || s.VarianceType == "learned_range":
		return unsupported("variance_type", s.VarianceType)
	}
	return refuse(flag{"thresholding with algorithm_type " + s.AlgorithmType, s.Thresholding && s.ofNoise()}, flag{"use_flow_sigmas", s.UseFlowSigmas}, flag{"use_dynamic_shifting", s.UseDynamicShifting})
}

// dpmOrder returns the order of step k of n: no more than there are estimates, and lower at the end, where the last levels
// lie far apart in their logarithms.
func (s *settings) dpmOrder(k, n, past int) int {
	few := s.LowerOrderFinal && n < 15
	order := min(s.SolverOrder, past+1)
	switch {
	case k == n-1 && (few || s.EulerAtFinal || s.FinalSigmasType == "zero"):
		return 1
	case k == n-2 && few:
		return min(order, 2)
	}
	return order
}

// multistep returns the weights of step k. The slope and the bend of the estimates are found from the differences between
// the latest.
func (s *settings) multistep(sigmas []float64, k, order int) weights {
	if sigmas[k] <= sigmas[k+1] {
		return standstill
	}
	w, h := s.stride(sigmas[k], sigmas[k+1]), fall(sigmas, k, k+1)
	switch apart(sigmas, k, order) {
	case 2:
		slope := s.slope(w) * h / fall(sigmas, k-1, k)
		return w.weights(w.value()+slope, -slope)
	case 3:
		r0, r1 := fall(sigmas, k-1, k)/h, fall(sigmas, k-2, k-1)/h
		both := (w.exactSlope()*r0 + s.bend(w)) / (r0 + r1)
		newer, older := (w.exactSlope()+both)/r0, both/r1
		return w.weights(w.value()+newer, -newer-older, older)
	}
	return w.weights(w.value())
}

func (d *dpmpp2m) Step(x, out []float32, i int, draw func([]float32)) {
	d.estimate(x, out, i)
	d.sum(x, x, d.sums[i], i)
	d.shake(x, d.sums[i], draw)
}
