// Package model opens a folder that holds a latent-diffusion model, and says what is wrong
// with it when it cannot be used.
//
// The layout is that of diffusers, with the networks as ONNX graphs:
//
//	model_index.json                 which pipeline this is, and for Stable Diffusion XL how it is used
//	easel.json                       optional: our defaults and hints, see [Defaults] and [About]
//	text_encoder/model.onnx          input_ids [B,S] -> last_hidden_state [B,S,X]
//	text_encoder_2/                  XL: input_ids -> hidden_states.0 to .L, text_embeds [B,P]; there text_encoder gives hidden_states, too
//	tokenizer/, tokenizer_2/         tokenizer.json (or vocab.json and merges.txt), tokenizer_config.json
//	unet/model.onnx, config.json     sample [B,I,h,w], timestep [] or [B], encoder_hidden_states [B,S,X] -> out_sample [B,C,h,w];
//	                                 XL takes text_embeds [B,P] and time_ids [B,5 or 6] as well, latent consistency models timestep_cond [B,D]
//	vae_decoder/model.onnx           latent_sample [B,C,h,w] -> sample [B,3,H,W]
//	vae_encoder/model.onnx           optional: sample [B,3,H,W] -> latent_parameters [B,2C,h,w] or latent_sample [B,C,h,w]
//	vae_decoder/config.json          or vae/config.json: scaling of latents, size factor
//	scheduler/scheduler_config.json  the noise schedule, handed on as it is
//
// These families are run, whatever their latents' channels and the VAE's factor, with graphs of float32 and float16: Stable
// Diffusion 1.x and 2.x, XL (two text encoders) and its refiner (the second alone), their Turbo and latent consistency
// models, inpainting U-Nets (I = 2C+1 channels), what was fine-tuned from them, and Easel's own. Others are refused by
// name. Which family it is comes from the folder alone. What two files tell must agree: index, configurations and graphs.
//
// A folder may lie on disk or be embedded in the program; everything goes through [fs.FS]. Opening reads each graph's
// header and every configuration file, so a folder that opens has all its parts and they fit together; weights are not
// loaded.
//
// A folder may come from anybody. Whatever it holds, opening it returns: sizes and counts have bounds, and only ordinary
// files are read. Weights beside a graph (external data) are used only from disk, and only from within the graph's own
// folder. Links may lead to files within the model's folder and, from a snapshot in a cache of Hugging Face's tools, to
// the cache's blobs; others are refused.
package model

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/easelbot/easel/inference/graph"
)

// The networks of a model, by the name of their folder.
const (
	TextEncoder  = "text_encoder"
	TextEncoder2 = "text_encoder_2" // of Stable Diffusion XL
	UNet         = "unet"
	VAEDecoder   = "vae_decoder"
	VAEEncoder   = "vae_encoder" // optional
)

// A Folder is an opened model. It is read-only and holds no open files.
type Folder struct {
	Name string // for people, such as "builtin" or the folder's name
	Dir  string // where it lies on disk, or "" when embedded

	Pipeline  string // diffusers' class, such as "StableDiffusionPipeline"
	Family    string // for people, such as "Stable Diffusion XL"; code asks what the model takes
	Defaults  Defaults
	About     About
	Denoiser  Denoiser
	VAE       VAE
	Scheduler Scheduler
	Texts     []Text // one or two; the denoiser attends to their states side by side
	ZeroEmpty bool   // no negative prompt stands for states of zeros, not for those of the empty text (force_zeros_for_empty_prompt)

	fsys       fs.FS
	signatures map[string]graph.Signature
	weights    []Weight
}

// A Graph is one network, ready to be loaded: from Path when the model lies on disk (so that
// weights beside the file are found), else from Bytes.
type Graph struct {
	Name  string // for people: "builtin/unet"
	Bytes []byte
	Path  string
}

// Open opens the model at the root of fsys. The name is for people; dir is the same folder's
// path on disk, or "" if it has none. The error is an [*Error] that lists every problem.
func Open(fsys fs.FS, name, dir string) (*Folder, error) {
	in := inspect(fsys, name, dir)
	if problems := in.problems(); len(problems) > 0 {
		return nil, &Error{Model: name, Problems: problems}
	}
	return in.folder, nil
}

// OpenDir opens the model in a folder on disk and names it after the folder.
func OpenDir(dir string) (*Folder, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", dir, err)
	}
	return Open(os.DirFS(abs), filepath.Base(abs), abs)
}

// Has reports whether the model has a network; only [VAEEncoder] may be absent.
func (f *Folder) Has(component string) bool {
	_, ok := f.signatures[component]
	return ok
}

// Signature returns what a network takes and gives; it is empty for one that is absent.
func (f *Folder) Signature(component string) graph.Signature { return f.signatures[component] }

// Graph returns a network to load. It fails when the model has none of that name, or when
// embedded bytes cannot be read.
func (f *Folder) Graph(component string) (Graph, error) {
	if !f.Has(component) {
		return Graph{}, fmt.Errorf("model %s has no %s/model.onnx", f.Name, component)
	}
	g := Graph{Name: f.Name + "/" + component}
	if f.Dir != "" {
		g.Path = filepath.Join(f.Dir, component, "model.onnx")
		return g, nil
	}
	var err error
	if g.Bytes, err = fs.ReadFile(f.fsys, path.Join(component, "model.onnx")); err != nil {
		return Graph{}, fmt.Errorf("model %s: %w", f.Name, err)
	}
	return g, nil
}

// SizeStep is what width and height, in pixels, must be multiples of: the VAE's factor
// times what the denoiser halves on its way down.
func (f *Folder) SizeStep() int { return f.VAE.Factor * f.Denoiser.Step }

// exported writes the size that a graph's latent height and width stand for; what is free is "any".
func (f *Folder) exported(cells []int64) string {
	side := func(n int64) string {
		if n < 0 {
			return "any"
		}
		return strconv.FormatInt(min(n, math.MaxInt64/int64(f.VAE.Factor))*int64(f.VAE.Factor), 10)
	}
	return side(cells[1]) + "x" + side(cells[0])
}

// CheckSize tells whether the model can paint pictures of width x height pixels; the error
// says which sizes it can.
func (f *Folder) CheckSize(width, height int) error {
	step := f.SizeStep()
	for _, side := range []int{width, height} {
		if side < step || side > maxSide || side%step != 0 {
			return fmt.Errorf("pictures of %dx%d cannot be painted: each side must be a multiple of %d, up to %d", width, height, step, maxSide)
		}
	}
	cells := []int64{int64(height / f.VAE.Factor), int64(width / f.VAE.Factor)}
	sample, _ := f.Signature(UNet).Input("sample")
	latents, _ := f.Signature(VAEDecoder).Input("latent_sample")
	for _, v := range []graph.Value{sample, latents} {
		if len(v.Shape) == 4 && !(graph.Value{Shape: v.Shape[2:]}).Fits(cells) {
			return fmt.Errorf("pictures of %dx%d cannot be painted: the model was exported for pictures of %s alone", width, height, f.exported(v.Shape[2:]))
		}
	}
	return nil
}
