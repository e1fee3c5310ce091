package sampler

import (
	"errors"
	"math"
	"sort"
)

// dpmpp2m is the multistep solver of C. Lu et al., "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic
// Models" (2022), of order 1 to 3 (usually 2). Each step is a weighted sum of the sample and of the latest estimates
// of the clean latents, so all its mathematics is in the weights, found beforehand.
type dpmpp2m struct {
	run
	reads   []mix
	weights []dpmWeights
	history [][]float32 // the estimates of the latest calls, call i's at i mod the order
}

func newDPMPP2M(c Config, o Options) (Sampler, error) {
	s := common
	s.AlgorithmType, s.SolverType, s.SolverOrder, s.LowerOrderFinal = "dpmsolver++", "midpoint", 2, true
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	if err := s.checkDPM(); err != nil {
		return nil, err
	}
	times, sigmas, err := s.dpmSchedule(o)
	if err != nil {
		return nil, err
	}
	if o.Begin >= len(times) {
		return nil, errors.New("lambda_min_clipped leaves fewer steps than those passed over: raise the strength or the steps")
	}
	return s.dpmpp2m(times, sigmas, o), nil
}

func (s *settings) checkDPM() error {
	switch s.SolverType {
	case "midpoint", "heun":
	case "logrho", "bh1", "bh2": // of DEIS and UniPC, whose files may be read by this class
		s.SolverType = "midpoint"
	default:
		return unsupported("solver_type", s.SolverType)
	}
	switch {
	case s.AlgorithmType != "dpmsolver++" && s.AlgorithmType != "deis":
		return unsupported("algorithm_type", s.AlgorithmType)
	case s.SolverOrder < 1 || s.SolverOrder > 3:
		return unsupported("solver_order", s.SolverOrder)
	case s.VarianceType == "learned" || s.VarianceType == "learned_range":
		return unsupported("variance_type", s.VarianceType)
	}
	return refuse(flag{"thresholding", s.Thresholding}, flag{"use_beta_sigmas", s.UseBetaSigmas}, flag{"use_lu_lambdas", s.UseLuLambdas},
		flag{"use_flow_sigmas", s.UseFlowSigmas}, flag{"use_dynamic_shifting", s.UseDynamicShifting})
}

// dpmSchedule returns the whole timesteps, and the noise level of each and after the last. Respaced levels span those
// of the training.
func (s *settings) dpmSchedule(o Options) (times, sigmas []float64, err error) {
	alphas, err := s.alphas(leastAlpha)
	if err != nil {
		return nil, nil, err
	}
	t := newTable(alphas)
	end := s.clipped(t)
	if end == 0 {
		return nil, nil, unsupported("lambda_min_clipped", s.LambdaMinClipped)
	}
	times, err = s.timesteps(o.Steps, 1, end)
	if err != nil {
		return nil, nil, err
	}
	sigmas = t.at(whole(times))
	other, err := s.respaced(float64(t[len(t)-1]), float64(t[0]), o.Steps)
	if err != nil {
		return nil, nil, err
	}
	if other != nil {
		sigmas, times = other, s.truncated(t.times(other))
	}
	sigmas, err = s.finished(sigmas, t)
	return times, sigmas, err
}

// clipped returns how many training timesteps are left when those whose log-SNR is below the bound are not used.
func (s *settings) clipped(t table) int {
	return sort.Search(len(t), func(i int) bool { return -math.Log(float64(t[i])) < float64(s.LambdaMinClipped) })
}

// truncated makes found timesteps whole. Only Karras levels on other than the cosine betas are rounded first.
func (s *settings) truncated(times []float64) []float64 {
	if s.UseKarrasSigmas && s.BetaSchedule != "squaredcos_cap_v2" {
		return whole(times)
	}
	for i, v := range times {
		times[i] = math.Trunc(v)
	}
	return times
}

func (s *settings) dpmpp2m(times, sigmas []float64, o Options) *dpmpp2m {
	d := &dpmpp2m{history: make([][]float32, s.SolverOrder)}
	for i := range d.history {
		d.history[i] = make([]float32, o.Len)
	}
	d.run = run{times: times[o.Begin:], initial: 1, denoised: d.history[0]}
	for k := o.Begin; k < len(times); k++ {
		alpha, share := split(sigmas[k])
		clean, _ := s.read(alpha, share)
		d.reads = append(d.reads, clean)
		d.levels = append(d.levels, level{float32(alpha), float32(share)})
		d.weights = append(d.weights, s.dpmStep(sigmas, k, k-o.Begin))
	}
	return d
}

func (d *dpmpp2m) Step(x, out []float32, i int, _ func([]float32)) {
	out, read, w := out[:len(x)], d.reads[i], d.weights[i]
	clean := d.history[i%len(d.history)][:len(x)]
	for j, v := range x {
		clean[j] = read.of(v, out[j])
		x[j] = w.sample*v + w.clean[0]*clean[j]
	}
	for back := 1; back < w.order; back++ {
		add(x, w.clean[back], d.history[(i-back)%len(d.history)])
	}
	d.denoised = clean
}
