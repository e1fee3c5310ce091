package generator

import (
	"math"

	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
)

// A stage is what one model does of a request: all of it, or with a refiner what comes before it takes over, or after.
type stage struct {
	kit     *kit
	request imagine.Request // as if there were no other stage
	options sampler.Options
	calls   int // of each row's run that belong to it, 0 for all

	from          []*row // that it goes on with; nil for the first stage
	before, after int    // calls of a row in the stages before and after it
}

// whole is the only stage of a request without a refiner.
func whole(k *kit, r imagine.Request) stage {
	return stage{kit: k, request: r, options: samplerOptions(k.folder, r)}
}

// stages divides a request that Check lets pass between the models that paint it.
func stages(kits []*kit, r imagine.Request) ([]stage, error) {
	k, err := pick(kits, "model", r.Model)
	if err != nil {
		return nil, err
	}
	if r.Refiner == "" {
		return []stage{whole(k, r)}, nil
	}
	refiner, err := pick(kits, "refiner", r.Refiner)
	if err != nil {
		return nil, err
	}
	return refine(whole(k, r), refiner)
}

// refine divides a run as denoising_end and denoising_start do in diffusers' pipelines of Stable Diffusion XL: the first model makes the
// calls whose timesteps are not below what RefineAt leaves of the schedule, and the refiner, with a sampler that begins anew on the
// latents as they are, the others. (Balaji et al. 2022, arXiv:2211.01324, let several denoisers share a run.)
func refine(base stage, k *kit) ([]stage, error) {
	r := base.request
	times, err := base.timesteps()
	if err != nil {
		return nil, err
	}
	base.calls = len(times) - below(times, base.kit.noises.usual, r.RefineAt)
	refiner := whole(k, refining(r))
	if refiner.options.Begin, err = refiner.takesOver(r.RefineAt); err != nil {
		return nil, err
	}
	if base.calls == 0 || refiner.options.Begin == r.Steps {
		return nil, imagine.Invalid("refine-at", "at %v of %d steps one of the two models has none; take more steps, or another share", r.RefineAt, r.Steps)
	}
	if times, err = refiner.timesteps(); err != nil {
		return nil, err
	}
	base.after, refiner.before = len(times), base.calls
	return []stage{base, refiner}, nil
}

// refining is the request as its refiner sees it.
func refining(r imagine.Request) imagine.Request {
	r.Model, r.Refiner, r.RefineAt = r.Refiner, "", 0
	r.Init, r.Strength = nil, 0
	return r
}

// takesOver returns the step with which a refiner begins, all of them if none is left to it.
func (s stage) takesOver(share float64) (step int, err error) {
	times, err := s.timesteps()
	if err != nil {
		return 0, err
	}
	n := below(times, s.kit.noises.usual, share)
	if n == 0 {
		return s.options.Steps, nil
	}
	if !twice(s.request.Sampler) {
		return min(len(times)-n, s.options.Steps), nil
	}
	if n%2 == 0 {
		n++ // the step that the first model may have left half done
	}
	return (len(times) - n) / 2, nil
}

// twice reports whether a sampler calls the model twice a step, but for the last.
func twice(name string) bool { return name == "heun" || name == "dpm2" || name == "dpm2_a" }

// below is how many timesteps are left after so large a share of the schedule.
func below(times []float64, c sampler.Config, share float64) int {
	all := float64(c.TrainTimesteps())
	n, cutoff := 0, math.RoundToEven(all-share*all)
	for _, t := range times {
		if t < cutoff {
			n++
		}
	}
	return n
}

func (s stage) sampler() (sampler.Sampler, error) {
	return s.kit.noises.sampler(s.request, s.options)
}

// timesteps returns those of the stage's calls.
func (s stage) timesteps() ([]float64, error) {
	run, err := s.sampler()
	if err != nil {
		return nil, err
	}
	times := run.Timesteps()
	if s.calls > 0 {
		times = times[:s.calls]
	}
	return times, nil
}
