package sampler

// A solver is what the DPM family shares. It keeps the latest estimates of what it integrates, the clean latents or the
// noise, and each new sample is a weighted sum of an older one and of these estimates. So all its mathematics is in the
// weights, found beforehand.
type solver struct {
	run
	reads   []mix       // of the estimate at each call
	cleans  []mix       // of the clean latents; nil if they are the estimate
	history [][]float32 // the latest estimates, call i's at i mod the length
	limit   limit       // of the clean latents
	fresh   []float32   // room for noise; nil if none is drawn
}

// weights are those of one sum: of an older sample, of the estimates, newest first, and of fresh noise.
type weights struct {
	sample    float32
	estimates []float32
	fresh     float32
}

// solver lays out the run over these timesteps and levels, the level after the last step included. So many estimates are kept.
func (s *settings) solver(times, sigmas []float64, kept int, o Options) (solver, error) {
	s.ClipSample = false // no key of these classes
	l, err := s.newLimit(o.Len)
	if err != nil {
		return solver{}, err
	}
	d := solver{history: make([][]float32, kept), limit: l}
	for i := range d.history {
		d.history[i] = make([]float32, o.Len)
	}
	d.run = run{times: times[o.Begin:], initial: 1, denoised: d.history[0]}
	if s.ofNoise() {
		d.denoised = make([]float32, o.Len)
	}
	if s.draws() {
		d.fresh = make([]float32, o.Len)
	}
	for _, sigma := range sigmas[o.Begin:len(times)] {
		alpha, share := split(sigma)
		d.levels = append(d.levels, level{float32(alpha), float32(share)})
		clean, noise := s.read(alpha, share)
		if s.ofNoise() {
			d.reads, d.cleans = append(d.reads, noise), append(d.cleans, clean)
		} else {
			d.reads = append(d.reads, clean)
		}
	}
	return d, nil
}

// estimate reads the model's output at call i.
func (d *solver) estimate(x, out []float32, i int) {
	newest := d.history[i%len(d.history)]
	d.reads[i].fill(newest, x, out)
	if d.cleans == nil {
		d.denoised = newest
		if d.limit.sorted != nil {
			d.limit.hold(newest)
		}
	} else {
		d.cleans[i].fill(d.denoised, x, out)
	}
}

func (m mix) fill(dst, sample, out []float32) {
	dst, out = dst[:len(sample)], out[:len(sample)]
	for j, v := range sample {
		dst[j] = m.of(v, out[j])
	}
}

// sum writes to x the sum at call i, of which from is the older sample. x may be from.
func (d *solver) sum(x, from []float32, w weights, i int) {
	newest := d.history[i%len(d.history)][:len(x)]
	for j, v := range from[:len(x)] {
		x[j] = w.sample*v + w.estimates[0]*newest[j]
	}
	for back := 1; back < len(w.estimates); back++ {
		add(x, w.estimates[back], d.history[(i-back)%len(d.history)])
	}
}

// shake adds fresh noise if this solver draws any, after the last call too, where it comes to nothing.
func (d *solver) shake(x []float32, w weights, draw func([]float32)) {
	if d.fresh != nil {
		draw(d.fresh)
		add(x, w.fresh, d.fresh)
	}
}
