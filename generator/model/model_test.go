package model_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/inference/graph"
	"github.com/easelbot/easel/inference/graph/graphtest"
)

// signature writes one from inputs and outputs.
func signature(in, out []graph.Value) graph.Signature {
	return graph.Signature{Inputs: in, Outputs: out}
}

func value(name string, typ graph.Type, shape ...int64) graph.Value {
	return graph.Value{Name: name, Type: typ, Shape: shape}
}

// values makes a list of values.
func values(v ...graph.Value) []graph.Value { return v }

var (
	ids       = value("input_ids", graph.Int64, -1, -1)
	states    = value("last_hidden_state", graph.Float32, -1, -1, 768)
	sample    = value("sample", graph.Float32, -1, 4, -1, -1)
	timestep  = graph.Value{Name: "timestep", Type: graph.Float32, Shape: []int64{}}
	hidden    = value("encoder_hidden_states", graph.Float32, -1, -1, 768)
	outSample = value("out_sample", graph.Float32, -1, 4, -1, -1)
	latent    = value("latent_sample", graph.Float32, -1, 4, -1, -1)
	pixels    = value("sample", graph.Float32, -1, 3, -1, -1)
)

// whole is a folder as exporters write it for Stable Diffusion 1.5, without operators.
func whole() fstest.MapFS {
	return fstest.MapFS{
		"model_index.json": text(`{"_class_name": "ORTStableDiffusionPipeline", "safety_checker": [null, null],
			"unet": ["optimum", "ORTUnet"], "text_encoder": ["optimum", "ORTTextEncoder"]}`),
		"unet/config.json":                text(`{"sample_size": 64, "in_channels": 4, "out_channels": 4, "cross_attention_dim": 768, "block_out_channels": [320, 640, 1280, 1280], "time_cond_proj_dim": null, "class_embed_type": null}`),
		"vae_decoder/config.json":         text(`{"latent_channels": 4, "block_out_channels": [128, 256, 512, 512], "scaling_factor": 0.18215}`),
		"scheduler/scheduler_config.json": text(`{"_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear"}`),
		"tokenizer/tokenizer.json":        text(`{"model": {}}`),
		"tokenizer/tokenizer_config.json": text(`{"model_max_length": 77, "pad_token": "<|endoftext|>"}`),
		"text_encoder/model.onnx":         onnx(signature(values(ids), values(states))),
		"unet/model.onnx":                 onnx(signature(values(sample, timestep, hidden), values(outSample))),
		"vae_decoder/model.onnx":          onnx(signature(values(latent), values(pixels))),
		"vae_encoder/model.onnx":          onnx(signature(values(pixels), values(value("latent_parameters", graph.Float32, -1, 8, -1, -1)))),
	}
}

func text(s string) *fstest.MapFile          { return &fstest.MapFile{Data: []byte(s)} }
func onnx(s graph.Signature) *fstest.MapFile { return &fstest.MapFile{Data: graphtest.Model(s)} }

func TestOpen(t *testing.T) {
	f, err := model.Open(whole(), "sd", "")
	if err != nil {
		t.Fatal(err)
	}
	if want := (model.Defaults{Steps: 20, Guidance: 7.5, Width: 512, Height: 512}); f.Defaults != want {
		t.Errorf("defaults %+v, want %+v", f.Defaults, want)
	}
	if want := (model.Denoiser{SampleSize: [2]int{64, 64}, Channels: 4, Inputs: 4, CrossWidth: 768, Heads: 8, HeadStep: 1, Step: 8}); f.Denoiser != want {
		t.Errorf("denoiser %+v, want %+v", f.Denoiser, want)
	}
	if f.VAE.Factor != 8 || f.VAE.ScalingFactor != 0.18215 || f.VAE.Channels != 4 {
		t.Errorf("VAE %+v", f.VAE)
	}
	if f.Texts[0].Tokenizer.MaxLength != 77 || f.Texts[0].Tokenizer.PadToken != "<|endoftext|>" || f.Scheduler.Class != "PNDMScheduler" || f.SizeStep() != 64 {
		t.Errorf("tokenizer %+v, scheduler %s, sizes in steps of %d", f.Texts[0].Tokenizer, f.Scheduler.Class, f.SizeStep())
	}
	if f.Family != "Stable Diffusion 1" || f.ZeroEmpty || len(f.Texts) != 1 || f.Precision() != "fp32" {
		t.Errorf("family %q, zeros for no prompt %v, texts %+v, precision %s", f.Family, f.ZeroEmpty, f.Texts, f.Precision())
	}
	if x := f.Texts[0]; x.Component != model.TextEncoder || x.States != "last_hidden_state" || x.Width != 768 || x.Layers != 0 || x.Pooled != "" {
		t.Errorf("text encoder %+v", x)
	}
	if output, moments := f.Encoder(); output != "latent_parameters" || !moments {
		t.Errorf("encoder gives %q, moments %v", output, moments)
	}
	g, err := f.Graph(model.UNet)
	if err != nil || g.Name != "sd/unet" || g.Path != "" || len(g.Bytes) == 0 {
		t.Errorf("graph %q at %q of %d bytes, %v", g.Name, g.Path, len(g.Bytes), err)
	}
}

// TestOpenVariants opens folders that differ from the usual in ways that are seen.
func TestOpenVariants(t *testing.T) {
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		holds  func(*model.Folder) bool
	}{
		"easel.json": {
			func(m fstest.MapFS) {
				m["easel.json"] = text(`{"steps": 8, "guidance": 0, "width": 768, "height": 512, "sampler": "euler", "description": "A test.", "words": ["fox"], "styles": ["flat"]}`)
			},
			func(f *model.Folder) bool {
				return f.Defaults == model.Defaults{Steps: 8, Width: 768, Height: 512, Sampler: "euler"} &&
					f.About.Description == "A test." && slices.Equal(f.About.Words, []string{"fox"}) && slices.Equal(f.About.Styles, []string{"flat"})
			},
		},
		"no scaling factor": {
			func(m fstest.MapFS) { m["vae_decoder/config.json"] = text(`{"block_out_channels": [1, 2, 3, 4]}`) },
			func(f *model.Folder) bool { return f.VAE.ScalingFactor == 0.18215 },
		},
		"vae folder of the original": {
			func(m fstest.MapFS) {
				m["vae/config.json"] = text(`{"block_out_channels": [1, 2, 3], "scaling_factor": 2, "latents_mean": [1,2,3,4], "latents_std": [1,1,1,0.5]}`)
				delete(m, "vae_decoder/config.json")
			},
			func(f *model.Folder) bool {
				return f.VAE.ScalingFactor == 2 && f.VAE.Factor == 4 && f.VAE.Std[3] == 0.5
			},
		},
		"no encoder": {
			func(m fstest.MapFS) { delete(m, "vae_encoder/model.onnx") },
			func(f *model.Folder) bool { return !f.Has(model.VAEEncoder) && f.Has(model.VAEDecoder) },
		},
		"vocab and merges": {
			func(m fstest.MapFS) {
				delete(m, "tokenizer/tokenizer.json")
				m["tokenizer/vocab.json"], m["tokenizer/merges.txt"] = text("{}"), text("#version: 0.2")
			},
			func(f *model.Folder) bool {
				return f.Texts[0].Tokenizer.JSON == nil && len(f.Texts[0].Tokenizer.Merges) > 0
			},
		},
		"pad token as an object, in the other file": {
			func(m fstest.MapFS) {
				m["tokenizer/tokenizer_config.json"] = text(`{"model_max_length": 77}`)
				m["tokenizer/special_tokens_map.json"] = text(`{"pad_token": {"content": "!", "lstrip": false}}`)
			},
			func(f *model.Folder) bool { return f.Texts[0].Tokenizer.PadToken == "!" },
		},
		"length from the graph": {
			func(m fstest.MapFS) {
				m["tokenizer/tokenizer_config.json"] = text(`{"model_max_length": 1000000000000000019884624838656}`)
				m["text_encoder/model.onnx"] = onnx(signature(values(value("input_ids", graph.Int32, -1, 40)), values(states)))
			},
			func(f *model.Folder) bool { return f.Texts[0].Tokenizer.MaxLength == 40 },
		},
		"oblong sample size and widths of each block": {
			func(m fstest.MapFS) {
				m["unet/config.json"] = text(`{"sample_size": [64, 96], "cross_attention_dim": [768, 768], "block_out_channels": [1, 2, 3, 4]}`)
			},
			func(f *model.Folder) bool {
				return f.Defaults.Width == 768 && f.Defaults.Height == 512 && f.Denoiser.CrossWidth == 768
			},
		},
		"no cross_attention_dim": {
			func(m fstest.MapFS) {
				replace("unet/config.json", `{"sample_size": 64, "block_out_channels": [1, 2, 3, 4]}`)(m)
				swap("text_encoder/model.onnx", signature(values(ids), values(value("last_hidden_state", graph.Float32, 1, 77, -1))))(m)
				swap("unet/model.onnx", signature(values(sample, value("timestep", graph.Float32, 1), value("encoder_hidden_states", graph.Float32, -1, 77, 1280)), values(outSample)))(m)
			},
			func(f *model.Folder) bool { return f.Denoiser.CrossWidth == 1280 },
		},
		"heads by their old name": {
			unet(`"attention_head_dim": [5, 10, 20, 20], "num_attention_heads": null`),
			func(f *model.Folder) bool { return f.Denoiser.Heads == 5 },
		},
		"heads": {
			unet(`"attention_head_dim": 64, "num_attention_heads": 12`),
			func(f *model.Folder) bool { return f.Denoiser.Heads == 12 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := whole()
			c.change(files)
			f, err := model.Open(files, "m", "")
			if err != nil {
				t.Fatal(err)
			}
			if !c.holds(f) {
				t.Errorf("opened as %+v", f)
			}
		})
	}
}

func TestCheckSize(t *testing.T) {
	sd, err := model.Open(whole(), "sd", "")
	if err != nil {
		t.Fatal(err)
	}
	files := whole()
	files["unet/model.onnx"] = onnx(signature(values(value("sample", graph.Float32, -1, 4, 64, 96), timestep, hidden), values(outSample)))
	files["easel.json"] = text(`{"width": 768, "height": 512}`)
	fixed, err := model.Open(files, "fixed", "")
	if err != nil {
		t.Fatal(err)
	}
	files = whole()
	files["vae_decoder/model.onnx"] = onnx(signature(values(value("latent_sample", graph.Float32, 1, 4, 64, -1)), values(pixels)))
	decoder, err := model.Open(files, "decoder", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		folder        *model.Folder
		width, height int
		want          string
	}{
		{sd, 512, 768, ""},
		{sd, 512, 520, "multiple of 64"},
		{sd, 0, 512, "multiple of 64"},
		{sd, 512, 1 << 20, "up to 8192"},
		{fixed, 768, 512, ""},
		{fixed, 512, 768, "exported for pictures of 768x512 alone"},
		{decoder, 768, 512, ""},
		{decoder, 512, 768, "exported for pictures of anyx512 alone"},
	} {
		err := c.folder.CheckSize(c.width, c.height)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s at %dx%d: %v, want %q", c.folder.Name, c.width, c.height, err, c.want)
		}
	}
}

// TestTiny opens the small model that other packages run.
func TestTiny(t *testing.T) {
	f, err := model.OpenDir("../../testdata/tiny")
	if err != nil {
		t.Fatal(err)
	}
	g, err := f.Graph(model.VAEEncoder)
	if err != nil || g.Name != "tiny/vae_encoder" || g.Bytes != nil || !filepath.IsAbs(g.Path) {
		t.Errorf("graph %+v, %v", g, err)
	}
	if _, err := f.Graph("safety_checker"); err == nil {
		t.Error("a network that is not there is handed out")
	}
	if got := model.CheckDir(f.Dir); len(got) != 0 {
		t.Errorf("findings %v, want none", got)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	for name, files := range map[string]fs.FS{"good": whole(), "bad": fstest.MapFS{"model_index.json": text("{}")}, "notes": fstest.MapFS{"a.txt": text("")}, ".pull": whole()} {
		if err := os.CopyFS(filepath.Join(dir, name), files); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "model_index.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err) // the list is not of the folder itself
	}
	list, err := model.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.Name)
		if (e.Problem != nil) != (e.Name != "good") {
			t.Errorf("%s: problem %v", e.Name, e.Problem)
		}
	}
	if want := []string{"bad", "good", "notes"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	if list, err := model.List(filepath.Join(dir, "nowhere")); len(list) != 0 || err != nil {
		t.Errorf("a folder that does not exist holds %v, %v", list, err)
	}
	if _, err := model.List(filepath.Join(dir, "notes", "a.txt")); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file listed as a folder: %v", err)
	}
}
