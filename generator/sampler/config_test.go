package sampler_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/easelbot/easel/generator/sampler"
)

func TestParseConfigTakesWhatPythonWrites(t *testing.T) {
	c, err := sampler.ParseConfig([]byte(`{
		"_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.42.1", "_note": "\"NaN\" -Infinity",
		"lambda_min_clipped": -Infinity, "trained_betas": null, "clip_sample": null, "skip_prk_steps": true, "rho": NaN}`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Class != "DPMSolverMultistepScheduler" {
		t.Errorf("class %q", c.Class)
	}
	for _, name := range sampler.Names() {
		if _, err := sampler.New(name, c, sampler.Options{Steps: 5, Len: 1}); err != nil {
			t.Error(err)
		}
	}
}

func TestParseConfigRefuses(t *testing.T) {
	for _, c := range []struct {
		text  string
		words []string
	}{
		{`{"beta_strat": 0.1}`, []string{`"beta_strat"`, `"beta_start"`}},
		{`{"Beta_Start": 0.1}`, []string{`"Beta_Start"`, `"beta_start"`}},
		{`{"timestep_spaceing": "leading"}`, []string{`"timestep_spacing"`}},
		{`{"` + strings.Repeat("x", 1000) + `": 1}`, []string{"unknown key"}},
		{`{"beta_start": "much"}`, []string{"beta_start", "string"}},
		{`{"beta_start": 1e999}`, []string{"beta_start"}},
		{`{"beta_start": Infinity}`, []string{"beta_start"}},
		{`{"steps_offset": 1.5}`, []string{"steps_offset", "1.5"}},
		{`{"lambda_min_clipped": Infinity}`, []string{"string"}},
		{`{"trained_betas": [0.1, "b"]}`, []string{"trained_betas"}},
		{`{"_class_name": 7}`, []string{"_class_name"}},
		{`{`, []string{"scheduler_config.json"}},
		{``, []string{"scheduler_config.json"}},
		{`[]`, []string{"array"}},
		{`null`, []string{"object"}},
	} {
		t.Run(c.text[:min(len(c.text), 40)], func(t *testing.T) {
			_, err := sampler.ParseConfig([]byte(c.text))
			mention(t, err, c.words...)
		})
	}
}

func TestNewRefusesConfigurations(t *testing.T) {
	for _, c := range []struct {
		name, text string
		words      []string
	}{
		{"ddim", `{"num_train_timesteps": 0}`, []string{"num_train_timesteps"}},
		{"ddim", `{"num_train_timesteps": 100001}`, []string{"num_train_timesteps", "100000"}},
		{"euler", `{"num_train_timesteps": 19}`, []string{"20 steps", "19"}},
		{"euler", `{"steps_offset": 1000}`, []string{"steps_offset"}},
		{"euler", `{"beta_schedule": "sigmoid"}`, []string{"beta_schedule", "sigmoid"}},
		{"euler", `{"beta_start": -0.1}`, []string{"beta_start"}},
		{"euler", `{"beta_start": -0.1, "beta_schedule": "scaled_linear"}`, []string{"beta_start", "NaN"}},
		{"euler", `{"beta_end": 1}`, []string{"beta_end"}},
		{"euler", `{"beta_start": 0.9, "beta_end": 0.9}`, []string{"float32", "beta_start"}},
		{"euler", `{"beta_start": 1e-9, "beta_end": 1e-9}`, []string{"float32"}},
		{"ddim", `{"beta_start": 1e-9, "beta_end": 1e-9, "rescale_betas_zero_snr": true}`, []string{"float32"}},
		{"euler", `{"trained_betas": [0.1]}`, []string{"trained_betas", "1000"}},
		{"euler", `{"prediction_type": "flow_prediction"}`, []string{"prediction_type", "flow_prediction"}},
		{"euler", `{"timestep_spacing": "evenly"}`, []string{"timestep_spacing", "evenly"}},
		{"euler", `{"timestep_type": "endless"}`, []string{"timestep_type"}},
		{"euler", `{"interpolation_type": "cubic"}`, []string{"interpolation_type"}},
		{"euler", `{"interpolation_type": "log_linear", "timestep_type": "continuous"}`, []string{"timestep_type", "interpolation_type"}},
		{"euler", `{"final_sigmas_type": "one"}`, []string{"final_sigmas_type"}},
		{"euler", `{"use_beta_sigmas": true, "use_karras_sigmas": true}`, []string{"use_beta_sigmas"}},
		{"euler", `{"use_karras_sigmas": true, "sigma_min": 200}`, []string{"sigma_max", "157"}},
		{"euler", `{"use_karras_sigmas": true, "sigma_min": 0}`, []string{"sigma_min"}},
		{"lms", `{"use_exponential_sigmas": true, "sigma_max": -1}`, []string{"sigma_max"}},
		{"dpm2", `{"use_beta_sigmas": true, "sigma_max": 1e7}`, []string{"sigma_max"}},
		{"heun", `{"use_beta_sigmas": true, "use_exponential_sigmas": true}`, []string{"use_beta_sigmas"}},
		{"heun", `{"clip_sample": true, "clip_sample_range": -1}`, []string{"clip_sample_range"}},
		{"dpm2_a", `{"beta_schedule": "exp"}`, []string{"beta_schedule", "exp"}},
		{"euler", `{"use_karras_sigmas": true, "use_exponential_sigmas": true}`, []string{"use_exponential_sigmas", "use_karras_sigmas"}},
		{"ddim", `{"thresholding": true, "dynamic_thresholding_ratio": 1.1}`, []string{"dynamic_thresholding_ratio", "1.1"}},
		{"ddpm", `{"thresholding": true, "sample_max_value": 0}`, []string{"sample_max_value"}},
		{"ddpm", `{"clip_sample_range": -1}`, []string{"clip_sample_range"}},
		{"ddpm", `{"variance_type": "learned_range"}`, []string{"variance_type", "learned_range"}},
		{"ddpm", `{"variance_type": "learned"}`, []string{"variance_type", "learned"}},
		{"ddpm", `{"timestep_spacing": "trailing", "rescale_betas_zero_snr": true}`, []string{"prediction_type", "zero SNR"}},
		{"ddpm", `{"beta_schedule": "sigmoid"}`, []string{"beta_schedule", "sigmoid"}},
		{"pndm", `{"timestep_spacing": "evenly"}`, []string{"timestep_spacing", "evenly"}},
		{"pndm", `{"num_train_timesteps": 20, "steps_offset": 1}`, []string{"steps_offset", "timestep 20"}},
		{"lcm", `{"original_inference_steps": 19}`, []string{"20 steps", "original_inference_steps", "19"}},
		{"lcm", `{"original_inference_steps": 0}`, []string{"original_inference_steps", "0"}},
		{"lcm", `{"clip_sample": true, "clip_sample_range": 0}`, []string{"clip_sample_range"}},
		{"lcm", `{"rescale_betas_zero_snr": true}`, []string{"prediction_type", "zero SNR"}},
		{"tcd", `{"original_inference_steps": 1001}`, []string{"original_inference_steps", "1001"}},
		{"ddim", `{"clip_sample_range": 0}`, []string{"clip_sample_range"}},
		{"ddim", `{"timestep_spacing": "trailing", "rescale_betas_zero_snr": true}`, []string{"prediction_type", "zero SNR"}},
		{"ddim", `{"num_train_timesteps": 20, "steps_offset": 1}`, []string{"steps_offset", "timestep 20"}},
		{"dpmpp_2m", `{"num_train_timesteps": 20, "timestep_spacing": "leading"}`, []string{"20 steps", "19"}},
		{"dpmpp_2m", `{"thresholding": true, "algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"}`, []string{"thresholding", "dpmsolver"}},
		{"dpmpp_2m", `{"thresholding": true, "sample_max_value": 0}`, []string{"sample_max_value"}},
		{"dpmpp_2m", `{"algorithm_type": "dpmsolver+++"}`, []string{"algorithm_type"}},
		{"dpmpp_2m", `{"algorithm_type": "dpmsolver"}`, []string{"final_sigmas_type", "dpmsolver"}},
		{"dpmpp_2m", `{"algorithm_type": "sde-dpmsolver", "solver_order": 3, "final_sigmas_type": "sigma_min"}`, []string{"solver_order", "sde-dpmsolver"}},
		{"dpmpp_2m_sde", `{"use_karras_sigmas": true, "use_beta_sigmas": true}`, []string{"use_beta_sigmas"}},
		{"dpmpp_sde", `{"_class_name": "DPMSolverSinglestepScheduler", "algorithm_type": "sde-dpmsolver"}`, []string{"algorithm_type"}},
		{"dpmpp_sde", `{"solver_order": 0}`, []string{"solver_order"}},
		{"unipc", `{"solver_type": "bh3"}`, []string{"solver_type"}},
		{"unipc", `{"solver_order": 4}`, []string{"solver_order"}},
		{"unipc", `{"solver_p": {"_class_name": "DDIMScheduler"}}`, []string{"solver_p"}},
		{"unipc", `{"shift_terminal": 0.1}`, []string{"shift_terminal"}},
		{"unipc", `{"use_flow_sigmas": true}`, []string{"use_flow_sigmas"}},
		{"unipc", `{"use_dynamic_shifting": true}`, []string{"use_dynamic_shifting"}},
		{"unipc", `{"use_karras_sigmas": true, "sigma_max": 1e7}`, []string{"sigma_max"}},
		{"dpmpp_2m", `{"solver_type": "runge"}`, []string{"solver_type"}},
		{"dpmpp_2m", `{"solver_order": 4}`, []string{"solver_order"}},
		{"dpmpp_2m", `{"variance_type": "learned_range"}`, []string{"variance_type"}},
		{"dpmpp_2m", `{"use_flow_sigmas": true}`, []string{"use_flow_sigmas"}},
		{"dpmpp_2m", `{"lambda_min_clipped": 50}`, []string{"lambda_min_clipped"}},
	} {
		t.Run(c.name+c.text, func(t *testing.T) {
			config, err := sampler.ParseConfig([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			_, err = sampler.New(c.name, config, sampler.Options{Steps: 20, Len: 1})
			mention(t, err, append(c.words, c.name)...)
		})
	}
}

// What one class refuses another does not even know.
func TestKeysOfOtherClassesAreIgnored(t *testing.T) {
	for name, keys := range map[string]map[string]any{
		"ddim":     {"use_karras_sigmas": true, "use_beta_sigmas": true, "final_sigmas_type": "one", "solver_order": 9},
		"euler":    {"thresholding": true, "clip_sample": true, "clip_sample_range": -1, "algorithm_type": "x", "original_inference_steps": 50},
		"euler_a":  {"use_karras_sigmas": true, "use_exponential_sigmas": true, "final_sigmas_type": "one", "sigma_max": 3},
		"ddpm":     {"skip_prk_steps": true, "set_alpha_to_one": false, "use_karras_sigmas": true, "original_inference_steps": 3},
		"pndm":     {"rescale_betas_zero_snr": true, "clip_sample": true, "clip_sample_range": -1, "thresholding": true, "variance_type": "learned"},
		"lcm":      {"timestep_spacing": "evenly", "steps_offset": 5, "set_alpha_to_one": false, "variance_type": "learned"},
		"tcd":      {"timestep_spacing": "evenly", "clip_sample": true, "thresholding": true, "timestep_scaling": 3},
		"lms":      {"rescale_betas_zero_snr": true, "final_sigmas_type": "one", "interpolation_type": "cubic", "clip_sample": true},
		"heun":     {"rescale_betas_zero_snr": true, "final_sigmas_type": "one", "timestep_type": "endless", "thresholding": true},
		"dpm2":     {"rescale_betas_zero_snr": true, "final_sigmas_type": "one", "interpolation_type": "cubic", "clip_sample": true},
		"dpm2_a":   {"rescale_betas_zero_snr": true, "final_sigmas_type": "one", "interpolation_type": "cubic", "clip_sample": true},
		"dpmpp_2m": {"timestep_type": "continuous", "sigma_min": 1, "clip_sample": true, "variance_type": "fixed_small"},

		"dpmpp_sde": {"timestep_spacing": "evenly", "rescale_betas_zero_snr": true, "euler_at_final": true, "use_lu_lambdas": true},
		"unipc":     {"lambda_min_clipped": 50, "algorithm_type": "x", "use_lu_lambdas": true, "variance_type": "learned", "clip_sample": true},
	} {
		t.Run(name, func(t *testing.T) {
			o := sampler.Options{Steps: 5, Len: 3}
			plain, err := sampler.New(name, sampler.Config{}, o)
			if err != nil {
				t.Fatal(err)
			}
			other, err := sampler.New(name, parse(t, keys), o)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := fmt.Sprint(walk(other, 3)), fmt.Sprint(walk(plain, 3)); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// walk runs a sampler with a model that answers what it is shown.
func walk(s sampler.Sampler, n int) []float32 {
	x, in, noise := make([]float32, n), make([]float32, n), make([]float32, n)
	ones(noise)
	s.Start(x, nil, noise)
	for i := range s.Timesteps() {
		s.Input(in, x, i)
		s.Step(x, in, i, ones)
	}
	return x
}

// ones stands for fresh noise.
func ones(x []float32) {
	for i := range x {
		x[i] = 1
	}
}

// mention fails the test unless err is there and speaks of every word.
func mention(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one about %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not mention %q", err, w)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"beta_schedule": "scaled_linear", "timestep_spacing": "trailing"}`), uint16(20), uint16(3))
	f.Add([]byte(`{"lambda_min_clipped": -Infinity, "use_karras_sigmas": true, "solver_order": 3}`), uint16(1000), uint16(0))
	f.Add([]byte(`{"num_train_timesteps": 3, "trained_betas": [0.1, 0.2, 0.3], "rescale_betas_zero_snr": true}`), uint16(3), uint16(2))
	f.Add([]byte(`{"beta_strat": 1}`), uint16(1), uint16(0))
	f.Fuzz(func(t *testing.T, text []byte, steps, begin uint16) {
		c, err := sampler.ParseConfig(text)
		if err != nil {
			return
		}
		for _, name := range sampler.Names() {
			s, err := sampler.New(name, c, sampler.Options{Steps: int(steps), Begin: int(begin), Len: 2, Eta: 0.5})
			if err == nil {
				walk(s, 2)
			}
		}
	})
}
