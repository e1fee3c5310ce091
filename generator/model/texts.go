package model

import (
	"path"
	"strconv"
	"strings"

	"github.com/easelbot/easel/inference/graph"
)

// A Text is one of a model's text encoders, with what it reads by.
type Text struct {
	Component string // its folder: TextEncoder or TextEncoder2
	Tokenizer Tokenizer
	States    string // the output that the denoiser attends to: "last_hidden_state", or for Stable Diffusion XL "hidden_states.11" and the like
	Width     int    // of these states
	Layers    int    // the encoder gives hidden_states.0 to hidden_states.Layers; 0 if it gives none
	Pooled    string // the output that the denoiser takes as text_embeds, or ""
}

// encoderConfig is what a text encoder's config.json tells beyond its graph; 0 stands for what is not told.
type encoderConfig struct {
	Width      int `json:"hidden_size"`
	Layers     int `json:"num_hidden_layers"`
	Projection int `json:"projection_dim"`
}

const (
	hiddenStates = "hidden_states."
	maxLayers    = 1 << 10 // of a text encoder
)

// text finds out which states a text encoder gives, and which are used.
func (in *inspector) text(component string, sig graph.Signature) Text {
	t := Text{Component: component, States: "last_hidden_state", Layers: layers(sig)}
	if t.Layers == 0 {
		return in.outputs(t)
	}
	if told := in.encoder(component).Layers; told > 0 && told != t.Layers {
		in.finding(in.xl, file(component), "gives hidden_states.0 to hidden_states.%d, but %s/config.json tells %d layers; "+
			"export the encoder again, with all its states", t.Layers, component, told)
		t.Layers = 0
	}
	return in.outputs(t)
}

// outputs names what the denoiser takes: in Stable Diffusion 1 and 2 the last state, in XL the last but one of each
// encoder, without the last norm, and the second's pooled text.
func (in *inspector) outputs(t Text) Text {
	if in.xl {
		t.States = hiddenStates + strconv.Itoa(max(t.Layers-1, 0))
	}
	if t.Component == TextEncoder2 {
		t.Pooled = "text_embeds"
	}
	return t
}

// layers is L of an encoder that gives hidden_states.0 to hidden_states.L, and 0 for one that gives none, or others.
func layers(sig graph.Signature) int {
	names := map[string]bool{}
	for _, v := range sig.Outputs {
		if strings.HasPrefix(v.Name, hiddenStates) {
			names[v.Name] = true
		}
	}
	for i := range len(names) {
		if !names[hiddenStates+strconv.Itoa(i)] {
			return 0
		}
	}
	if len(names) > maxLayers {
		return 0
	}
	return max(len(names)-1, 0)
}

// encoder reads a text encoder's config.json, which need not be there, once.
func (in *inspector) encoder(component string) encoderConfig {
	c, known := in.encoders[component]
	if !known {
		in.read(path.Join(component, "config.json"), &c)
		in.encoders[component] = c
	}
	return c
}

// textContract asks for what the engine takes of a text encoder.
func textContract(t Text) contract {
	c := contract{in: []port{{"input_ids", []int{2}, integers}}, out: []port{{t.States, []int{3}, floats}}}
	if t.Pooled != "" {
		c.out = append(c.out, port{t.Pooled, []int{2}, floats})
	}
	return c
}

// widths settles how wide each encoder's states are. Side by side they must be as wide as what the U-Net attends to.
func (in *inspector) widths() {
	cross := in.folder.Denoiser.CrossWidth
	texts := in.folder.Texts
	if len(texts) == 1 {
		texts[0].Width = cross
		return
	}
	sum, known := 0, true
	for i := range texts {
		t := &texts[i]
		states, given := in.folder.Signature(t.Component).Output(t.States)
		if t.Width = fixed(states, 2); t.Width == 0 {
			t.Width = in.encoder(t.Component).Width
		}
		if given && (t.Width < 1 || t.Width > maxStates) {
			in.problem(path.Join(t.Component, "config.json"), "should tell hidden_size, 1 to %d, since the graph leaves open how wide its states are; "+
				"copy the file from the model's original folder", maxStates)
		}
		known = known && t.Width > 0
		sum += min(max(t.Width, 0), maxStates)
	}
	if known && cross > 0 && sum != cross {
		in.problem(unetFile, "cross_attention_dim is %d, but the states of the text encoders, %d and %d wide, make %d; the parts are not of one model",
			cross, texts[0].Width, texts[1].Width, sum)
	}
}

// fixed is the size that a graph fixes on an axis, or 0.
func fixed(v graph.Value, axis int) int {
	if len(v.Shape) <= axis || v.Shape[axis] < 1 {
		return 0
	}
	return int(min(v.Shape[axis], 1<<30))
}
