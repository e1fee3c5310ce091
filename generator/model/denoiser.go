package model

import (
	"encoding/json"
	"slices"
	"strings"
)

// A Denoiser is what unet/config.json tells of the U-Net.
type Denoiser struct {
	SampleSize [2]int // height and width it was trained at, in latent cells; zero if not told
	Channels   int    // of the latents it gives
	Inputs     int    // channels it takes: those of the latents, and for inpainting U-Nets a mask and the latents of what the mask leaves
	CrossWidth int    // of the text encoders' states, side by side; 1 to 65536
	Heads      int    // of attention at the finest level that has any; 1 to 1024
	HeadStep   int    // cells along a side that share a place at that level: 1, and 2 for Stable Diffusion XL
	Step       int    // latent height and width must be multiples of this: 2^(levels-1)
	TimeIDs    int    // numbers of time_ids: 6 for Stable Diffusion XL, 5 for its refiner, 0 for models without
	Pooled     int    // width of text_embeds, 0 for models without
	TimeCond   int    // width of timestep_cond, in which latent consistency models take the guidance scale; 4 to 65536, 0 for models without
}

// Inpaints reports whether the U-Net was made to fill in masked pictures: beside the latents it takes one channel of the
// mask and then the latents of what the mask leaves.
func (d Denoiser) Inpaints() bool { return d.Inputs > d.Channels }

type unetConfig struct {
	SampleSize        sides           `json:"sample_size"`
	InChannels        int             `json:"in_channels"`
	OutChannels       int             `json:"out_channels"`
	CrossAttentionDim perBlock        `json:"cross_attention_dim"`
	NumAttentionHeads perBlock        `json:"num_attention_heads"`
	AttentionHeadDim  perBlock        `json:"attention_head_dim"` // in spite of its name, heads
	BlockOutChannels  []int           `json:"block_out_channels"`
	DownBlockTypes    []string        `json:"down_block_types"`
	TimeCondProjDim   int             `json:"time_cond_proj_dim"`
	AdditionEmbedType string          `json:"addition_embed_type"`
	AdditionTimeDim   int             `json:"addition_time_embed_dim"`
	ProjectionDim     int             `json:"projection_class_embeddings_input_dim"`
	AttentionType     string          `json:"attention_type"`
	EncoderHidDim     json.RawMessage `json:"encoder_hid_dim"`
	EncoderHidDimType json.RawMessage `json:"encoder_hid_dim_type"`
	ClassEmbedType    json.RawMessage `json:"class_embed_type"`
	NumClassEmbeds    json.RawMessage `json:"num_class_embeds"`
}

// textTime is the addition_embed_type of Stable Diffusion XL: pooled text and the picture's size.
const textTime = "text_time"

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

// at returns the number of a block, or 0 if there is none.
func (p perBlock) at(block int) int {
	switch {
	case len(p) == 1:
		return p[0]
	case block < len(p):
		return p[block]
	}
	return 0
}

const (
	maxLevels   = 10      // of a network that halves its input
	maxChannels = 1 << 10 // of latents
	maxCells    = 1 << 12 // along one side of a latent
	maxStates   = 1 << 16 // width of the text encoders' states, and of what else goes beside them
	maxHeads    = 1 << 10 // of attention
	minTimeCond = 4       // of sines and cosines there must be two each
)

const unetFile = "unet/config.json"

func (in *inspector) denoiser() {
	c := unetConfig{InChannels: 4, OutChannels: 4, CrossAttentionDim: perBlock{1280}} // diffusers' defaults
	if !in.need(unetFile, &c, "it tells the latents' size; copy it from the model's original folder") {
		return
	}
	if family := familyOfUNet(c); family != "" {
		in.problem(unetFile, "%s", refusal(family))
		return
	}
	finest := c.finest()
	levels, size, cross, heads := len(c.BlockOutChannels), c.SampleSize, one(c.CrossAttentionDim), c.heads().at(finest)
	switch {
	case c.OutChannels < 1 || c.OutChannels > maxChannels:
		in.problem(unetFile, "out_channels is %d, which cannot be; copy the file from the model's original folder", c.OutChannels)
	case c.InChannels != c.OutChannels && c.InChannels != 2*c.OutChannels+1:
		in.problem(unetFile, "in_channels is %d and out_channels %d; only models in which they are equal can be run, "+
			"or for inpainting with a mask and a second picture beside them (%d)", c.InChannels, c.OutChannels, 2*c.OutChannels+1)
	case levels < 1 || levels > maxLevels:
		in.problem(unetFile, "block_out_channels has %d entries; 1 to %d are expected", levels, maxLevels)
	case min(size[0], size[1]) < 0 || max(size[0], size[1]) > maxCells:
		in.problem(unetFile, "sample_size is %d, which cannot be", size)
	case cross < 1 || cross > maxStates:
		in.problem(unetFile, "cross_attention_dim should be one number, 1 to %d, or that number for each block", maxStates)
	case finest >= levels:
		in.problem(unetFile, "down_block_types has attention below the %d levels of block_out_channels; copy the file from the model's original folder", levels)
	case heads < 1 || heads > maxHeads:
		in.problem(unetFile, "num_attention_heads, or attention_head_dim where that is null, should be 1 to %d, as a number or for each block", maxHeads)
	case c.TimeCondProjDim != 0 && (c.TimeCondProjDim < minTimeCond || c.TimeCondProjDim > maxStates):
		in.problem(unetFile, "time_cond_proj_dim is %d; it should be null, or %d to %d", c.TimeCondProjDim, minTimeCond, maxStates)
	case in.suitsTexts(c):
		in.unet = c
		in.folder.Denoiser = Denoiser{
			SampleSize: size, Channels: c.OutChannels, Inputs: c.InChannels, CrossWidth: cross,
			Heads: heads, HeadStep: 1 << finest, Step: 1 << (levels - 1), TimeCond: c.TimeCondProjDim,
		}
	}
}

// suitsTexts compares the index with the U-Net: both must be of Stable Diffusion XL, or neither.
func (in *inspector) suitsTexts(c unetConfig) bool {
	xl := c.AdditionEmbedType == textTime
	switch {
	case xl && !in.xl:
		in.problem(unetFile, "this is a U-Net of Stable Diffusion XL (addition_embed_type text_time), which needs %s, "+
			"but model_index.json names none; the two are not of one model", TextEncoder2)
	case !xl && in.xl:
		in.problem(unetFile, "addition_embed_type should be text_time, since model_index.json is one of Stable Diffusion XL; "+
			"the two are not of one model")
	}
	return xl == in.xl
}

// one returns the number on which all blocks agree, or 0.
func one(p perBlock) int {
	if len(p) == 0 || slices.Min(p) != slices.Max(p) {
		return 0
	}
	return p[0]
}

// finest is the first level, counted from 0, whose blocks have attention.
func (c unetConfig) finest() int {
	i := slices.IndexFunc(c.DownBlockTypes, func(block string) bool { return strings.Contains(block, "Attn") })
	return max(i, 0)
}

// heads reads as diffusers' UNet2DConditionModel does, for which attention_head_dim is an
// old name of the number of heads, 8 if not told.
func (c unetConfig) heads() perBlock {
	switch {
	case len(c.NumAttentionHeads) > 0:
		return c.NumAttentionHeads
	case len(c.AttentionHeadDim) > 0:
		return c.AttentionHeadDim
	}
	return perBlock{8}
}

// conditioning settles how wide the pooled text is and how many numbers tell the picture's size. The U-Net takes both
// through one layer, whose width projection_class_embeddings_input_dim tells.
func (in *inspector) conditioning() {
	d := &in.folder.Denoiser
	if d.Channels == 0 || !in.xl {
		return
	}
	each, total, known := in.unet.AdditionTimeDim, in.unet.ProjectionDim, in.pooled()
	if each < 1 || each > maxStates || total < 1 || total > 8*maxStates {
		in.problem(unetFile, "addition_time_embed_dim is %d and projection_class_embeddings_input_dim %d; "+
			"they tell how the picture's size is taken: copy the file from the model's original folder", each, total)
		return
	}
	ids, other := 6, 5
	if in.aesthetics != nil && *in.aesthetics || in.aesthetics == nil && known > 0 && total == known+5*each {
		ids, other = other, ids
	}
	pooled := total - ids*each
	switch {
	case known > 0 && total == known+other*each:
		in.problem(indexFile, "requires_aesthetics_score says that the U-Net takes %d time ids, but by its configuration it takes %d; "+
			"set it to %v", ids, other, other == 5)
	case known > 0 && pooled != known:
		in.problem(unetFile, "projection_class_embeddings_input_dim is %d, but text_embeds of %d and %d time ids of %d make %d; "+
			"the parts are not of one model", total, known, ids, each, known+ids*each)
	case pooled < 1 || pooled > maxStates:
		in.problem(unetFile, "projection_class_embeddings_input_dim is %d, which leaves no room for text_embeds beside %d time ids of %d; "+
			"copy the file from the model's original folder", total, ids, each)
	default:
		d.Pooled, d.TimeIDs = pooled, ids
	}
}

// pooled is how wide text_embeds is by all but unet/config.json, or 0.
func (in *inspector) pooled() int {
	from, _ := in.folder.Signature(TextEncoder2).Output("text_embeds")
	to, _ := in.folder.Signature(UNet).Input("text_embeds")
	for _, n := range []int{fixed(from, 1), in.encoders[TextEncoder2].Projection, fixed(to, 1)} {
		if n > 0 {
			return n
		}
	}
	return 0
}
