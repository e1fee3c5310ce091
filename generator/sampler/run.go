package sampler

// A run is what all samplers share: when the model is called, and how much noise the sample has at each call. Samplers
// embed it and add Step.
//
// There are two families. In the alpha family the sample is alpha*clean + sigma*noise with alpha^2 + sigma^2 = 1, and the
// model sees it as it is. In the sigma family it is clean + sigma*noise, and the model sees it scaled down to that.
type run struct {
	times    []float64
	levels   []level   // of the sample at each call
	scale    []float32 // what the sample is divided by for the model; nil in the alpha family
	initial  float32   // what pure noise is multiplied by to begin with
	denoised []float32
}

// A level is the weights of the clean latents and of the noise in a sample.
type level struct{ clean, noise float32 }

func (l level) blend(dst, clean, noise []float32) {
	clean, noise = clean[:len(dst)], noise[:len(dst)]
	for j := range dst {
		dst[j] = l.clean*clean[j] + l.noise*noise[j]
	}
}

func (r *run) Timesteps() []float64 { return r.times }

func (r *run) Denoised() []float32 { return r.denoised }

func (r *run) Start(x, clean, noise []float32) {
	if clean != nil {
		r.levels[0].blend(x, clean, noise)
		return
	}
	for j, n := range noise[:len(x)] {
		x[j] = r.initial * n
	}
}

func (r *run) Input(dst, x []float32, i int) {
	if r.scale == nil {
		copy(dst, x)
		return
	}
	by := r.scale[i]
	for j, v := range x[:len(dst)] {
		dst[j] = v / by
	}
}

func (r *run) Renoise(dst, clean, noise []float32, i int) {
	if i+1 == len(r.times) {
		copy(dst, clean)
		return
	}
	r.levels[i+1].blend(dst, clean, noise)
}
