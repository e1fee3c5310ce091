package generator

import (
	"image/color"
	"math"
	"slices"
	"testing"

	"github.com/easelbot/easel/generator/model"
)

// The values are what numpy gives in float32 for (v/2+0.5).clip(0,1)*255, then round. Those beside a half fall exactly on it.
func TestToByte(t *testing.T) {
	tests := []struct {
		v    float32
		want uint8
	}{
		{-1, 0},
		{1, 255},
		{0, 128},
		{0.1, 140},
		{-0.3, 89},
		{0.999, 255},
		{-0.999, 0},
		{0.99999994, 255},
		{-1.5, 0},
		{2, 255},
		{float32(math.Inf(-1)), 0},
		{float32(math.Inf(1)), 255},
		{-0.4941176474094391, 64},  // 64.5
		{-0.48627451062202454, 66}, // 65.5
		{-0.47843137383461, 66},    // 66.5
		{0.95686274766922, 250},    // 249.5
		{0.9960784316062927, 254},  // 254.5
	}
	for _, tt := range tests {
		if got := toByte(tt.v); got != tt.want {
			t.Errorf("%v becomes %d, want %d", tt.v, got, tt.want)
		}
	}
}

func TestToImage(t *testing.T) {
	planes := []float32{
		-1, 0, 1, -1, -1, -1, // red of three columns and two rows
		1, 1, 1, 1, 1, 0, // green
		-1, -1, -1, 1, 1, 1, // blue
	}
	m := toImage(planes, 3, 2)
	for _, tt := range []struct {
		x, y int
		want color.NRGBA
	}{
		{0, 0, color.NRGBA{0, 255, 0, 255}},
		{1, 0, color.NRGBA{128, 255, 0, 255}},
		{2, 0, color.NRGBA{255, 255, 0, 255}},
		{0, 1, color.NRGBA{0, 255, 255, 255}},
		{2, 1, color.NRGBA{0, 128, 255, 255}},
	} {
		if got := m.NRGBAAt(tt.x, tt.y); got != tt.want {
			t.Errorf("pixel %d,%d is %v, want %v", tt.x, tt.y, got, tt.want)
		}
	}
}

func TestUnscale(t *testing.T) {
	tests := []struct {
		name string
		vae  model.VAE
		want []float32 // of 1 2 in the first channel, 3 4 in the second
	}{
		{"factor alone", model.VAE{Channels: 2, ScalingFactor: 0.5}, []float32{2, 4, 6, 8}},
		{"factor 1", model.VAE{Channels: 2, ScalingFactor: 1}, []float32{1, 2, 3, 4}},
		{
			"mean and deviation",
			model.VAE{Channels: 2, ScalingFactor: 0.5, Mean: []float64{10, -1}, Std: []float64{2, 0.5}},
			[]float32{1*2/0.5 + 10, 2*2/0.5 + 10, 3*0.5/0.5 - 1, 4*0.5/0.5 - 1},
		},
		{"one channel", model.VAE{Channels: 1, ScalingFactor: 2, Mean: []float64{1}, Std: []float64{4}}, []float32{3, 5, 7, 9}},
	}
	for _, tt := range tests {
		latents := []float32{1, 2, 3, 4}
		(&decoder{vae: tt.vae}).unscale(latents)
		if !slices.Equal(latents, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, latents, tt.want)
		}
	}
}
