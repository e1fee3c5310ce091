package generator

import (
	"fmt"
	"slices"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
)

// Check reports whether the engine can paint the request, see [Check].
func (e *Engine) Check(r imagine.Request) error {
	k, err := e.kit(r)
	if err != nil {
		return err
	}
	return Check(k.folder, e.options.Memory, r)
}

// Calls returns how many model calls one picture of a request takes, 0 for a request that Check refuses.
func (e *Engine) Calls(r imagine.Request) int {
	k, err := e.kit(r)
	if err != nil {
		return 0
	}
	s, err := k.noises.sampler(k.folder, r)
	if err != nil {
		return 0
	}
	return len(s.Timesteps())
}

// Check reports whether an engine with this model and so much memory can paint a request; if the request is to blame, the
// error is an [*imagine.InvalidError].
func Check(f *model.Folder, memory int64, r imagine.Request) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if err := checkTexts(r); err != nil {
		return err
	}
	if err := f.CheckSize(r.Width, r.Height); err != nil {
		return imagine.Invalid("size", "%v", err)
	}
	if bytes := need(f, r); bytes > memory {
		return imagine.Invalid("size", "a picture of %dx%d takes about %d MiB to make, and the engine may use %d (engine.memory); ask for a smaller one, or raise that",
			r.Width, r.Height, bytes>>20, memory>>20)
	}
	if err := checkTask(f, r); err != nil {
		return err
	}
	if err := knowSampler(f); err != nil && r.Sampler == f.Defaults.Sampler {
		return fmt.Errorf("model %s: easel.json: %w", f.Name, err) // whoever asked did not choose it
	}
	noises, err := noisesOf(f)
	if err != nil {
		return err
	}
	if _, err := noises.sampler(f, r); err != nil {
		return imagine.Invalid("sampler", "%v", err)
	}
	return nil
}

// checkTask reports whether the model can paint from what the request brings along.
func checkTask(f *model.Folder, r imagine.Request) error {
	switch o := samplerOptions(f, r); {
	case r.Init != nil && !f.Has(model.VAEEncoder):
		return imagine.Invalid("init", "the model %s has no vae_encoder, so it cannot paint from a picture", f.Name)
	case r.Init != nil && !painted(r.Init), r.Mask != nil && !painted(r.Mask):
		return imagine.Invalid("init", "the picture to start from is missing or empty")
	case f.Denoiser.Inpaints() && r.Mask == nil:
		return imagine.Invalid("mask", "the model %s paints into pictures: give it a picture (init) and a mask", f.Name)
	case f.Denoiser.TimeIDs == 5 && r.Init == nil:
		return imagine.Invalid("init", "the model %s refines pictures: give it one (init)", f.Name)
	case o.Begin == r.Steps:
		return imagine.Invalid("strength", "%v of %d steps leaves none to paint; raise the strength or the steps", r.Strength, r.Steps)
	case r.Mask != nil && !slices.Contains(maskOf(r), true):
		return imagine.Invalid("mask", "it is dark all over, so nothing would be painted; make light what is to be painted anew")
	}
	return nil
}

// painted reports whether a source has a picture with something in it.
func painted(s *imagine.Source) bool { return s.Image != nil && !s.Image.Bounds().Empty() }
