package noise_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/easelbot/easel/generator/noise"
	"pgregory.net/rapid"
)

func TestSlerp(t *testing.T) {
	h := float32(math.Sqrt2 / 2)
	for _, c := range []struct {
		name string
		a, b []float32
		t    float64
		want []float32
	}{
		{"quarter circle", []float32{1, 0}, []float32{0, 1}, 0.5, []float32{h, h}},
		{"a third of it", []float32{1, 0}, []float32{0, 1}, 1.0 / 3, []float32{float32(math.Cos(math.Pi / 6)), 0.5}},
		{"begins at a", []float32{3, 4}, []float32{-1, 2}, 0, []float32{3, 4}},
		{"ends at b", []float32{3, 4}, []float32{-1, 2}, 1, []float32{-1, 2}},
		{"one direction", []float32{1, 1}, []float32{3, 3}, 0.5, []float32{2, 2}},
		{"opposite", []float32{1, 1}, []float32{-1, -1}, 0.25, []float32{0.5, 0.5}},
		{"nothing to turn", []float32{0, 0}, []float32{2, 4}, 0.5, []float32{1, 2}},
		{"empty", nil, nil, 0.5, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := make([]float32, len(c.a))
			noise.Slerp(got, c.a, c.b, c.t)
			for i := range got {
				if math.Abs(float64(got[i]-c.want[i])) > 1e-6 {
					t.Fatalf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}

// Between two noises of any seeds there is noise again: the norm stays, and dst may be one of the two.
func TestSlerpKeepsTheNorm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Int64Range(0, 1<<32-2).Draw(t, "seed")
		part := rapid.Float64Range(0, 1).Draw(t, "t")
		a, b := draw(noise.New(seed), 1024), draw(noise.New(seed+1), 1024)
		want := norm(a)*(1-part) + norm(b)*part
		other := make([]float32, len(a))
		noise.Slerp(other, a, b, part)
		if got := norm(other); math.Abs(got-want) > 0.02*want {
			t.Fatalf("norm %v, want near %v", got, want)
		}
		noise.Slerp(a, a, b, part)
		if !slices.Equal(a, other) {
			t.Fatal("writing to a gave another result")
		}
	})
}

func norm(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

// A variation is the noise of a seed turned a little towards that of another.
func ExampleSlerp() {
	seed, variation := make([]float32, 16), make([]float32, 16)
	noise.New(42).Normal(seed)
	noise.New(43).Normal(variation)
	noise.Slerp(seed, seed, variation, 0.1)
	fmt.Printf("%.3f\n", seed[:3])
	// Output: [1.906 1.399 1.223]
}
