package sampler_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/easelbot/easel/generator/sampler"
	"pgregory.net/rapid"
)

const size = 4 // elements of a row in these tests

// A setup is any sampler with any configuration and options that it should take.
type setup struct {
	name string
	keys map[string]any
	o    sampler.Options
}

func anySetup(t *rapid.T) setup {
	of := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
	is := func(label string) bool { return rapid.Bool().Draw(t, label) }
	u := setup{name: of("name", sampler.Names()...)}
	u.keys = map[string]any{
		"original_inference_steps": rapid.IntRange(20, 1000).Draw(t, "original_inference_steps"),
		"variance_type":            of("variance_type", "fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"),
		"skip_prk_steps":           is("skip_prk_steps"),
		"timestep_scaling":         rapid.Float64Range(0, 20).Draw(t, "timestep_scaling"),
		"beta_start":               rapid.Float64Range(0.0001, 0.002).Draw(t, "beta_start"),
		"beta_end":                 rapid.Float64Range(0.01, 0.03).Draw(t, "beta_end"),
		"beta_schedule":            of("beta_schedule", "linear", "scaled_linear", "squaredcos_cap_v2"),
		"prediction_type":          of("prediction_type", "epsilon", "v_prediction", "sample"),
		"timestep_spacing":         of("timestep_spacing", "leading", "linspace", "trailing"),
		"steps_offset":             rapid.IntRange(0, 1).Draw(t, "steps_offset"),
		"clip_sample":              false,
		"set_alpha_to_one":         is("set_alpha_to_one"),
		"final_sigmas_type":        of("final_sigmas_type", "zero", "sigma_min"),
		"use_karras_sigmas":        is("use_karras_sigmas"),
		"solver_type":              of("solver_type", "midpoint", "heun", "bh1"),
		"solver_order":             rapid.IntRange(1, 3).Draw(t, "solver_order"),
		"lower_order_final":        is("lower_order_final"),
		"euler_at_final":           is("euler_at_final"),
		"use_lu_lambdas":           is("use_lu_lambdas"),
		"predict_x0":               is("predict_x0"),
		"disable_corrector":        rapid.SliceOfN(rapid.IntRange(0, 30), 0, 3).Draw(t, "disable_corrector"),
		"rescale_betas_zero_snr":   is("rescale_betas_zero_snr"),
	}
	if u.keys["final_sigmas_type"] == "sigma_min" && strings.HasPrefix(u.name, "dpmpp_2m") { // the solvers of the noise end there
		u.keys["algorithm_type"] = of("algorithm_type", "dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver")
	}
	if u.keys["algorithm_type"] == "sde-dpmsolver" {
		u.keys["solver_order"] = min(u.keys["solver_order"].(int), 2)
	}
	if u.keys["prediction_type"] == "epsilon" { // says nothing at zero SNR
		u.keys["rescale_betas_zero_snr"] = false
	}
	if u.keys["use_karras_sigmas"] == false {
		u.keys["use_exponential_sigmas"] = is("use_exponential_sigmas")
		u.keys["use_beta_sigmas"] = u.keys["use_exponential_sigmas"] == false && is("use_beta_sigmas")
	}
	u.o = sampler.Options{Steps: rapid.IntRange(1, 1000).Draw(t, "steps"), Len: size, Eta: rapid.Float64Range(0, 1).Draw(t, "eta")}
	if u.keys["timestep_spacing"] == "leading" {
		u.o.Steps = min(u.o.Steps, 998)
	}
	if u.name == "lcm" || u.name == "tcd" { // know no more steps than they were distilled at
		u.o.Steps = min(u.o.Steps, u.keys["original_inference_steps"].(int))
	}
	u.o.Begin = rapid.IntRange(0, u.o.Steps-1).Draw(t, "begin")
	return u
}

func (u setup) sampler(tb testing.TB, t *rapid.T) sampler.Sampler {
	tb.Helper()
	s, err := sampler.New(u.name, parse(tb, u.keys), u.o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// calls returns how many calls the run must take at order calls a step, the last one excepted. Of pndm, what is taken up half-way is a
// list that is cut.
func (u setup) calls(order int) int {
	left := u.o.Steps - u.o.Begin
	switch {
	case u.name == "pndm" && u.keys["skip_prk_steps"] == false && u.o.Steps > 3:
		return left + 9 // three steps of four calls
	case u.name == "pndm" && u.o.Steps > 1:
		return left + 1 // one step of two
	}
	return order*left - order + 1
}

// endsClean says whether no noise is left after the last call. ddim and pndm may stop short of the end, tcd goes to the
// first timestep, lcm keeps some of the sample, and ddpm may ask for noise to the last.
func (u setup) endsClean() bool {
	switch u.name {
	case "ddim", "pndm", "lcm", "tcd":
		return false
	case "ddpm":
		return u.keys["variance_type"] == "fixed_small" || u.keys["variance_type"] == "fixed_small_log"
	}
	return u.keys["final_sigmas_type"] == "zero"
}

func vector(t *rapid.T, label string) []float32 {
	return rapid.SliceOfN(rapid.Float32Range(-3, 3), size, size).Draw(t, label)
}

func TestTimestepsNeverRise(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		u := anySetup(rt)
		times, order := u.sampler(t, rt).Timesteps(), 1
		if u.name == "heun" || twoLevels(u.name) {
			order = 2 // calls a step, and one in the last
		}
		if len(times) != u.calls(order) {
			rt.Fatalf("%d timesteps for steps %d to %d, want %d", len(times), u.o.Begin, u.o.Steps, u.calls(order))
		}
		for i, v := range times {
			if !(v >= 0 && v <= 1000) || i >= order && v > times[i-order] {
				rt.Fatalf("timestep %d is %v", i, v)
			}
		}
	})
}

// Whatever the model says, the sample stays a number.
func TestSampleStaysFinite(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := anySetup(rt).sampler(t, rt)
		x, out, noise := make([]float32, size), vector(rt, "out"), vector(rt, "noise")
		s.Start(x, nil, noise)
		for i := range s.Timesteps() {
			s.Step(x, out, i, func(n []float32) { copy(n, noise) })
			slices.Reverse(out) // no two calls alike
			if !finite(x) || !finite(s.Denoised()) {
				rt.Fatalf("call %d: sample %v, estimate %v", i, x, s.Denoised())
			}
		}
	})
}

func finite(x []float32) bool {
	for _, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}

// A model that knows the picture leads every sampler to it: each estimate is the picture, and so is the sample once no
// noise is left to come.
func TestPerfectModelFindsThePicture(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		u := anySetup(rt)
		u.keys["predict_x0"] = true // the solvers of the noise magnify its rounding in long steps
		delete(u.keys, "algorithm_type")
		if u.name == "lms" || u.name == "pndm" { // what these do half-way is diffusers' own way
			u.o.Begin = 0
		}
		if u.name == "lms" { // the last step of many, a cubic led on over tens of its gaps, magnifies all rounding
			u.o.Steps = min(u.o.Steps, 25)
		}
		if u.name == "heun" || twoLevels(u.name) { // their second slope magnifies the rounding at the cosine's 20,000 by a million
			u.keys["beta_schedule"] = "linear"
		}
		s := u.sampler(t, rt)
		clean, noise := vector(rt, "clean"), vector(rt, "noise")
		x, out := make([]float32, size), make([]float32, size)
		s.Start(x, clean, noise)
		var tolerance float64 // at the end, that of the last call
		for i := range s.Timesteps() {
			a, sigma := levelAt(s, i)
			tolerance = 1e-5 + 1e-5*sigma/max(a, 1e-5)
			if twoLevels(u.name) && i%2 == 1 {
				sigma = scaled(s, i)
				tolerance += 5e-5 / sigma // of a small level little is to be seen in a scale near 1
			}
			if u.name == "pndm" { // with uneven steps comes to a timestep with more noise than belongs there
				tolerance *= max(1, float64(slices.Max(x)), -float64(slices.Min(x)))
			}
			for j := range out {
				out[j] = perfect(u.keys["prediction_type"], float64(x[j]), float64(clean[j]), a, sigma)
			}
			s.Step(x, out, i, func(n []float32) { copy(n, noise) })
			if !close32(s.Denoised(), clean, tolerance) {
				rt.Fatalf("call %d: estimate %v, want %v", i, s.Denoised(), clean)
			}
		}
		if u.endsClean() && !close32(x, clean, 1e-4+tolerance) {
			rt.Fatalf("sample %v, want %v", x, clean)
		}
	})
}

// levelAt returns the weights of picture and noise in the sample at call i.
func levelAt(s sampler.Sampler, i int) (clean, noise float64) {
	level := func(a, b float32) float64 {
		x := []float32{0}
		if i == 0 {
			s.Start(x, []float32{a}, []float32{b})
		} else {
			s.Renoise(x, []float32{a}, []float32{b}, i-1)
		}
		return float64(x[0])
	}
	return level(1, 0), level(0, 1)
}

// scaled returns the level that a sampler of the sigma family scales its input by.
func scaled(s sampler.Sampler, i int) float64 {
	x := []float32{1}
	s.Input(x, x, i)
	by := float64(x[0])
	return math.Sqrt(max(1/(by*by)-1, 1e-8))
}

// perfect is the output of a model that knows the picture, for the sample x at a level.
func perfect(kind any, x, clean, a, sigma float64) float32 {
	noise := (x - a*clean) / sigma
	switch kind {
	case "epsilon":
		return float32(noise)
	case "v_prediction":
		unit := math.Hypot(a, sigma) // 1 in the alpha family
		return float32((a*noise - sigma*clean) / unit)
	}
	return float32(clean)
}

func close32(got, want []float32, tolerance float64) bool {
	for i := range got {
		if !(math.Abs(float64(got[i])-float64(want[i])) <= tolerance) {
			return false
		}
	}
	return true
}

// A call that is done again from the same sample gives the same: nothing is counted inside.
func TestStepCanBeRepeated(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		u := anySetup(rt)
		u.o.Begin = max(u.o.Begin, u.o.Steps-5)
		s := u.sampler(t, rt)
		x, out := vector(rt, "x"), vector(rt, "out")
		for i := range s.Timesteps() {
			before := slices.Clone(x)
			s.Step(x, out, i, ones)
			s.Step(before, out, i, ones)
			if !slices.Equal(x, before) {
				rt.Fatalf("call %d: %v, then %v", i, x, before)
			}
		}
	})
}

func TestStartInputRenoise(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := anySetup(rt).sampler(t, rt)
		clean, noise, x := vector(rt, "clean"), vector(rt, "noise"), make([]float32, size)
		s.Start(x, clean, noise)
		a, sigma := levelAt(s, 0)
		in := make([]float32, size)
		s.Input(in, x, 0)
		for j := range in { // the model sees picture and noise by shares whose squares sum to 1
			want := (a*float64(clean[j]) + sigma*float64(noise[j])) / math.Hypot(a, sigma)
			if math.Abs(float64(in[j])-want) > 1e-5 {
				rt.Fatalf("input %v, want %v", in[j], want)
			}
		}
		s.Renoise(x, clean, noise, len(s.Timesteps())-1)
		if !slices.Equal(x, clean) {
			rt.Fatalf("after the last call %v, want %v", x, clean)
		}
	})
}
