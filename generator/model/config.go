package model

import (
	"encoding/json"
	"math"
	"slices"
)

// A Denoiser is what unet/config.json tells of the U-Net.
type Denoiser struct {
	SampleSize [2]int // height and width it was trained at, in latent cells; zero if not told
	Channels   int    // of the latents, in and out
	CrossWidth int    // of the text encoder's states, 1 to 65536
	Heads      int    // of attention at the first level, where latents are largest; 1 to 1024
	Step       int    // latent height and width must be multiples of this: 2^(levels-1)
}

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

// A Scheduler is the noise schedule: the sampler's business, passed on unread.
type Scheduler struct {
	Class string // such as "DDIMScheduler"
	JSON  []byte // scheduler_config.json
}

type unetConfig struct {
	SampleSize        sides           `json:"sample_size"`
	InChannels        int             `json:"in_channels"`
	OutChannels       int             `json:"out_channels"`
	CrossAttentionDim perBlock        `json:"cross_attention_dim"`
	NumAttentionHeads perBlock        `json:"num_attention_heads"`
	AttentionHeadDim  perBlock        `json:"attention_head_dim"` // in spite of its name, heads
	BlockOutChannels  []int           `json:"block_out_channels"`
	TimeCondProjDim   int             `json:"time_cond_proj_dim"`
	AdditionEmbedType string          `json:"addition_embed_type"`
	ClassEmbedType    json.RawMessage `json:"class_embed_type"`
	NumClassEmbeds    json.RawMessage `json:"num_class_embeds"`
}

// sides is one number for a square, or height and width.
type sides [2]int

func (s *sides) UnmarshalJSON(b []byte) error {
	var n int
	if err := json.Unmarshal(b, &n); err == nil {
		*s = sides{n, n}
		return nil
	}
	return json.Unmarshal(b, (*[2]int)(s))
}

// perBlock is one number for all of a network's blocks, or one each. What is neither becomes a
// 0, so that the check of its range refuses it by the key's name.
type perBlock []int

func (p *perBlock) UnmarshalJSON(b []byte) error {
	var n int
	if json.Unmarshal(b, (*[]int)(p)) == nil {
		return nil
	}
	if json.Unmarshal(b, &n) != nil {
		n = 0
	}
	*p = perBlock{n}
	return nil
}

const (
	maxLevels   = 10      // of a network that halves its input
	maxChannels = 1 << 10 // of latents
	maxCells    = 1 << 12 // along one side of a latent
	maxStates   = 1 << 16 // width of the text encoder's states
	maxHeads    = 1 << 10 // of attention
	maxWidth    = 1 << 14 // channels of the VAE at full size
)

func (in *inspector) denoiser() {
	const file = "unet/config.json"
	c := unetConfig{InChannels: 4, OutChannels: 4, CrossAttentionDim: perBlock{1280}} // diffusers' defaults
	if !in.need(file, &c, "it tells the latents' size; copy it from the model's original folder") {
		return
	}
	if family := familyOfUNet(c); family != "" {
		in.problem(file, "%s", refusal(family))
		return
	}
	levels, size, cross, heads := len(c.BlockOutChannels), c.SampleSize, one(c.CrossAttentionDim), c.heads()
	switch {
	case c.InChannels < 1 || c.InChannels > maxChannels:
		in.problem(file, "in_channels is %d, which cannot be", c.InChannels)
	case c.InChannels != c.OutChannels:
		in.problem(file, "in_channels is %d and out_channels %d; only models in which they are equal can be run", c.InChannels, c.OutChannels)
	case levels < 1 || levels > maxLevels:
		in.problem(file, "block_out_channels has %d entries; 1 to %d are expected", levels, maxLevels)
	case min(size[0], size[1]) < 0 || max(size[0], size[1]) > maxCells:
		in.problem(file, "sample_size is %d, which cannot be", size)
	case cross < 1 || cross > maxStates:
		in.problem(file, "cross_attention_dim should be one number, 1 to %d, or that number for each block", maxStates)
	case heads < 1 || heads > maxHeads:
		in.problem(file, "num_attention_heads, or attention_head_dim where that is null, should be 1 to %d, as a number or for each block", maxHeads)
	default:
		in.folder.Denoiser = Denoiser{SampleSize: size, Channels: c.InChannels, CrossWidth: cross, Heads: heads, Step: 1 << (levels - 1)}
	}
}

// one returns the number on which all blocks agree, or 0.
func one(p perBlock) int {
	if len(p) == 0 || slices.Min(p) != slices.Max(p) {
		return 0
	}
	return p[0]
}

// heads reads as diffusers' UNet2DConditionModel does, for which attention_head_dim is an
// old name of the number of heads, 8 if not told.
func (c unetConfig) heads() int {
	return slices.Concat(c.NumAttentionHeads, c.AttentionHeadDim, perBlock{8})[0]
}

type vaeConfig struct {
	LatentChannels          int       `json:"latent_channels"`
	BlockOutChannels        []int     `json:"block_out_channels"`
	EncoderBlockOutChannels []int     `json:"encoder_block_out_channels"` // AutoencoderTiny, AutoencoderDC
	ScalingFactor           *float64  `json:"scaling_factor"`
	LatentsMean             []float64 `json:"latents_mean"`
	LatentsStd              []float64 `json:"latents_std"`
	ShiftFactor             float64   `json:"shift_factor"`
}

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
	flat := func(x float64) bool { return x <= 0 }
	return len(v.Mean) == v.Channels && len(v.Std) == v.Channels && !slices.ContainsFunc(v.Std, flat)
}

// scaling takes the factor from the file, or for exports that predate the key, from what the
// models of their time used.
func (in *inspector) scaling(file string, v *VAE, told *float64) bool {
	const stableDiffusion = 0.18215
	switch {
	case told != nil && *told > 0 && !math.IsInf(*told, 0):
		v.ScalingFactor = *told
	case told != nil:
		in.problem(file, "scaling_factor is %v; it must be above 0", *told)
		return false
	case v.Channels == 4:
		v.ScalingFactor = stableDiffusion
		in.note(file, "has no scaling_factor; taking %v as for Stable Diffusion 1 and 2", stableDiffusion)
	default:
		in.problem(file, "scaling_factor is missing; copy it from the model's original vae/config.json")
		return false
	}
	return true
}

func (in *inspector) scheduler() {
	const file = "scheduler/scheduler_config.json"
	var raw json.RawMessage
	if !in.need(file, &raw, "it holds the noise schedule; copy it from the model's original folder") {
		return
	}
	var c struct {
		Class string `json:"_class_name"`
	}
	if err := json.Unmarshal(raw, &c); err != nil || c.Class == "" {
		in.problem(file, "_class_name is missing; it names the scheduler, such as DDIMScheduler")
		return
	}
	in.folder.Scheduler = Scheduler{Class: c.Class, JSON: raw}
}
