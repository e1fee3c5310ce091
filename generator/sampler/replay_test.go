package sampler_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/easelbot/easel/generator/sampler"
)

// recording is one run of a diffusers scheduler over 8 numbers, of testdata/reference.json.
type recording struct {
	Name, Sampler string
	Given         map[string]any
	Steps         int `json:"num_inference_steps"`
	Order         int // model calls a step, 0 for 1
	Strength      float64
	StepArgs      struct {
		Eta float64
	} `json:"step_args"`
	Timesteps, Sigmas, Clean, Noise, Initial []float64
	Begin                                    int `json:"begin_index"`
	Calls                                    []struct {
		T      float64
		Input  []float64 `json:"model_input"`
		Noise  [][]float64
		Sample []float64
	} `json:"steps"`
}

func TestRunsEqualDiffusers(t *testing.T) {
	for _, r := range recordings(t) {
		t.Run(r.Name, func(t *testing.T) {
			s, err := sampler.New(r.Sampler, parse(t, r.Given), sampler.Options{Steps: r.Steps, Begin: r.Begin / max(r.Order, 1), Strength: r.Strength, Len: 8, Eta: r.StepArgs.Eta})
			if err != nil {
				t.Fatal(err)
			}
			replay(t, r, s)
		})
	}
}

func recordings(t *testing.T) []recording {
	t.Helper()
	var all []recording
	for _, name := range []string{"testdata/reference.json", "testdata/more.json", "testdata/sigma.json", "testdata/alpha.json", "testdata/dpm.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Cases []recording }
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		if len(file.Cases) < 20 {
			t.Fatalf("%s: only %d runs", name, len(file.Cases))
		}
		all = append(all, file.Cases...)
	}
	return all
}

func parse(tb testing.TB, keys map[string]any) sampler.Config {
	tb.Helper()
	text, err := json.Marshal(keys)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := sampler.ParseConfig(text)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// replay runs the toy model out[j] = 0.3 in[j] + 0.1 sin(j + t/100) and compares all that was recorded.
func replay(t *testing.T, r recording, s sampler.Sampler) {
	t.Helper()
	near(t, "timesteps", s.Timesteps(), r.Timesteps[r.Begin:], timestepTolerance(r))
	x, in, out := make([]float32, 8), make([]float32, 8), make([]float32, 8)
	start(s, r, x)
	near(t, "initial", wide(x), r.Initial, 1e-6)
	for i, c := range r.Calls {
		s.Input(in, x, i)
		near(t, fmt.Sprint("input of call ", i), wide(in), c.Input, 1e-4)
		for j := range out {
			out[j] = 0.3*in[j] + 0.1*float32(math.Sin(float64(j)+c.T/100))
		}
		s.Step(x, out, i, func(n []float32) {
			if len(c.Noise) == 0 {
				t.Fatalf("call %d draws once too often", i)
			}
			copy(n, narrow(c.Noise[0]))
			c.Noise = c.Noise[1:]
		})
		if len(c.Noise) != 0 {
			t.Fatalf("call %d draws too little", i)
		}
		near(t, fmt.Sprint("sample of call ", i), wide(x), c.Sample, sampleTolerance(r))
	}
	if r.Sigmas != nil {
		levels(t, r, s)
	}
}

// timestepTolerance is that of the twelve recorded digits, except where timesteps are found back from levels.
func timestepTolerance(r recording) float64 {
	if r.Sampler == "dpm2_a" && r.Steps == 2 { // its level between hangs on the last bit of a difference, from 14.6 to 0.03
		return 1e-2
	}
	if r.Sampler == "dpm2_a" {
		return 1e-4
	}
	respaced := r.Given["use_karras_sigmas"] == true || r.Given["use_exponential_sigmas"] == true || r.Given["use_beta_sigmas"] == true
	if respaced || r.Sampler == "dpm2" || r.Given["timestep_type"] == "continuous" {
		return 1e-5
	}
	return 1e-11
}

// twoLevels says whether a sampler's second calls are at levels of their own.
func twoLevels(name string) bool { return name == "dpm2" || name == "dpm2_a" }

// sampleTolerance allows for float32 at a noise level of 4096: the sample then holds steps of 2^-11.
func sampleTolerance(r recording) float64 {
	if r.Sigmas != nil && r.Given["rescale_betas_zero_snr"] == true {
		return 5e-4
	}
	return 1e-4
}

func start(s sampler.Sampler, r recording, x []float32) {
	if r.Clean != nil {
		s.Start(x, narrow(r.Clean), narrow(r.Noise))
		return
	}
	noise := make([]float32, 8)
	for j := range noise {
		noise[j] = float32(math.Sin(2.3*float64(j)+0.4) * 1.2)
	}
	s.Start(x, nil, noise)
}

// levels reads the noise level of every call back from what the sampler adds to nothing and to ones.
func levels(t *testing.T, r recording, s sampler.Sampler) {
	t.Helper()
	nothing, ones := make([]float32, 8), []float32{1, 1, 1, 1, 1, 1, 1, 1}
	clean, noise := make([]float32, 8), make([]float32, 8)
	for i := range s.Timesteps() {
		if i == 0 {
			s.Start(clean, ones, nothing)
			s.Start(noise, nothing, ones)
		} else {
			s.Renoise(clean, ones, nothing, i-1)
			s.Renoise(noise, nothing, ones, i-1)
		}
		near(t, "sigma", []float64{float64(noise[0] / clean[0])}, r.Sigmas[r.Begin+i:][:1], 1e-5)
	}
}

func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tolerance*(1+math.Abs(want[i]))) {
			t.Fatalf("%s %d: %v, want %v", what, i, got[i], want[i])
		}
	}
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
