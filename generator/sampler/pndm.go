package sampler

import "math"

// pndm is L. Liu et al., "Pseudo Numerical Methods for Diffusion Models on Manifolds" (2022): formula 11 carries a sample from
// one timestep to another by a guess of the noise along the way, which is a weighted sum of the model's latest outputs
// (PLMS, the linear multistep way). Which outputs, and from where to where, is all found beforehand (pndm_plan.go).
type pndm struct {
	run
	calls []pndmCall
	kept  []float32   // the sample that some calls go back to
	outs  [][]float32 // outputs of earlier calls
}

// A pndmCall is what one call does.
type pndmCall struct {
	read       mix // of the clean latents, at the timestep that the model is told
	keep, back bool
	next       mix // of the sample and this output
	earlier    []pndmTerm
	slot       int // where this output is put
}

// A pndmTerm is an output of an earlier call and its weight.
type pndmTerm struct {
	slot   int
	weight float32
}

func newPNDM(c Config, o Options) (Sampler, error) {
	s := common
	s.TimestepSpacing = "leading"
	if err := c.fill(&s, o); err != nil {
		return nil, err
	}
	s.RescaleBetasZeroSNR = false // a key this class does not have
	begin := o.Begin
	o.Begin = 0
	steps, alphas, err := s.alphaSchedule(o)
	if err != nil {
		return nil, err
	}
	plan := s.pndmPlan(steps, s.NumTrainTimesteps/o.Steps, begin)
	times := make([]float64, len(plan))
	for i, p := range plan {
		times[i] = float64(p.told)
	}
	d := &pndm{run: alphaRun(times, alphas, o), kept: make([]float32, o.Len)}
	for _, p := range plan {
		for p.slot >= len(d.outs) {
			d.outs = append(d.outs, make([]float32, o.Len))
		}
		d.calls = append(d.calls, s.pndmCall(p, alphas))
	}
	return d, nil
}

func (s *settings) pndmCall(p pndmMove, alphas []float32) pndmCall {
	told := float64(alphas[p.told])
	read, _ := s.read(math.Sqrt(told), math.Sqrt(1-told))
	sample, out := s.transfer(float64(alphas[p.from]), float64(s.alphaBefore(p.to, alphas)))
	c := pndmCall{read: read, keep: p.keep, back: p.back, slot: p.slot, next: newMix(sample, out*p.weight)}
	for _, e := range p.earlier {
		c.earlier = append(c.earlier, pndmTerm{e.slot, float32(out * e.weight)})
	}
	return c
}

// transfer returns the weights of the sample and of the guessed output on the way from one cumulative alpha to another. What
// is no noise is turned into noise after the outputs were summed, as diffusers does.
func (s *settings) transfer(from, to float64) (sample, out float64) {
	_, noise := s.read(math.Sqrt(from), math.Sqrt(1-from))
	by := (to - from) / (from*math.Sqrt(1-to) + math.Sqrt(from*(1-from)*to))
	return math.Sqrt(to/from) - by*float64(noise.sample), -by * float64(noise.out)
}

func (d *pndm) Step(x, out []float32, i int, _ func([]float32)) {
	c, out, clean := &d.calls[i], out[:len(x)], d.denoised[:len(x)]
	for j, v := range x {
		clean[j] = c.read.of(v, out[j])
	}
	if c.keep {
		copy(d.kept, x)
	}
	if c.back {
		copy(x, d.kept)
	}
	for j, v := range x {
		x[j] = c.next.of(v, out[j])
	}
	for _, e := range c.earlier {
		add(x, e.weight, d.outs[e.slot])
	}
	copy(d.outs[c.slot], out)
}
