package sampler_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/easelbot/easel/generator/sampler"
)

// With a strength lcm spreads all its steps over a share of the noise; tcd does not.
func TestStrength(t *testing.T) {
	for _, c := range []struct {
		name string
		o    sampler.Options
		want []float64
	}{
		{"lcm", sampler.Options{Steps: 4}, []float64{999, 759, 499, 259}},
		{"lcm", sampler.Options{Steps: 4, Begin: 2}, []float64{499, 259}},
		{"lcm", sampler.Options{Steps: 4, Begin: 2, Strength: 1}, []float64{499, 259}},
		{"lcm", sampler.Options{Steps: 4, Strength: 0.5}, []float64{499, 379, 259, 139}},
		{"lcm", sampler.Options{Steps: 4, Begin: 2, Strength: 0.5}, []float64{499, 379, 259, 139}},
		{"tcd", sampler.Options{Steps: 4, Begin: 2, Strength: 0.5}, []float64{499, 259}},
	} {
		c.o.Len = 1
		s, err := sampler.New(c.name, sampler.Config{}, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Timesteps(); !slices.Equal(got, c.want) {
			t.Errorf("%s, %+v: %v, want %v", c.name, c.o, got, c.want)
		}
	}
	_, err := sampler.New("lcm", sampler.Config{}, sampler.Options{Steps: 10, Len: 1, Strength: 0.19})
	mention(t, err, "10 steps", "strength", "9")
}

// The names are other ways to compute the same.
func TestVarianceTypes(t *testing.T) {
	run := func(kind string) []float32 {
		s, err := sampler.New("ddpm", parse(t, map[string]any{"variance_type": kind, "clip_sample": false}), sampler.Options{Steps: 7, Len: 3})
		if err != nil {
			t.Fatal(err)
		}
		return walk(s, 3)
	}
	small, large := run("fixed_small"), run("fixed_large")
	if slices.Equal(small, large) {
		t.Error("fixed_large gives what fixed_small gives")
	}
	if got := run("fixed_small_log"); !slices.Equal(got, small) {
		t.Errorf("fixed_small_log gives %v, want %v", got, small)
	}
	if got := run("fixed_large_log"); !slices.Equal(got, large) {
		t.Errorf("fixed_large_log gives %v, want %v", got, large)
	}
}

// Where there is no room for the Runge-Kutta start there is none.
func TestPNDMWithFewSteps(t *testing.T) {
	for _, c := range []struct {
		o     sampler.Options
		calls int
	}{
		{sampler.Options{Steps: 1}, 1},
		{sampler.Options{Steps: 3}, 4},
		{sampler.Options{Steps: 4}, 13},
		{sampler.Options{Steps: 10, Begin: 6}, 13},
		{sampler.Options{Steps: 3, Begin: 2}, 2},
		{sampler.Options{Steps: 10, Begin: 9}, 10},
	} {
		c.o.Len = 2
		s, err := sampler.New("pndm", sampler.Config{}, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(s.Timesteps()); n != c.calls {
			t.Errorf("%+v: %d calls, want %d", c.o, n, c.calls)
		}
		if x := walk(s, 2); !finite(x) {
			t.Errorf("%+v: %v", c.o, x)
		}
	}
}

func TestThresholdingAllocatesNothing(t *testing.T) {
	c := parse(t, map[string]any{"thresholding": true, "sample_max_value": 2})
	for _, name := range []string{"ddim", "ddpm", "lcm"} {
		s, err := sampler.New(name, c, sampler.Options{Steps: 5, Len: 64})
		if err != nil {
			t.Fatal(err)
		}
		x, out := make([]float32, 64), make([]float32, 64)
		n := testing.AllocsPerRun(10, func() {
			for i := range s.Timesteps() {
				ones(x)
				s.Step(x, out, i, ones)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations a run", name, n)
		}
	}
}

// Every count of steps must give the very timesteps of diffusers, whose SHA-256 this is, each as two bytes, little-endian.
func TestDistilledTimestepsEqualDiffusers(t *testing.T) {
	for _, c := range []struct {
		original int
		sha256   string
	}{
		{30, "ee214a255b18ffcbe9964e6a56c1a47c1e6d48c410be7db80ccae5e949d745ee"}, {50, "7cec9910c43aea623c81fdacfee9a884fef5d70baf5485fc3f73d0c062453947"}, {333, "672a91a225437f31bc634aed4678d26cbebcda63f54e3c0ab128fe614860137f"}, {1000, "bb2ec1ec6ce4f3053928b5344d22304e5f599e46d5d730a574be314284a68f7c"},
	} {
		h, config := sha256.New(), parse(t, map[string]any{"original_inference_steps": c.original})
		for n := 1; n <= c.original; n++ {
			for _, v := range timesteps(t, "lcm", config, n) {
				h.Write(binary.LittleEndian.AppendUint16(nil, uint16(v)))
			}
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != c.sha256 {
			t.Errorf("of %d: sha256 %s, want %s", c.original, got, c.sha256)
		}
	}
}
