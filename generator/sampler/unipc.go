package sampler

// unipc is W. Zhao et al., "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models" (2023), of
// order 1 to 3 (usually 2): each step predicts as a multistep solver does, and once the model has spoken of the sample that
// was predicted, the next call takes the same step again with that estimate too.
type unipc struct {
	solver
	predicts []weights
	corrects []*weights   // of the step that led to each call, nil for none
	from     [2][]float32 // the samples from which the latest steps went, call i's at i mod 2
}

func newUniPC(c Config, o Options) (Sampler, error) {
	s := common
	s.SolverType, s.SolverOrder, s.LowerOrderFinal, s.PredictX0 = "bh2", 2, true, true
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	if err := s.checkUniPC(); err != nil {
		return nil, err
	}
	times, sigmas, err := s.dpmSchedule(o, s.entire())
	if err != nil {
		return nil, err
	}
	if s.FinalSigmasType == "sigma_min" && s.spacesAnew() {
		sigmas[len(times)] = sigmas[len(times)-1]
	}
	shared, err := s.solver(times, sigmas, s.SolverOrder+1, o)
	if err != nil {
		return nil, err
	}
	u := &unipc{solver: shared}
	u.from = [2][]float32{make([]float32, o.Len), make([]float32, o.Len)}
	s.plan(u, sigmas, o.Begin)
	return u, nil
}

// checkUniPC also drops the keys that this class does not have, and names the algorithm.
func (s *settings) checkUniPC() error {
	s.LambdaMinClipped, s.UseLuLambdas = common.LambdaMinClipped, false
	s.Thresholding = s.Thresholding && s.PredictX0
	s.AlgorithmType = "dpmsolver++"
	if !s.PredictX0 {
		s.AlgorithmType = "dpmsolver"
	}
	switch s.SolverType {
	case "bh1", "bh2":
	case "midpoint", "heun", "logrho": // of DPM++ and DEIS, whose files may be read by this class
		s.SolverType = "bh2"
	default:
		return unsupported("solver_type", s.SolverType)
	}
	switch {
	case s.SolverOrder < 1 || s.SolverOrder > 3:
		return unsupported("solver_order", s.SolverOrder)
	case s.SolverP != nil:
		return unsupported("solver_p", "another scheduler")
	case s.ShiftTerminal != nil:
		return unsupported("shift_terminal", s.ShiftTerminal)
	}
	return refuse(flag{"use_flow_sigmas", s.UseFlowSigmas}, flag{"use_dynamic_shifting", s.UseDynamicShifting})
}

// spacesAnew says whether the levels are not those of the timesteps.
func (s *settings) spacesAnew() bool {
	return s.UseKarrasSigmas || s.UseExponentialSigmas || s.UseBetaSigmas
}

func (u *unipc) Step(x, out []float32, i int, _ func([]float32)) {
	u.estimate(x, out, i)
	if w := u.corrects[i]; w != nil {
		u.sum(x, u.from[(i+1)%2], *w, i)
	}
	copy(u.from[i%2], x)
	u.sum(x, x, u.predicts[i], i)
}
