package model

import (
	"encoding/json"
	"math"
	"slices"
)

// A VAE is what the autoencoder's configuration tells. Latents in the engine's scale are
//
//	(raw - Mean) * ScalingFactor / Std
//
// per channel, where Mean 0 and Std 1 stand when the model names none.
type VAE struct {
	Channels      int
	Factor        int // pixels a latent cell, along each side
	Width         int // channels of its layers at full size, 1 to 16384
	ScalingFactor float64
	Mean, Std     []float64 // one a channel, or nil
}

type vaeConfig struct {
	LatentChannels          int             `json:"latent_channels"`
	BlockOutChannels        []int           `json:"block_out_channels"`
	EncoderBlockOutChannels []int           `json:"encoder_block_out_channels"` // AutoencoderTiny, AutoencoderDC
	ScalingFactor           *float64        `json:"scaling_factor"`
	LatentsMean             []float64       `json:"latents_mean"`
	LatentsStd              []float64       `json:"latents_std"`
	ShiftFactor             float64         `json:"shift_factor"`
	ForceUpcast             json.RawMessage `json:"force_upcast"`
}

const maxWidth = 1 << 14 // channels of the VAE at full size

func (in *inspector) vae() {
	file := "vae_decoder/config.json"
	c := vaeConfig{LatentChannels: 4} // diffusers' default
	if !in.read(file, &c) && !in.reported(file) {
		file = "vae/config.json"
		in.read(file, &c)
	}
	if in.reported(file) {
		return
	}
	in.upcast = present(c.ForceUpcast)
	blocks := c.BlockOutChannels
	if blocks == nil {
		blocks = c.EncoderBlockOutChannels
	}
	if len(blocks) < 1 || len(blocks) > maxLevels {
		in.problem("vae_decoder/config.json", "block_out_channels, which tells the size factor, is missing or has more than %d entries; "+
			"copy the file from the vae folder of the model's original", maxLevels)
		return
	}
	v := VAE{Channels: c.LatentChannels, Factor: 1 << (len(blocks) - 1), Width: blocks[0], Mean: c.LatentsMean, Std: c.LatentsStd}
	switch {
	case v.Channels < 1 || v.Channels > maxChannels:
		in.problem(file, "latent_channels is %d, which cannot be", v.Channels)
	case v.Width < 1 || v.Width > maxWidth:
		in.problem(file, "block_out_channels begins with %d; 1 to %d is expected", v.Width, maxWidth)
	case c.ShiftFactor != 0:
		in.problem(file, "shift_factor is %v; models that shift their latents cannot be run yet", c.ShiftFactor)
	case !statistics(v):
		in.problem(file, "latents_mean and latents_std should both have %d entries, and those of latents_std be above 0", v.Channels)
	case in.scaling(file, &v, c.ScalingFactor):
		in.folder.VAE = v
	}
}

// statistics reports whether the latents' statistics are absent, or one for each channel.
func statistics(v VAE) bool {
	if v.Mean == nil && v.Std == nil {
		return true
	}
	flat := func(x float64) bool { return !sensible(x) }
	huge := func(x float64) bool { return math.Abs(x) > math.MaxFloat32 }
	return len(v.Mean) == v.Channels && len(v.Std) == v.Channels &&
		!slices.ContainsFunc(v.Std, flat) && !slices.ContainsFunc(v.Mean, huge)
}

// sensible reports whether latents, which are of float32, can be multiplied and divided by x.
func sensible(x float64) bool { return x >= 1e-30 && x <= 1e30 }

// scaling takes the factor from the file, or for exports that predate the key, from what the
// models of their time used.
func (in *inspector) scaling(file string, v *VAE, told *float64) bool {
	const stableDiffusion, xl = 0.18215, 0.13025
	switch {
	case told != nil && sensible(*told):
		v.ScalingFactor = *told
	case told != nil:
		in.problem(file, "scaling_factor is %v; it must be above 0, and a number that latents can be divided by", *told)
		return false
	case v.Channels == 4 && in.xl:
		v.ScalingFactor = xl
		in.note(file, "has no scaling_factor; taking %v as for Stable Diffusion XL", xl)
	case v.Channels == 4:
		v.ScalingFactor = stableDiffusion
		in.note(file, "has no scaling_factor; taking %v as for Stable Diffusion 1 and 2", stableDiffusion)
	default:
		in.problem(file, "scaling_factor is missing; copy it from the model's original vae/config.json")
		return false
	}
	return true
}

// Encoder tells what the VAE's encoder gives: the output's name, and whether it holds moments, which are a mean and the
// logarithm of a variance for each latent, rather than latents drawn inside the graph. A model without encoder has "".
func (f *Folder) Encoder() (output string, moments bool) {
	output = latents(f.Signature(VAEEncoder))
	return output, output == latentParameters
}

// halfVAE warns of a VAE that overflows in half precision, in which its graphs compute.
func (in *inspector) halfVAE() {
	for _, component := range []string{VAEDecoder, VAEEncoder} {
		if in.upcast && in.folder.Half(component) {
			in.note(file(component), "computes in fp16, but by its configuration (force_upcast) this VAE may overflow in it, which makes pictures black; "+
				"export the VAE in fp32, or with weights mended for fp16")
		}
	}
}
