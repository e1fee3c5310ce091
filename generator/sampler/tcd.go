package sampler

import "math"

// tcd is J. Zheng et al., "Trajectory Consistency Distillation" (2024), algorithm 4 (strategic stochastic sampling): each call
// goes below the next timestep, by as much as eta (gamma there) says, and comes back up to it with fresh noise. Like
// diffusers it looks at no strength and holds the clean latents to no range.
type tcd struct {
	run
	calls []tcdCall
	fresh []float32 // room for the noise that eta asks for, nil without
}

// A tcdCall is what one call does: reads the clean latents, goes on by the sample and the model's output, and adds fresh
// noise.
type tcdCall struct {
	read, next mix
	fresh      float32
}

func newTCD(c Config, o Options) (Sampler, error) {
	o.Strength = 1
	s, times, alphas, err := c.consistency(o)
	if err != nil {
		return nil, err
	}
	d := &tcd{run: alphaRun(times, alphas, o)}
	if o.Eta > 0 {
		d.fresh = make([]float32, o.Len)
	}
	for i, t := range times {
		var next float64
		if i+1 < len(times) {
			next = times[i+1]
		}
		below := math.Floor(float64(float32(1-o.Eta) * float32(next)))
		call := s.tcdCall(alphas[int(t)], alphas[int(below)])
		if o.Eta > 0 && i+1 < len(times) {
			call.rise(alphas[int(next)] / alphas[int(below)])
		}
		d.calls = append(d.calls, call)
	}
	return d, nil
}

// tcdCall goes from the one cumulative alpha to the other without chance, as ddim does.
func (s *settings) tcdCall(from, to float32) tcdCall {
	clean, noise := s.read(float64(sqrt(from)), float64(sqrt(1-from)))
	c, n := sqrt(to), sqrt(1-to)
	return tcdCall{read: clean, next: mix{c*clean.sample + n*noise.sample, c*clean.out + n*noise.out}}
}

// rise comes back up to the level of which this share of the picture, squared, is left.
func (c *tcdCall) rise(left float32) {
	c.next.sample *= sqrt(left)
	c.next.out *= sqrt(left)
	c.fresh = sqrt(1 - left)
}

// Step draws after every call but the last, and never if eta is 0.
func (d *tcd) Step(x, out []float32, i int, draw func([]float32)) {
	c, out, clean := d.calls[i], out[:len(x)], d.denoised[:len(x)]
	for j, v := range x {
		clean[j] = c.read.of(v, out[j])
		x[j] = c.next.of(v, out[j])
	}
	if d.fresh != nil && i+1 < len(d.calls) {
		draw(d.fresh)
		add(x, c.fresh, d.fresh)
	}
}
