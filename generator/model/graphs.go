package model

import (
	"errors"
	"io/fs"
	"path"
	"slices"

	"github.com/easelbot/easel/inference/graph"
)

// A port is an input or output that a network must have.
type port struct {
	name  string
	ranks []int // numbers of axes that will do
	types []graph.Type
}

// A contract is what a network must take, all of it, and give, at the least.
type contract struct {
	in, out []port
	more    []string // inputs that are not looked at, for want of what tells of them
}

var (
	floats   = []graph.Type{graph.Float32, graph.Float16}
	integers = []graph.Type{graph.Int64, graph.Int32}
	numbers  = slices.Concat(floats, integers)
)

func picture(name string) port { return port{name, []int{4}, floats} }
func vector(name string) port  { return port{name, []int{2}, floats} }

// contract is what a network must be; texts has told what is taken from the encoders.
func (in *inspector) contract(component string, sig graph.Signature) contract {
	switch component {
	case UNet:
		return in.unetContract()
	case VAEDecoder:
		return contract{in: []port{picture("latent_sample")}, out: []port{picture("sample")}}
	case VAEEncoder:
		return contract{in: []port{picture("sample")}, out: []port{picture(latents(sig))}}
	}
	i := slices.IndexFunc(in.folder.Texts, func(t Text) bool { return t.Component == component })
	return textContract(in.folder.Texts[i])
}

// unetContract follows the configuration, for a U-Net that says of itself what it takes, and takes something else, would
// not paint what it should.
func (in *inspector) unetContract() contract {
	c := contract{
		in:  []port{picture("sample"), {"timestep", []int{0, 1}, numbers}, {"encoder_hidden_states", []int{3}, floats}},
		out: []port{picture("out_sample")},
	}
	if in.folder.Denoiser.Channels == 0 {
		c.more = []string{"text_embeds", "time_ids", "timestep_cond"}
		return c
	}
	if in.xl {
		c.in = append(c.in, vector("text_embeds"), vector("time_ids"))
	}
	if in.folder.Denoiser.TimeCond > 0 {
		c.in = append(c.in, vector("timestep_cond"))
	}
	return c
}

// graphs reads the header of every network and checks it against its contract.
func (in *inspector) graphs() {
	for _, component := range in.components() {
		sig, ok := in.header(component)
		in.operators(component, sig)
		if isText(component) {
			in.folder.Texts = append(in.folder.Texts, in.text(component, sig))
		}
		switch {
		case !ok:
		case component == VAEEncoder && latents(sig) == "":
			in.problem(file(VAEEncoder), "should give %s or %s; it gives %s. Export the VAE again", latentParameters, latentSample, list(sig.Outputs))
		case isText(component) && in.xl && layers(sig) < 1:
			in.problem(file(component), "should give hidden_states.0, hidden_states.1 and so on, one for each layer and one more, "+
				"since Stable Diffusion XL takes the last but one; it gives %s. Export it again with output_hidden_states, as optimum does", list(sig.Outputs))
		default:
			in.honours(component, in.contract(component, sig), sig)
		}
	}
}

// components are the networks that this model should have, and the optional one, in the order of the layout.
func (in *inspector) components() []string {
	return append(slices.Clone(in.texts), UNet, VAEDecoder, VAEEncoder)
}

func isText(component string) bool { return component == TextEncoder || component == TextEncoder2 }

// The outputs of a VAE's encoder: mean and logarithm of the variance, or values drawn inside the graph.
const (
	latentParameters = "latent_parameters"
	latentSample     = "latent_sample"
)

// latents names the encoder's output, or "".
func latents(s graph.Signature) string {
	for _, name := range []string{latentParameters, latentSample} {
		if _, ok := s.Output(name); ok {
			return name
		}
	}
	return ""
}

func file(component string) string { return path.Join(component, "model.onnx") }

// header reads what a graph says of itself, and adds up its weights.
func (in *inspector) header(component string) (graph.Signature, bool) {
	f, err := in.open(file(component))
	if err != nil {
		in.unopened(component, err)
		return graph.Signature{}, false
	}
	defer f.Close()
	sig, err := graph.Read(f)
	if err != nil {
		if other := in.impostor(file(component)); other != "" {
			in.problem(file(component), "%s", other)
		} else {
			in.problem(file(component), "%v; copy the file again", err)
		}
		return graph.Signature{}, false
	}
	in.folder.signatures[component] = sig
	weight := Weight{Component: component, Bytes: in.beside(component, sig)}
	if info, err := f.Stat(); err == nil {
		weight.Bytes += info.Size()
	}
	in.folder.weights = append(in.folder.weights, weight)
	return sig, true
}

func (in *inspector) unopened(component string, err error) {
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && component == VAEEncoder && in.folder.Denoiser.Inpaints():
		in.problem(file(component), "is missing: an inpainting model sees the picture through it; copy it from where you have the model")
	case missing && component == VAEEncoder:
		in.note(file(component), "is missing, so pictures cannot be made from pictures; copy it from where you have the model")
	case missing:
		in.problem(file(component), "is missing: export the model to ONNX, or copy the file from where you have the model")
	default:
		in.problem(file(component), "cannot be opened: %v", err)
	}
}

func (in *inspector) honours(component string, want contract, sig graph.Signature) {
	in.ports(component, "input", want.in, sig.Inputs)
	in.ports(component, "output", want.out, sig.Outputs)
	in.batch(component, want, sig)
	for _, v := range sig.Inputs {
		if !slices.ContainsFunc(want.in, func(p port) bool { return p.name == v.Name }) && !slices.Contains(want.more, v.Name) {
			in.problem(file(component), "wants an input %q that this kind of model does not have; "+
				"it is from another family, or was exported with other options: take it and its config.json from one export", v.Name)
			return
		}
	}
}

func (in *inspector) ports(component, kind string, want []port, got []graph.Value) {
	for _, p := range want {
		i := slices.IndexFunc(got, func(v graph.Value) bool { return v.Name == p.name })
		switch {
		case i < 0:
			in.problem(file(component), "has no %s %q; it has %s. Take it and its config.json from one export", kind, p.name, list(got))
		case !slices.Contains(p.types, got[i].Type):
			in.problem(file(component), "%s %v should be of %s; export it again", kind, got[i], alternatives(p.types))
		case got[i].Shape != nil && !slices.Contains(p.ranks, len(got[i].Shape)):
			in.problem(file(component), "%s %v should have %s axes; export it again", kind, got[i], alternatives(p.ranks))
		}
	}
}

// batch checks that no graph fixes how many rows a call has: the U-Net's calls have two or
// more, though their timestep may be a single one, and those of the others one.
func (in *inspector) batch(component string, want contract, sig graph.Signature) {
	ports := slices.Concat(want.in, want.out)
	for _, v := range slices.Concat(sig.Inputs, sig.Outputs) {
		known := slices.ContainsFunc(ports, func(p port) bool { return p.name == v.Name })
		if !known || len(v.Shape) == 0 || v.Shape[0] < 0 || v.Shape[0] == 1 && (component != UNet || v.Name == "timestep") {
			continue
		}
		in.problem(file(component), "%v has a fixed number of rows; export it with a dynamic batch", v)
		return
	}
}
