package sampler_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/easelbot/easel/generator/sampler"
)

// Table 2 of Lin et al. 2023 (which counts from 1) and what diffusers makes of it.
func TestTimestepsOfTenSteps(t *testing.T) {
	for _, c := range []struct {
		name, spacing string
		want          []float64
	}{
		{"ddim", "leading", []float64{900, 800, 700, 600, 500, 400, 300, 200, 100, 0}},
		{"ddim", "linspace", []float64{999, 888, 777, 666, 555, 444, 333, 222, 111, 0}},
		{"ddim", "trailing", []float64{999, 899, 799, 699, 599, 499, 399, 299, 199, 99}},
		{"euler", "leading", []float64{900, 800, 700, 600, 500, 400, 300, 200, 100, 0}},
		{"dpmpp_2m", "leading", []float64{900, 810, 720, 630, 540, 450, 360, 270, 180, 90}},
		{"dpmpp_2m", "linspace", []float64{999, 899, 799, 699, 599, 500, 400, 300, 200, 100}},
	} {
		t.Run(c.name+" "+c.spacing, func(t *testing.T) {
			if got := timesteps(t, c.name, parse(t, map[string]any{"timestep_spacing": c.spacing}), 10); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// Every count of steps from 1 to 1000 must give the very timesteps of diffusers, rounding of halves included.
func TestTimestepsEqualDiffusers(t *testing.T) {
	text, err := os.ReadFile("testdata/timesteps.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct{ Sampler, Spacing, SHA256 string }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.Sampler+" "+c.Spacing, func(t *testing.T) {
			most := 1000
			if c.Spacing == "leading" {
				most = 998
			}
			config, h := parse(t, map[string]any{"timestep_spacing": c.Spacing, "steps_offset": 1}), sha256.New()
			for n := 1; n <= most; n++ {
				all := timesteps(t, c.Sampler, config, n)
				if err := binary.Write(h, binary.LittleEndian, all); err != nil {
					t.Fatal(err)
				}
			}
			if got := hex.EncodeToString(h.Sum(nil)); got != c.SHA256 {
				t.Errorf("sha256 %s, want %s", got, c.SHA256)
			}
		})
	}
}

func timesteps(t *testing.T, name string, c sampler.Config, steps int) []float64 {
	t.Helper()
	s, err := sampler.New(name, c, sampler.Options{Steps: steps, Len: 1})
	if err != nil {
		t.Fatal(err)
	}
	return s.Timesteps()
}
