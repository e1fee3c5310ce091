package model

import (
	"encoding/json"
	"strings"
)

// A mark gives a family that we cannot run away: a word in the pipeline's class, or a part that model_index.json names.
type mark struct{ word, part, family string }

// The order counts: the first that is found names the family.
var marks = []mark{
	{"ControlNet", "controlnet", "a ControlNet pipeline"},
	{"Kandinsky", "prior", "Kandinsky"},
	{"Kandinsky", "movq", "Kandinsky"},
	{"StableDiffusion3", "text_encoder_3", transformers},
	{"Flux", "transformer", transformers},
	{"Kolors", "", "Kolors"},
	{"Cascade", "", "Stable Cascade"},
	{"Wuerstchen", "vqgan", "Würstchen"},
	{"Video", "motion_adapter", "a video model"},
	{"Animate", "", "a video model"},
	{"Audio", "vocoder", "an audio model"},
	{"GLIGEN", "", "GLIGEN (prompts with boxes)"},
	{"unCLIP", "image_normalizer", "unCLIP (prompts with pictures)"},
	{"UnCLIP", "", "unCLIP (prompts with pictures)"},
	{"PaintByExample", "", "Paint by Example (prompts with pictures)"},
	{"Adapter", "adapter", "a T2I-Adapter pipeline"},
	{"Depth2Img", "depth_estimator", depth},
	{"Upscale", "low_res_scheduler", upscaler},
	{"InstructPix2Pix", "", instruct},
}

const (
	transformers = "a diffusion transformer (Stable Diffusion 3, Flux and the like)"
	depth        = "a model guided by depth (a U-Net with 5 input channels)"
	upscaler     = "an upscaler (a U-Net with 7 input channels)"
	instruct     = "InstructPix2Pix or the like (a U-Net with 8 input channels)"
)

// familyOfIndex names the family that a pipeline's class or parts give away, or "" when it
// may be one we run.
func familyOfIndex(class string, parts map[string]json.RawMessage) string {
	for _, m := range marks {
		if strings.Contains(class, m.word) || m.part != "" && present(parts[m.part]) {
			return m.family
		}
	}
	if strings.HasPrefix(strings.TrimPrefix(class, "ORT"), "IF") {
		return "DeepFloyd IF"
	}
	return ""
}

// familyOfUNet names the family that a U-Net's configuration gives away, or "" when it may be one we run.
func familyOfUNet(c unetConfig) string {
	switch {
	case c.AdditionEmbedType != "" && c.AdditionEmbedType != "text" && c.AdditionEmbedType != textTime:
		return "a model conditioned on more than text (addition_embed_type " + c.AdditionEmbedType + ")"
	case present(c.EncoderHidDim) || present(c.EncoderHidDimType):
		return "a model whose U-Net takes prompts of another kind (encoder_hid_dim)"
	case present(c.ClassEmbedType) || present(c.NumClassEmbeds):
		return "a model conditioned on classes"
	case c.AttentionType != "" && c.AttentionType != "default":
		return "a model with attention of another kind (attention_type " + c.AttentionType + ")"
	case c.OutChannels != 4:
		return ""
	}
	return map[int]string{5: depth, 7: upscaler, 8: instruct}[c.InChannels]
}

func refusal(family string) string {
	return "this is " + family + ", which Easel cannot run yet; " +
		"it runs Stable Diffusion 1, 2 and XL, their Turbo, latent consistency and inpainting models, and what was fine-tuned from them"
}

// family says for people what a model is, from what is there.
func family(f *Folder) string {
	name := "latent diffusion"
	switch d := f.Denoiser; {
	case d.TimeIDs == 5 && len(f.Texts) == 1:
		name = "Stable Diffusion XL refiner"
	case d.TimeIDs > 0:
		name = "Stable Diffusion XL"
	case d.Channels == 4 && d.CrossWidth == 768:
		name = "Stable Diffusion 1"
	case d.Channels == 4 && d.CrossWidth == 1024:
		name = "Stable Diffusion 2"
	}
	if f.Denoiser.TimeCond > 0 {
		name = "latent consistency (" + name + ")"
	}
	if f.Denoiser.Inpaints() {
		name += " inpainting"
	}
	return name
}

// present reports whether a JSON value is there: null, false, and diffusers' way to leave a
// part out, [null, null], are not.
func present(raw json.RawMessage) bool {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return false
	}
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case []any:
		return len(v) > 0 && v[0] != nil
	}
	return true
}
