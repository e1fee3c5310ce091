package generator

import (
	"math"

	"github.com/easelbot/easel/imagine"
)

// What some families of models are told beside the prompt and the time.

// Aesthetic scores that Stable Diffusion XL's refiner is asked for, and is to steer away from.
const (
	aesthetic         = 6
	negativeAesthetic = 2.5
)

// timeIDs writes the micro-conditioning of Stable Diffusion XL (Podell et al. 2023, section 2.2): the original height and width, top and
// left of the crop, then the target's height and width, or for the refiner the aesthetic score.
func timeIDs(dst []float32, r imagine.Request, negative bool) {
	h, w := float32(r.Height), float32(r.Width)
	switch {
	case len(dst) == 6:
		copy(dst, []float32{h, w, 0, 0, h, w})
	case len(dst) == 5 && negative:
		copy(dst, []float32{h, w, 0, 0, negativeAesthetic})
	case len(dst) == 5:
		copy(dst, []float32{h, w, 0, 0, aesthetic})
	}
}

// guidanceEmbedding writes the guidance scale as latent consistency models take it: sines, then cosines (Luo et al. 2023, after
// Vaswani et al. 2017).
func guidanceEmbedding(dst []float32, guidance float64) {
	half := len(dst) / 2
	if half == 0 {
		return
	}
	w := float32(guidance-1) * 1000
	apart := float32(math.Log(10000)) / float32(max(half-1, 1))
	for k := range half {
		sin, cos := math.Sincos(float64(w * float32(math.Exp(float64(float32(k)*-apart)))))
		dst[k], dst[half+k] = float32(sin), float32(cos)
	}
	clear(dst[2*half:])
}
