package sampler_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/easelbot/easel/generator/sampler"
)

func TestNames(t *testing.T) {
	for _, name := range sampler.Names() {
		if _, err := sampler.New(name, sampler.Config{}, sampler.Options{Steps: 20, Len: 1}); err != nil {
			t.Error(err)
		}
	}
	_, err := sampler.New("euler_b", sampler.Config{}, sampler.Options{Steps: 20, Len: 1})
	mention(t, err, append(sampler.Names(), "euler_b")...)
}

func TestForClass(t *testing.T) {
	for class, want := range map[string]string{
		"DDIMScheduler":                   "ddim",
		"EulerDiscreteScheduler":          "euler",
		"EulerAncestralDiscreteScheduler": "euler_a",
		"DPMSolverMultistepScheduler":     "dpmpp_2m",
		"DPMSolverSinglestepScheduler":    "dpmpp_sde",
		"UniPCMultistepScheduler":         "unipc",
		"DDPMScheduler":                   "ddpm",
		"PNDMScheduler":                   "pndm",
		"LCMScheduler":                    "lcm",
		"TCDScheduler":                    "tcd",
		"LMSDiscreteScheduler":            "lms",
		"HeunDiscreteScheduler":           "heun",
		"KDPM2DiscreteScheduler":          "dpm2",
		"KDPM2AncestralDiscreteScheduler": "dpm2_a",
		"":                                "",
		"FlowMatchEulerDiscreteScheduler": "",
	} {
		if got, ok := sampler.ForClass(class); got != want || ok != (want != "") {
			t.Errorf("ForClass(%q) = %q, %v, want %q", class, got, ok, want)
		}
	}
}

func TestNewRefusesOptions(t *testing.T) {
	for _, c := range []struct {
		o    sampler.Options
		word string
	}{
		{sampler.Options{Steps: 0, Len: 1}, "0 steps"},
		{sampler.Options{Steps: 1001, Len: 1}, "1001 steps"},
		{sampler.Options{Steps: math.MaxInt, Len: 1}, "steps"},
		{sampler.Options{Steps: 5, Len: 0}, "0 elements"},
		{sampler.Options{Steps: 5, Begin: 5, Len: 1}, "strength"},
		{sampler.Options{Steps: 5, Begin: -1, Len: 1}, "-1"},
		{sampler.Options{Steps: 5, Len: 1, Strength: 1.1}, "strength 1.1"},
		{sampler.Options{Steps: 5, Len: 1, Strength: math.NaN()}, "strength NaN"},
		{sampler.Options{Steps: 5, Len: 1, Eta: -0.1}, "eta -0.1"},
		{sampler.Options{Steps: 5, Len: 1, Eta: math.Inf(1)}, "eta +Inf"},
	} {
		for _, name := range sampler.Names() {
			_, err := sampler.New(name, sampler.Config{}, c.o)
			mention(t, err, c.word, name)
		}
	}
}

func TestNothingIsAllocatedAfterNew(t *testing.T) {
	for _, name := range sampler.Names() {
		t.Run(name, func(t *testing.T) {
			s, err := sampler.New(name, parse(t, map[string]any{"clip_sample": false}), sampler.Options{Steps: 20, Len: 64, Eta: 0.5})
			if err != nil {
				t.Fatal(err)
			}
			x, in := make([]float32, 64), make([]float32, 64)
			n := testing.AllocsPerRun(10, func() {
				s.Start(x, in, in)
				for i := range s.Timesteps() {
					s.Input(in, x, i)
					s.Step(x, in, i, ones)
					s.Renoise(in, x, x, i)
					in[0] = s.Denoised()[0]
				}
			})
			if n != 0 {
				t.Errorf("%v allocations a run", n)
			}
		})
	}
}

func BenchmarkStep(b *testing.B) {
	for _, name := range sampler.Names() {
		for _, n := range []int{1024, 16384} {
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				s, err := sampler.New(name, sampler.Config{}, sampler.Options{Steps: 20, Len: n})
				if err != nil {
					b.Fatal(err)
				}
				x, out := make([]float32, n), make([]float32, n)
				b.SetBytes(int64(4 * n))
				for i := 0; b.Loop(); i = (i + 1) % 20 {
					s.Step(x, out, i, func([]float32) {})
				}
			})
		}
	}
}

func BenchmarkNew(b *testing.B) {
	c := parse(b, map[string]any{"beta_schedule": "scaled_linear", "steps_offset": 1})
	for _, name := range sampler.Names() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := sampler.New(name, c, sampler.Options{Steps: 20, Len: 1024}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
