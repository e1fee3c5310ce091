package generator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
)

// Check reports whether the engine can paint the request, see [Check].
func (e *Engine) Check(r imagine.Request) error { return check(e.kits, e.options.Memory, r) }

// Calls returns how many model calls one picture of a request takes, 0 for a request that Check refuses.
func (e *Engine) Calls(r imagine.Request) int {
	list, err := stages(e.kits, r)
	if err != nil {
		return 0
	}
	times, err := list[0].timesteps()
	if err != nil {
		return 0
	}
	return len(times) + list[0].after
}

// Check reports whether an engine with these models and so much memory can paint a request; if the request is to blame, the
// error is an [*imagine.InvalidError].
func Check(memory int64, r imagine.Request, folders ...*model.Folder) error {
	var kits []*kit
	for _, f := range folders {
		noises, err := noisesOf(f)
		if err != nil {
			return err
		}
		kits = append(kits, &kit{folder: f, noises: noises})
	}
	return check(kits, memory, r)
}

func check(kits []*kit, memory int64, r imagine.Request) error {
	k, err := pick(kits, "model", r.Model)
	if err != nil {
		return err
	}
	if err := r.Validate(); err != nil {
		return err
	}
	if err := checkTexts(r); err != nil {
		return err
	}
	if err := k.checkSize(memory, r); err != nil {
		return err
	}
	if err := checkTask(k.folder, r); err != nil {
		return err
	}
	if err := k.checkSampler(whole(k, r)); err != nil || r.Refiner == "" {
		return err
	}
	return checkRefiner(kits, k, memory, r)
}

func (k *kit) checkSize(memory int64, r imagine.Request) error {
	if err := k.folder.CheckSize(r.Width, r.Height); err != nil {
		return imagine.Invalid("size", "%v", err)
	}
	if bytes := need(k.folder, r); bytes > memory {
		return imagine.Invalid("size", "a picture of %dx%d takes about %d MiB to make, and there are %d; ask for a smaller one, or have engine.memory raised",
			r.Width, r.Height, bytes>>20, memory>>20)
	}
	return nil
}

func (k *kit) checkSampler(s stage) error {
	if err := knowSampler(k.folder); err != nil && s.request.Sampler == k.folder.Defaults.Sampler {
		return fmt.Errorf("model %s: easel.json: %w", k.folder.Name, err) // whoever asked did not choose it
	}
	_, err := s.sampler()
	if err == nil {
		return nil
	}
	if broken := trySchedule(k.folder); broken != nil {
		return fmt.Errorf("model %s: scheduler: %w", k.folder.Name, broken)
	}
	return imagine.Invalid("sampler", "%s", strings.TrimPrefix(err.Error(), "sampler "))
}

// checkRefiner reports whether another model can go on with what the first leaves.
func checkRefiner(kits []*kit, base *kit, memory int64, r imagine.Request) error {
	k, err := pick(kits, "refiner", r.Refiner)
	if err != nil {
		return err
	}
	switch f := k.folder; {
	case f.Denoiser.Inpaints():
		return imagine.Invalid("refiner", "the model %s paints into pictures, so it cannot refine", f.Name)
	case f.Denoiser.Channels != base.folder.Denoiser.Channels || f.VAE.Factor != base.folder.VAE.Factor || f.VAE.ScalingFactor != base.folder.VAE.ScalingFactor ||
		!slices.Equal(f.VAE.Mean, base.folder.VAE.Mean) || !slices.Equal(f.VAE.Std, base.folder.VAE.Std):
		return imagine.Invalid("refiner", "the latents of %s are not those of %s, so the one cannot go on with what the other leaves", f.Name, base.folder.Name)
	}
	if err := k.checkSize(memory, refining(r)); err != nil {
		return err
	}
	if err := k.checkSampler(whole(k, refining(r))); err != nil {
		return err
	}
	_, err = refine(whole(base, r), k)
	return err
}

// NeedsPicture reports whether a model paints only from a picture that it is given: to refine, or to paint into.
func NeedsPicture(f *model.Folder) bool {
	return f.Denoiser.Inpaints() || f.Denoiser.TimeIDs == refinerIDs
}

const refinerIDs = 5 // size, place, aesthetic score

// checkTask reports whether the model can paint from what the request brings along.
func checkTask(f *model.Folder, r imagine.Request) error {
	switch o := samplerOptions(f, r); {
	case r.Init != nil && !f.Has(model.VAEEncoder):
		return imagine.Invalid("init", "the model %s has no vae_encoder, so it cannot paint from a picture", f.Name)
	case r.Init != nil && !painted(r.Init), r.Mask != nil && !painted(r.Mask):
		return imagine.Invalid("init", "the picture to start from is missing or empty")
	case f.Denoiser.Inpaints() && r.Mask == nil:
		return imagine.Invalid("mask", "the model %s paints into pictures: give it a picture (init) and a mask", f.Name)
	case f.Denoiser.TimeIDs == refinerIDs && r.Init == nil:
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
