package model

import (
	"encoding/json"
	"fmt"
	"strings"
)

// familyOfIndex names the family that a pipeline's class or parts give away, or "" when it
// may be one we run.
func familyOfIndex(class string, parts map[string]json.RawMessage) string {
	has := func(part string) bool { return present(parts[part]) }
	contains := func(word string) bool { return strings.Contains(class, word) }
	switch {
	case has("transformer") || has("text_encoder_3"):
		return "a diffusion transformer (Stable Diffusion 3, Flux and the like)"
	case has("text_encoder_2") || contains("XL"):
		return "Stable Diffusion XL (two text encoders)"
	case has("prior") || has("movq") || contains("Kandinsky"):
		return "Kandinsky"
	case contains("LatentConsistency"):
		return latentConsistency
	case contains("ControlNet") || has("controlnet"):
		return "a ControlNet pipeline"
	case contains("Inpaint"):
		return inpainting
	case contains("Upscale"):
		return upscaler
	case contains("InstructPix2Pix"):
		return instruct
	}
	return ""
}

const (
	latentConsistency = "a latent consistency model (time_cond_proj_dim)"
	inpainting        = "an inpainting model (a U-Net with 9 input channels)"
	upscaler          = "an upscaler (a U-Net with 7 input channels)"
	instruct          = "InstructPix2Pix (a U-Net with 8 input channels)"
)

// familyOfUNet names the family that a U-Net's configuration gives away, or "".
func familyOfUNet(c unetConfig) string {
	switch {
	case c.AdditionEmbedType == "text_time":
		return "Stable Diffusion XL (addition_embed_type text_time)"
	case c.AdditionEmbedType != "" && c.AdditionEmbedType != "text":
		return fmt.Sprintf("a model conditioned on more than text (addition_embed_type %s)", c.AdditionEmbedType)
	case c.TimeCondProjDim > 0:
		return latentConsistency
	case present(c.ClassEmbedType) || present(c.NumClassEmbeds):
		return "a model conditioned on classes"
	case c.InChannels == 9 && c.OutChannels == 4:
		return inpainting
	case c.InChannels == 7 && c.OutChannels == 4:
		return upscaler
	case c.InChannels == 8 && c.OutChannels == 4:
		return instruct
	}
	return ""
}

func refusal(family string) string {
	return "this is " + family + ", which Easel cannot run yet; " +
		"it runs models with one text encoder, such as Stable Diffusion 1.5 and 2.1"
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
