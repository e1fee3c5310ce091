// Package sampler turns noise into a picture's latents, one model call at a time. It is pure mathematics: it knows the
// noise schedules and the update rules, and nothing of models, pictures or other rows.
//
// # Agreement
//
// Every sampler gives what the scheduler of the same class in Hugging Face's diffusers gives for the same
// scheduler_config.json, to 1e-4 relative on the sample and 1e-5 on noise levels. Where diffusers works in float32 so
// does this package. The differences are few:
//
//   - A schedule that would divide by zero (two equal noise levels in DPM++ or LMS) takes a lower order or stands still there.
//   - Spacing "trailing" has as many timesteps as steps. In diffusers rounding adds a timestep of -1 to some counts, 61
//     the first.
//   - More steps than the model was trained with, eta outside 0 to 1, and schedules that leave float32 are errors.
//   - Euler ancestral, DPM2, DPM2 ancestral and PNDM also read models that predict the sample.
//   - PNDM starts with Runge-Kutta only if there are four steps.
//   - DDPM's variance fixed_large_log is fixed_large.
//
// # Configuration
//
// A [Config] is a scheduler_config.json. A key that the file leaves out takes the default of the class that the sampler
// stands for, not of the class that wrote the file. A key of another class is ignored, as diffusers does, and so is
// one that begins with an underscore. A key that no class knows is refused with the nearest known one, and so is a
// value that is known but not supported here.
//
// # Runs
//
// A Sampler advances one row, that is, one picture in the making. Its life is
//
//	s.Start(x, nil, noise)
//	for i, t := range s.Timesteps() {
//		s.Input(in, x, i)
//		// out: what the model says of in at t, after guidance
//		s.Step(x, out, i, draw)
//	}
//
// and then x is the picture's latents. The calls of Step must come in order, each once; every other method is free. All
// vectors are float32 of [Options].Len elements, and only Step, Start, Input and Renoise write to them. After New
// nothing is allocated. A Sampler is for one goroutine at a time.
package sampler

import (
	"fmt"
	"slices"
	"strings"
)

// Sampler advances one row. i counts model calls from the beginning of the run, 0 to len(Timesteps())-1, never timesteps.
type Sampler interface {
	// Timesteps returns the training timestep of each call, mostly whole numbers but not for all samplers. It never rises
	// from step to step (dpm2's second call of a step may, by rounding). Under timestep_type continuous it is a quarter of
	// the logarithm of the noise level. It must not be changed.
	Timesteps() []float64
	// Start writes the first sample: the noise times the initial noise level if clean is nil, else clean with as much of
	// the noise as call 0 expects.
	Start(x, clean, noise []float32)
	// Input writes to dst what the model is shown of x at call i. dst may be x.
	Input(dst, x []float32, i int)
	// Step advances x in place past call i, by the model's output (noise, velocity or sample, as the configuration says).
	// It calls draw for fresh standard normal noise whenever diffusers does, once at most. out stays as it is.
	Step(x, out []float32, i int, draw func([]float32))
	// Renoise writes clean with as much of the noise as the sample has after call i; after the last call, clean itself.
	// dst may be clean or noise.
	Renoise(dst, clean, noise []float32, i int)
	// Denoised returns the latest estimate of the finished latents, zero before the first Step and valid until the next.
	Denoised() []float32
}

// Options says how one row is to be sampled.
type Options struct {
	Steps    int     // 1 to the number of training timesteps
	Begin    int     // the step at which the run begins, 0 to Steps-1; above 0 for a picture made from a picture
	Len      int     // elements of the row's latents, 1 or more
	Strength float64 // the strength that Begin came from, 0 to 1; lcm alone heeds it: inside them it spreads all Steps over that share, whatever Begin is
	Eta      float64 // how much fresh noise ddim and tcd mix in, 0 (none) to 1 (as ddpm, as lcm); other samplers ignore it
}

// A kind is one sampler as people choose it.
type kind struct {
	name  string
	class string // the diffusers class whose configurations mean it, "" if another kind is meant by default
	build func(Config, Options) (Sampler, error)
}

// kinds lists every sampler in the order in which people are shown them.
var kinds = []kind{
	{"ddim", "DDIMScheduler", newDDIM},
	{"ddpm", "DDPMScheduler", newDDPM},
	{"pndm", "PNDMScheduler", newPNDM},
	{"euler", "EulerDiscreteScheduler", newEuler},
	{"euler_a", "EulerAncestralDiscreteScheduler", newEulerAncestral},
	{"lms", "LMSDiscreteScheduler", newLMS},
	{"heun", "HeunDiscreteScheduler", newHeun},
	{"dpm2", "KDPM2DiscreteScheduler", newDPM2},
	{"dpm2_a", "KDPM2AncestralDiscreteScheduler", newDPM2Ancestral},
	{"dpmpp_2m", "DPMSolverMultistepScheduler", newDPMPP2M},
	{"dpmpp_2m_karras", "", newDPMPP2MKarras},
	{"dpmpp_2m_sde", "", newDPMPP2MSDE},
	{"dpmpp_sde", "DPMSolverSinglestepScheduler", newDPMPPSDE},
	{"unipc", "UniPCMultistepScheduler", newUniPC},
	{"lcm", "LCMScheduler", newLCM},
	{"tcd", "TCDScheduler", newTCD},
}

// New returns the sampler of this name for a model's configuration. The errors say which name, key or option is wrong and
// what would do.
func New(name string, c Config, o Options) (Sampler, error) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return nil, fmt.Errorf("no sampler is called %q: choose one of %s", name, strings.Join(Names(), ", "))
	}
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("sampler %s: %w", name, err)
	}
	s, err := kinds[i].build(c, o)
	if err != nil {
		return nil, fmt.Errorf("sampler %s: %w", name, err)
	}
	return s, nil
}

// Names returns the names that New knows.
func Names() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// ForClass returns the name of the sampler that a diffusers _class_name stands for, and whether there is one.
func ForClass(class string) (name string, ok bool) {
	for _, k := range kinds {
		if k.class == class && class != "" {
			return k.name, true
		}
	}
	return "", false
}

// check finds what no configuration could make sense of.
func (o Options) check() error {
	switch {
	case o.Steps < 1:
		return fmt.Errorf("%d steps: at least 1 is needed", o.Steps)
	case o.Begin < 0 || o.Begin >= o.Steps:
		return fmt.Errorf("begins at step %d of %d: no step would be left; raise the strength or the steps", o.Begin, o.Steps)
	case o.Len < 1:
		return fmt.Errorf("a row of %d elements: at least 1 is needed", o.Len)
	case !(o.Strength >= 0 && o.Strength <= 1):
		return fmt.Errorf("strength %v is outside 0 to 1", o.Strength)
	case !(o.Eta >= 0 && o.Eta <= 1):
		return fmt.Errorf("eta %v is outside 0 to 1", o.Eta)
	}
	return nil
}
