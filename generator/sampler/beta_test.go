package sampler_test

import (
	"testing"

	"github.com/easelbot/easel/generator/sampler"
)

// The quantiles of Beta(0.6, 0.6) by SciPy, read back from levels that span 0 to 1 but for a millionth.
func TestBetaSigmasAreQuantiles(t *testing.T) {
	config := parse(t, map[string]any{"use_beta_sigmas": true, "sigma_min": 1e-6, "sigma_max": 1})
	for _, c := range []struct {
		steps, first int
		want         []float64
	}{
		{1, 0, []float64{1}},
		{11, 0, []float64{
			1, 0.960415594, 0.87707825, 0.765982996, 0.637299009, 0.5, 0.362700991, 0.234017004, 0.12292175, 0.039584406, 0,
		}},
		{1000, 1, []float64{0.99998141, 0.999940982}},
		{1000, 499, []float64{0.50069432}},
		{1000, 997, []float64{5.9018e-05, 1.859e-05, 0}},
	} {
		s, err := sampler.New("euler", config, sampler.Options{Steps: c.steps, Len: 1})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			_, got := levelAt(s, c.first+i)
			if d := got - want; d < -1e-7 || d > 1.1e-6 {
				t.Errorf("quantile %d of %d: %v, want %v", c.first+i, c.steps, got, want)
			}
		}
	}
}
