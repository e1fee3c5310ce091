package sampler

// dpm2Ancestral goes by dpm2 below the next noise level and comes back up to it with fresh noise (K. Crowson, k-diffusion,
// sample_dpm_2_ancestral).
type dpm2Ancestral struct {
	*dpm2
	fresh []float32
}

func newDPM2Ancestral(c Config, o Options) (Sampler, error) {
	d, err := c.dpm2(o, halveAncestral)
	if err != nil {
		return nil, err
	}
	return &dpm2Ancestral{d, make([]float32, o.Len)}, nil
}

// halveAncestral finds the level between from and down. But for rounding that is to, since down is to^2/from; diffusers takes
// it in float32, where down may come to nothing.
func halveAncestral(from, to float32) (between, down, up float32) {
	down, up = ancestral(from, to)
	if down == 0 {
		return to, to / from * to, up
	}
	return sqrt(from * down), down, up
}

// Step draws after the second call of each step, so not in the last step.
func (d *dpm2Ancestral) Step(x, out []float32, i int, draw func([]float32)) {
	d.dpm2.Step(x, out, i, nil)
	if c := d.calls[i]; c.second {
		draw(d.fresh)
		add(x, c.up, d.fresh)
	}
}
