package model

import (
	"slices"

	"github.com/easelbot/easel/inference/graph"
)

// fit compares what the parts say of each other.
func (in *inspector) fit() {
	f := in.folder
	d, channels := f.Denoiser, f.VAE.Channels
	if channels != 0 && d.Channels != 0 && channels != d.Channels {
		in.problem(unetFile, "in_channels is %d and out_channels %d, but the VAE has %d latent channels; the two are not of one model", d.Inputs, d.Channels, channels)
	}
	in.axis(UNet, f.Signature(UNet).Inputs, "sample", 1, d.Inputs)
	in.axis(UNet, f.Signature(UNet).Outputs, "out_sample", 1, d.Channels)
	in.axis(UNet, f.Signature(UNet).Inputs, "encoder_hidden_states", 2, d.CrossWidth)
	in.axis(UNet, f.Signature(UNet).Inputs, "text_embeds", 1, d.Pooled)
	in.axis(UNet, f.Signature(UNet).Inputs, "time_ids", 1, d.TimeIDs)
	in.axis(UNet, f.Signature(UNet).Inputs, "timestep_cond", 1, d.TimeCond)
	in.axis(VAEDecoder, f.Signature(VAEDecoder).Inputs, "latent_sample", 1, channels)
	in.axis(VAEDecoder, f.Signature(VAEDecoder).Outputs, "sample", 1, 3)
	in.axis(VAEEncoder, f.Signature(VAEEncoder).Inputs, "sample", 1, 3)
	in.axis(VAEEncoder, f.Signature(VAEEncoder).Outputs, latentParameters, 1, 2*channels)
	in.axis(VAEEncoder, f.Signature(VAEEncoder).Outputs, latentSample, 1, channels)
	for _, t := range f.Texts {
		in.axis(UNet, f.Signature(UNet).Inputs, "encoder_hidden_states", 1, t.Tokenizer.MaxLength)
		in.axis(t.Component, f.Signature(t.Component).Outputs, t.States, 1, t.Tokenizer.MaxLength)
		in.axis(t.Component, f.Signature(t.Component).Outputs, t.States, 2, t.Width)
		in.axis(t.Component, f.Signature(t.Component).Outputs, t.Pooled, 1, d.Pooled)
	}
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

// remarks notes what is worth knowing of a folder and hinders nothing.
func (in *inspector) remarks() {
	if output, moments := in.folder.Encoder(); output != "" && !moments {
		in.note(file(VAEEncoder), "draws latents itself (%s), so pictures made from pictures differ a little each time; "+
			"export it with %s to have the same seed give the same picture", output, latentParameters)
	}
	in.halfVAE()
	for _, part := range []struct{ file, what string }{
		{"safety_checker/model.onnx", "this filter of pictures"},
		{"feature_extractor/preprocessor_config.json", "what prepares pictures for the safety checker"},
	} {
		if in.has(part.file) {
			in.note(part.file, "is there, but %s is not used yet; Easel looks at pictures with a filter of its own", part.what)
		}
	}
}
