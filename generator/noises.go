package generator

import (
	"fmt"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
)

// noises is a model's noise schedule, for pictures in general and for those with a mask.
type noises struct{ usual, masked sampler.Config }

// noisesOf reads it as diffusers' pipelines of the model's family do: those of Stable Diffusion 1 and 2 (and so what paints with a latent
// consistency model by other samplers than its own) take two keys, and that for masks another in the place of the second, for outdated where
// they do not have the values that Stable Diffusion was released with.
func noisesOf(f *model.Folder) (noises, error) {
	c, err := sampler.ParseConfig(f.Scheduler.JSON)
	if err != nil {
		return noises{}, fmt.Errorf("model %s: %w", f.Name, err)
	}
	if f.Denoiser.TimeIDs > 0 {
		return noises{c, c}, nil
	}
	usual, err := c.With(map[string]any{"steps_offset": 1, "clip_sample": false})
	if err != nil {
		return noises{}, fmt.Errorf("model %s: %w", f.Name, err)
	}
	masked, err := c.With(map[string]any{"steps_offset": 1, "skip_prk_steps": true})
	if err != nil {
		return noises{}, fmt.Errorf("model %s: %w", f.Name, err)
	}
	return noises{usual, masked}, nil
}

// sampler returns a new one for a row of a request.
func (n noises) sampler(r imagine.Request, o sampler.Options) (sampler.Sampler, error) {
	c := n.usual
	if r.Mask != nil {
		c = n.masked
	}
	return sampler.New(r.Sampler, c, o)
}
