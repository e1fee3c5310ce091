package sampler

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Config is a scheduler_config.json: what a model says of the noise it was trained with. It may be shared. The zero Config
// leaves everything to the sampler's defaults.
type Config struct {
	Class string // _class_name, the diffusers class that wrote the file; "" if it is not said

	json []byte
}

// settings holds every key that some sampler of this package reads or refuses. A sampler fills it with its class's
// defaults and then with the file.
type settings struct {
	NumTrainTimesteps    int       `json:"num_train_timesteps"`
	BetaStart            float64   `json:"beta_start"`
	BetaEnd              float64   `json:"beta_end"`
	BetaSchedule         string    `json:"beta_schedule"`
	TrainedBetas         []float64 `json:"trained_betas"`
	RescaleBetasZeroSNR  bool      `json:"rescale_betas_zero_snr"`
	PredictionType       string    `json:"prediction_type"`
	TimestepSpacing      string    `json:"timestep_spacing"`
	StepsOffset          int       `json:"steps_offset"`
	SetAlphaToOne        bool      `json:"set_alpha_to_one"`
	ClipSample           bool      `json:"clip_sample"`
	ClipSampleRange      float64   `json:"clip_sample_range"`
	Thresholding         bool      `json:"thresholding"`
	ThresholdingRatio    float64   `json:"dynamic_thresholding_ratio"`
	SampleMaxValue       float64   `json:"sample_max_value"`
	VarianceType         string    `json:"variance_type"`
	SkipPRKSteps         bool      `json:"skip_prk_steps"`
	OriginalSteps        int       `json:"original_inference_steps"`
	TimestepScaling      float64   `json:"timestep_scaling"`
	FinalSigmasType      string    `json:"final_sigmas_type"`
	UseKarrasSigmas      bool      `json:"use_karras_sigmas"`
	UseExponentialSigmas bool      `json:"use_exponential_sigmas"`
	UseBetaSigmas        bool      `json:"use_beta_sigmas"`
	SigmaMin             *float64  `json:"sigma_min"`
	SigmaMax             *float64  `json:"sigma_max"`
	InterpolationType    string    `json:"interpolation_type"`
	TimestepType         string    `json:"timestep_type"`
	LambdaMinClipped     bound     `json:"lambda_min_clipped"`
	AlgorithmType        string    `json:"algorithm_type"`
	SolverType           string    `json:"solver_type"`
	SolverOrder          int       `json:"solver_order"`
	LowerOrderFinal      bool      `json:"lower_order_final"`
	EulerAtFinal         bool      `json:"euler_at_final"`
	UseLuLambdas         bool      `json:"use_lu_lambdas"`
	PredictX0            bool      `json:"predict_x0"`
	DisableCorrector     []int     `json:"disable_corrector"`

	// Only looked at to refuse what they ask for.
	UseFlowSigmas      bool `json:"use_flow_sigmas"`
	UseDynamicShifting bool `json:"use_dynamic_shifting"`
	SolverP            any  `json:"solver_p"`
	ShiftTerminal      any  `json:"shift_terminal"`
}

// common holds the defaults that the classes share.
var common = settings{
	NumTrainTimesteps: 1000,
	BetaStart:         0.0001,
	BetaEnd:           0.02,
	BetaSchedule:      "linear",
	PredictionType:    "epsilon",
	TimestepSpacing:   "linspace",
	ClipSampleRange:   1,
	ThresholdingRatio: 0.995,
	SampleMaxValue:    1,
	VarianceType:      "fixed_small",
	OriginalSteps:     50,
	TimestepScaling:   10,
	FinalSigmasType:   "zero",
	LambdaMinClipped:  bound(math.Inf(-1)),
	InterpolationType: "linear",
	TimestepType:      "discrete",
}

// ParseConfig reads a scheduler_config.json, with the bare Infinity and NaN that Python writes. It refuses unknown keys
// and values of a wrong type; whether the values are supported is for New to say, which knows the sampler. A null counts
// as a key left out.
func ParseConfig(text []byte) (Config, error) {
	text = quoteConstants(text)
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		return Config{}, fmt.Errorf("scheduler_config.json: %w", plain(err))
	}
	if keys == nil {
		return Config{}, errors.New("scheduler_config.json: null where an object is needed")
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !strings.HasPrefix(key, "_") && !isKnown(key) {
			return Config{}, fmt.Errorf("scheduler_config.json: unknown key %.64q: the nearest known one is %q", key, nearest(key))
		}
	}
	var file struct {
		settings
		Class string `json:"_class_name"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return Config{}, fmt.Errorf("scheduler_config.json: %w", plain(err))
	}
	return Config{Class: file.Class, json: text}, nil
}

// With returns the configuration with other values for some of its keys.
func (c Config) With(values map[string]any) (Config, error) {
	keys := map[string]any{}
	if c.json != nil {
		if err := json.Unmarshal(c.json, &keys); err != nil {
			return Config{}, fmt.Errorf("scheduler_config.json: %w", plain(err))
		}
	}
	maps.Copy(keys, values)
	text, err := json.Marshal(keys)
	if err != nil {
		return Config{}, fmt.Errorf("scheduler_config.json: %w", err)
	}
	return ParseConfig(text)
}

// TrainTimesteps returns how many timesteps the model was trained with.
func (c Config) TrainTimesteps() int {
	s := common
	if c.json != nil && json.Unmarshal(c.json, &s) != nil {
		return common.NumTrainTimesteps // New says what is wrong
	}
	return s.NumTrainTimesteps
}

// fill puts what the file says over the defaults in s, and checks what every sampler relies on.
func (c Config) fill(s *settings, o Options) error {
	if c.json != nil {
		if err := json.Unmarshal(c.json, s); err != nil {
			return fmt.Errorf("scheduler_config.json: %w", plain(err))
		}
	}
	switch n := s.NumTrainTimesteps; {
	case n < 2 || n > 100_000:
		return fmt.Errorf("num_train_timesteps: %d is outside 2 to 100000", n)
	case s.StepsOffset < 0 || s.StepsOffset >= n:
		return fmt.Errorf("steps_offset: %d is outside 0 to %d", s.StepsOffset, n-1)
	case o.Steps > n:
		return fmt.Errorf("%d steps: the model was trained with %d, ask for no more", o.Steps, n)
	}
	return s.checkPrediction()
}

// unsupported says that a key of the file has a value that the sampler cannot follow.
func unsupported(key string, value any) error {
	return fmt.Errorf("scheduler_config.json: %s: %v is not supported here", key, value)
}

// A flag is a key that may be set or not.
type flag struct {
	key string
	set bool
}

// refuse returns an error that names the first flag that is set.
func refuse(flags ...flag) error {
	for _, f := range flags {
		if f.set {
			return unsupported(f.key, true)
		}
	}
	return nil
}

// bound is a number that may be minus infinity, which Python writes as a bare word.
type bound float64

func (b *bound) UnmarshalJSON(text []byte) error {
	if string(text) == `"-Infinity"` {
		*b = bound(math.Inf(-1))
		return nil
	}
	return json.Unmarshal(text, (*float64)(b))
}

var stringOrConstant = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?Infinity|NaN`)

// quoteConstants turns the bare constants of Python's JSON into strings.
func quoteConstants(text []byte) []byte {
	return stringOrConstant.ReplaceAllFunc(text, func(s []byte) []byte {
		if s[0] == '"' {
			return s
		}
		return []byte(`"` + string(s) + `"`)
	})
}

// plain rewords the errors of encoding/json that name Go's types.
func plain(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return fmt.Errorf("%s: a %s where %s is needed", wrong.Field, wrong.Value, wrong.Type)
	}
	return err
}
