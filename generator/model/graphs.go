package model

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

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
}

var (
	floats   = []graph.Type{graph.Float32, graph.Float16}
	integers = []graph.Type{graph.Int64, graph.Int32}
	numbers  = slices.Concat(floats, integers)
)

func picture(name string) port { return port{name, []int{4}, floats} }
func states(name string) port  { return port{name, []int{3}, floats} }

var contracts = map[string]contract{
	TextEncoder: {
		in:  []port{{"input_ids", []int{2}, integers}},
		out: []port{states("last_hidden_state")},
	},
	UNet: {
		in:  []port{picture("sample"), {"timestep", []int{0, 1}, numbers}, states("encoder_hidden_states")},
		out: []port{picture("out_sample")},
	},
	VAEDecoder: {in: []port{picture("latent_sample")}, out: []port{picture("sample")}},
	VAEEncoder: {in: []port{picture("sample")}},
}

// graphs reads the header of every network and checks it against its contract.
func (in *inspector) graphs() {
	for _, component := range []string{TextEncoder, UNet, VAEDecoder, VAEEncoder} {
		if sig, ok := in.header(component); ok {
			in.folder.signatures[component] = sig
			in.honours(component, sig)
		}
	}
	if enc, ok := in.folder.signatures[VAEEncoder]; ok && latents(enc) == "" {
		in.problem(file(VAEEncoder), "should give latent_parameters or latent_sample; it gives %s", list(enc.Outputs))
	}
}

// latents names the encoder's output: mean and logarithm of the variance, or values drawn
// inside the graph.
func latents(s graph.Signature) string {
	for _, name := range []string{"latent_parameters", "latent_sample"} {
		if _, ok := s.Output(name); ok {
			return name
		}
	}
	return ""
}

func file(component string) string { return path.Join(component, "model.onnx") }

func (in *inspector) header(component string) (graph.Signature, bool) {
	f, err := in.folder.fsys.Open(file(component))
	switch {
	case errors.Is(err, fs.ErrNotExist) && component == VAEEncoder:
		in.note(file(component), "is missing, so pictures cannot be made from pictures")
		return graph.Signature{}, false
	case errors.Is(err, fs.ErrNotExist):
		in.problem(file(component), "is missing: export the model to ONNX, or copy the file from where you have the model")
		return graph.Signature{}, false
	case err != nil:
		in.problem(file(component), "cannot be opened: %v", err)
		return graph.Signature{}, false
	}
	defer f.Close()
	sig, err := graph.Read(f)
	if err != nil {
		in.problem(file(component), "%v; copy the file again", err)
		return graph.Signature{}, false
	}
	in.weights(component, sig.External)
	return sig, true
}

// weights checks that files of weights lie where the graph says, and nowhere outside.
func (in *inspector) weights(component string, files []string) {
	if len(files) > 0 && in.folder.Dir == "" {
		in.problem(file(component), "keeps its weights in a file beside it (%s), which an embedded model cannot", files[0])
		return
	}
	for _, name := range files {
		if !filepath.IsLocal(name) || strings.Contains(name, `\`) {
			in.problem(file(component), "wants weights from outside its folder (%q); do not use this file", name)
			continue
		}
		full := path.Join(component, name)
		if info, err := fs.Stat(in.folder.fsys, full); err != nil || !info.Mode().IsRegular() {
			in.problem(full, "is missing: %s keeps weights in it; copy it from where you have the model", file(component))
		}
	}
}

func (in *inspector) honours(component string, sig graph.Signature) {
	want := contracts[component]
	in.ports(component, "input", want.in, sig.Inputs)
	in.ports(component, "output", want.out, sig.Outputs)
	in.batch(component, want, sig)
	for _, v := range sig.Inputs {
		if !slices.ContainsFunc(want.in, func(p port) bool { return p.name == v.Name }) {
			in.problem(file(component), "wants an input %q that this kind of model does not have; %s", v.Name,
				"it is from another family, or was exported with other options")
		}
	}
}

func (in *inspector) ports(component, kind string, want []port, got []graph.Value) {
	for _, p := range want {
		i := slices.IndexFunc(got, func(v graph.Value) bool { return v.Name == p.name })
		switch {
		case i < 0:
			in.problem(file(component), "has no %s %q; it has %s", kind, p.name, list(got))
		case !slices.Contains(p.types, got[i].Type):
			in.problem(file(component), "%s %v should be of %s", kind, got[i], alternatives(p.types))
		case got[i].Shape != nil && !slices.Contains(p.ranks, len(got[i].Shape)):
			in.problem(file(component), "%s %v should have %s axes", kind, got[i], alternatives(p.ranks))
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

// fit compares what the parts say of each other.
func (in *inspector) fit() {
	f := in.folder
	channels := f.Denoiser.Channels
	if f.VAE.Channels != 0 && channels != 0 && f.VAE.Channels != channels {
		in.problem("unet/config.json", "in_channels is %d, but the VAE has %d latent channels; the two are not of one model", channels, f.VAE.Channels)
	}
	in.axis(UNet, f.Signature(UNet).Inputs, "sample", 1, channels)
	in.axis(UNet, f.Signature(UNet).Outputs, "out_sample", 1, channels)
	in.axis(VAEDecoder, f.Signature(VAEDecoder).Inputs, "latent_sample", 1, f.VAE.Channels)
	in.axis(VAEDecoder, f.Signature(VAEDecoder).Outputs, "sample", 1, 3)
	in.axis(UNet, f.Signature(UNet).Inputs, "encoder_hidden_states", 2, f.Denoiser.CrossWidth)
	in.axis(TextEncoder, f.Signature(TextEncoder).Outputs, "last_hidden_state", 2, f.Denoiser.CrossWidth)
	in.axis(UNet, f.Signature(UNet).Inputs, "encoder_hidden_states", 1, f.Tokenizer.MaxLength)
	in.axis(TextEncoder, f.Signature(TextEncoder).Outputs, "last_hidden_state", 1, f.Tokenizer.MaxLength)
}

// axis checks one size that a graph fixes against what it should be; 0 is not known.
func (in *inspector) axis(component string, values []graph.Value, name string, axis, want int) {
	i := slices.IndexFunc(values, func(v graph.Value) bool { return v.Name == name })
	if i < 0 || want == 0 || len(values[i].Shape) <= axis {
		return
	}
	if got := values[i].Shape[axis]; got >= 0 && got != int64(want) {
		in.problem(file(component), "%v should have %d on axis %d; the parts are not of one model", values[i], want, axis)
	}
}
