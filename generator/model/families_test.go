package model_test

import (
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/inference/graph"
)

var (
	guidance = value("timestep_cond", graph.Float32, -1, 256)
	moments  = value("latent_parameters", graph.Float32, -1, 8, -1, -1)
	embeds   = value("text_embeds", graph.Float32, -1, 1280)
	wide     = value("encoder_hidden_states", graph.Float32, -1, -1, 2048)
)

// lcm makes a latent consistency model of a folder.
func lcm(m fstest.MapFS) {
	unet(`"time_cond_proj_dim": 256`)(m)
	swap("unet/model.onnx", signature(values(sample, timestep, hidden, guidance), values(outSample)))(m)
}

func inpainting(m fstest.MapFS) {
	unet(`"in_channels": 9, "out_channels": 4`)(m)
	swap("unet/model.onnx", signature(values(value("sample", graph.Float32, -1, 9, -1, -1), timestep, hidden), values(outSample)))(m)
}

// encoder is a text encoder that gives its states from before the first layer to after the last.
func encoder(layers int, width int64, more ...graph.Value) graph.Signature {
	out := more
	for i := range layers + 1 {
		out = append(out, value("hidden_states."+strconv.Itoa(i), graph.Float32, -1, -1, width))
	}
	return signature(values(ids), out)
}

// xlUNet is a U-Net of Stable Diffusion XL that takes n time ids; 0 leaves that open.
func xlUNet(n int64, more ...graph.Value) graph.Signature {
	if n == 0 {
		n = -1
	}
	in := values(sample, timestep, wide, embeds, value("time_ids", graph.Float32, -1, n))
	return signature(append(in, more...), values(outSample))
}

const xlConfig = `"sample_size": 128, "cross_attention_dim": 2048, "block_out_channels": [320, 640, 1280], "attention_head_dim": [5, 10, 20],
	"down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
	"addition_embed_type": "text_time", "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": `

// xl is a folder as exporters write it for Stable Diffusion XL.
func xl() fstest.MapFS {
	m := whole()
	for name, content := range map[string]string{
		"model_index.json": `{"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": true,
			"text_encoder": ["t", "C"], "text_encoder_2": ["t", "P"]}`,
		"unet/config.json":                  `{` + xlConfig + `2816}`,
		"vae_decoder/config.json":           `{"block_out_channels": [128, 256, 512, 512], "scaling_factor": 0.13025, "force_upcast": true}`,
		"tokenizer_2/vocab.json":            `{}`,
		"tokenizer_2/merges.txt":            `#version: 0.2`,
		"tokenizer_2/tokenizer_config.json": `{"model_max_length": 77, "pad_token": "!"}`,
		"text_encoder/config.json":          `{"hidden_size": 768, "num_hidden_layers": 12, "projection_dim": 768}`,
		"text_encoder_2/config.json":        `{"hidden_size": 1280, "num_hidden_layers": 32, "projection_dim": 1280}`,
	} {
		m[name] = text(content)
	}
	m["text_encoder/model.onnx"] = onnx(encoder(12, 768))
	m["text_encoder_2/model.onnx"] = onnx(encoder(32, 1280, embeds))
	m["unet/model.onnx"] = onnx(xlUNet(0))
	return m
}

// refiner is a folder of the refiner, which has the second encoder alone.
func refiner() fstest.MapFS {
	m := xl()
	m["model_index.json"] = text(`{"_class_name": "StableDiffusionXLImg2ImgPipeline", "force_zeros_for_empty_prompt": false, "requires_aesthetics_score": true,
		"text_encoder": [null, null], "tokenizer": [null, null], "text_encoder_2": ["t", "P"], "tokenizer_2": ["t", "T"]}`)
	m["unet/config.json"] = text(`{` + strings.Replace(xlConfig, "2048", "1280", 1) + `2560}`)
	states := value("encoder_hidden_states", graph.Float32, -1, -1, 1280)
	m["unet/model.onnx"] = onnx(signature(values(sample, timestep, states, embeds, value("time_ids", graph.Float32, -1, 5)), values(outSample)))
	for _, name := range []string{"text_encoder/model.onnx", "text_encoder/config.json", "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json"} {
		delete(m, name)
	}
	return m
}

func TestXL(t *testing.T) {
	f, err := model.Open(xl(), "xl", "")
	if err != nil {
		t.Fatal(err)
	}
	want := model.Denoiser{
		SampleSize: [2]int{128, 128}, Channels: 4, Inputs: 4, CrossWidth: 2048, Heads: 10, HeadStep: 2, Step: 4, TimeIDs: 6, Pooled: 1280,
	}
	if f.Denoiser != want {
		t.Errorf("denoiser %+v, want %+v", f.Denoiser, want)
	}
	if f.Family != "Stable Diffusion XL" || !f.ZeroEmpty || len(f.Texts) != 2 {
		t.Fatalf("family %q, zeros %v, texts %+v", f.Family, f.ZeroEmpty, f.Texts)
	}
	one, two := f.Texts[0], f.Texts[1]
	if one.Component != model.TextEncoder || one.States != "hidden_states.11" || one.Layers != 12 || one.Width != 768 || one.Pooled != "" {
		t.Errorf("first text encoder %+v", one)
	}
	if two.Component != model.TextEncoder2 || two.States != "hidden_states.31" || two.Layers != 32 || two.Width != 1280 || two.Pooled != "text_embeds" {
		t.Errorf("second text encoder %+v", two)
	}
	if one.Tokenizer.PadToken != "<|endoftext|>" || two.Tokenizer.PadToken != "!" || two.Tokenizer.JSON != nil || two.Tokenizer.MaxLength != 77 {
		t.Errorf("tokenizers %+v and %+v", one.Tokenizer, two.Tokenizer)
	}
}

func TestRefiner(t *testing.T) {
	f, err := model.Open(refiner(), "refiner", "")
	if err != nil {
		t.Fatal(err)
	}
	if f.Family != "Stable Diffusion XL refiner" || f.ZeroEmpty || f.Denoiser.TimeIDs != 5 || f.Denoiser.Pooled != 1280 {
		t.Errorf("family %q, zeros %v, denoiser %+v", f.Family, f.ZeroEmpty, f.Denoiser)
	}
	if x := f.Texts; len(x) != 1 || x[0].Component != model.TextEncoder2 || x[0].States != "hidden_states.31" || x[0].Width != 1280 || x[0].Tokenizer.PadToken != "!" {
		t.Errorf("texts %+v", x)
	}
}

// TestFamilies opens what differs from the usual folders in ways that a family or an exporter has.
func TestFamilies(t *testing.T) {
	half := value("timestep", graph.Float16)
	half.Shape = []int64{}
	for name, c := range map[string]struct {
		base   func() fstest.MapFS
		change func(fstest.MapFS)
		family string
		holds  func(*model.Folder) bool
	}{
		"LCM": {
			whole, both(lcm, class("LatentConsistencyModelPipeline", `"x": 1`)), "latent consistency (Stable Diffusion 1)",
			func(f *model.Folder) bool { return f.Denoiser.TimeCond == 256 && !f.ZeroEmpty },
		},
		"LCM XL": {
			xl, both(replace("unet/config.json", `{"time_cond_proj_dim": 256, `+xlConfig+`2816}`), swap("unet/model.onnx", xlUNet(6, guidance))),
			"latent consistency (Stable Diffusion XL)", func(f *model.Folder) bool { return f.Denoiser.TimeCond == 256 && f.Denoiser.TimeIDs == 6 },
		},
		"inpainting": {
			whole, both(inpainting, class("ORTStableDiffusionInpaintPipeline", `"x": 1`)), "Stable Diffusion 1 inpainting",
			func(f *model.Folder) bool {
				return f.Denoiser.Inputs == 9 && f.Denoiser.Channels == 4 && f.Denoiser.Inpaints()
			},
		},
		"inpainting by a usual U-Net": {
			whole, class("StableDiffusionInpaintPipeline", `"x": 1`), "Stable Diffusion 1",
			func(f *model.Folder) bool { return !f.Denoiser.Inpaints() },
		},
		"SD 2": {whole, func(m fstest.MapFS) {
			replace("unet/config.json", `{"sample_size": 96, "cross_attention_dim": 1024, "block_out_channels": [1, 2, 3, 4]}`)(m)
			swap("text_encoder/model.onnx", encoder(23, 1024, value("last_hidden_state", graph.Float32, -1, -1, 1024)))(m)
			swap("unet/model.onnx", signature(values(sample, timestep, value("encoder_hidden_states", graph.Float32, -1, -1, 1024)), values(outSample)))(m)
		}, "Stable Diffusion 2", func(f *model.Folder) bool {
			return f.Texts[0].Layers == 23 && f.Texts[0].States == "last_hidden_state" && f.Defaults.Width == 768
		}},
		"states with a gap, which are not needed": {
			whole, swap("text_encoder/model.onnx",
				signature(values(ids), values(states, value("hidden_states.0", graph.Float32), value("hidden_states.999999999", graph.Float32)))), "Stable Diffusion 1",
			func(f *model.Folder) bool { return f.Texts[0].Layers == 0 },
		},
		"an encoder cut short, of which only the last is needed": {whole, func(m fstest.MapFS) {
			swap("text_encoder/model.onnx", encoder(3, 768, states))(m)
			m["text_encoder/config.json"] = text(`{"num_hidden_layers": 12}`)
		}, "Stable Diffusion 1", func(f *model.Folder) bool { return f.Texts[0].Layers == 0 }},
		"half precision": {
			whole, swap("unet/model.onnx", signature(values(sample, half, hidden), values(outSample))), "Stable Diffusion 1",
			func(f *model.Folder) bool {
				return f.Half(model.UNet) && f.Precision() == "fp16, text_encoder fp32, vae_decoder fp32, vae_encoder fp32"
			},
		},
		"whole timesteps": {
			whole, swap("unet/model.onnx", signature(values(sample, value("timestep", graph.Int64, 1), hidden), values(outSample))), "Stable Diffusion 1",
			func(f *model.Folder) bool { return f.Precision() == "fp32" },
		},
		"other channels": {whole, func(m fstest.MapFS) {
			unet(`"in_channels": 16, "out_channels": 16`)(m)
			latents := value("latent_sample", graph.Float32, -1, 16, -1, -1)
			swap("unet/model.onnx", signature(values(value("sample", graph.Float32, -1, 16, -1, -1), timestep, hidden), values(value("out_sample", graph.Float32, -1, 16, -1, -1))))(m)
			replace("vae_decoder/config.json", `{"latent_channels": 16, "block_out_channels": [1, 2], "scaling_factor": 1}`)(m)
			swap("vae_decoder/model.onnx", signature(values(latents), values(pixels)))(m)
			swap("vae_encoder/model.onnx", signature(values(pixels), values(latents)))(m)
		}, "latent diffusion", func(f *model.Folder) bool {
			output, moments := f.Encoder()
			return f.VAE.Channels == 16 && output == "latent_sample" && !moments
		}},
		"XL by its class alone": {xl, class("ORTStableDiffusionXLPipeline", `"x": 1`), "Stable Diffusion XL", func(f *model.Folder) bool { return f.ZeroEmpty }},
		"XL with zeros off":     {xl, class("StableDiffusionXLPipeline", `"force_zeros_for_empty_prompt": false`), "Stable Diffusion XL", func(f *model.Folder) bool { return !f.ZeroEmpty }},
		"zeros in vain":         {whole, class("StableDiffusionPipeline", `"force_zeros_for_empty_prompt": true`), "Stable Diffusion 1", func(f *model.Folder) bool { return !f.ZeroEmpty }},
		"XL with widths from its configurations": {xl, func(m fstest.MapFS) {
			swap("text_encoder/model.onnx", encoder(12, -1))(m)
			swap("text_encoder_2/model.onnx", encoder(32, -1, value("text_embeds", graph.Float32, -1, -1)))(m)
		}, "Stable Diffusion XL", func(f *model.Folder) bool {
			return f.Texts[0].Width == 768 && f.Texts[1].Width == 1280 && f.Denoiser.Pooled == 1280
		}},
		"XL without a factor": {
			xl, replace("vae_decoder/config.json", `{"block_out_channels": [1, 2, 3, 4]}`), "Stable Diffusion XL",
			func(f *model.Folder) bool { return f.VAE.ScalingFactor == 0.13025 },
		},
		"a refiner that does not say so": {
			refiner, class("StableDiffusionXLImg2ImgPipeline", `"text_encoder": null, "text_encoder_2": ["t", "P"]`), "Stable Diffusion XL refiner",
			func(f *model.Folder) bool { return f.Denoiser.TimeIDs == 5 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := c.base()
			c.change(files)
			f, err := model.Open(files, "m", "")
			if err != nil {
				t.Fatal(err)
			}
			if f.Family != c.family || !c.holds(f) {
				t.Errorf("family %q, want %q; opened as %+v, precision %s", f.Family, c.family, f, f.Precision())
			}
		})
	}
}

func TestBrokenXL(t *testing.T) {
	gap := encoder(12, 768)
	gap.Outputs = append(gap.Outputs, value("hidden_states.999999999", graph.Float32, -1, -1, 768))
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"usual U-Net":         {unet(`"in_channels": 4`), "addition_embed_type should be text_time"},
		"usual index":         {class("StableDiffusionPipeline", `"text_encoder": ["t", "C"]`), "needs text_encoder_2, but model_index.json names none"},
		"no second encoder":   {class("StableDiffusionXLPipeline", `"text_encoder_2": [null, null]`), "leaves out text_encoder_2"},
		"no second graph":     {remove("text_encoder_2/model.onnx"), "text_encoder_2/model.onnx: is missing"},
		"no second tokenizer": {remove("tokenizer_2/vocab.json"), "tokenizer_2/tokenizer.json: is missing, and so is one of vocab.json"},
		"flag in words":       {class("StableDiffusionXLPipeline", `"requires_aesthetics_score": "yes"`), "requires_aesthetics_score should be true or false"},
		"no states":           {swap("text_encoder/model.onnx", signature(values(ids), values(states))), "text_encoder/model.onnx: should give hidden_states.0"},
		"states with a gap":   {swap("text_encoder/model.onnx", gap), "text_encoder/model.onnx: should give hidden_states.0"},
		"too many states":     {swap("text_encoder/model.onnx", encoder(2000, 768)), "text_encoder/model.onnx: should give hidden_states.0"},
		"cut short":           {swap("text_encoder_2/model.onnx", encoder(31, 1280, embeds)), "gives hidden_states.0 to hidden_states.31, but text_encoder_2/config.json tells 32 layers"},
		"flat states":         {swap("text_encoder/model.onnx", signature(values(ids), values(value("hidden_states.0", graph.Float32, -1, 768), value("hidden_states.1", graph.Float32, -1, 768)))), "should have 3 axes"},
		"no pooled":           {swap("text_encoder_2/model.onnx", encoder(32, 1280)), `text_encoder_2/model.onnx: has no output "text_embeds"`},
		"narrow encoder":      {swap("text_encoder/model.onnx", encoder(12, 512)), "cross_attention_dim is 2048, but the states of the text encoders, 512 and 1280 wide, make 1792"},
		"no width": {func(m fstest.MapFS) {
			swap("text_encoder/model.onnx", encoder(12, -1))(m)
			delete(m, "text_encoder/config.json")
		}, "text_encoder/config.json: should tell hidden_size"},
		"huge width": {func(m fstest.MapFS) {
			swap("text_encoder/model.onnx", encoder(12, -1))(m)
			m["text_encoder/config.json"] = text(`{"hidden_size": 4611686018427387904}`)
		}, "text_encoder/config.json: should tell hidden_size"},
		"huge axis":         {swap("text_encoder/model.onnx", encoder(12, 1<<62)), "text_encoder/config.json: should tell hidden_size, 1 to 65536"},
		"NaN in an encoder": {replace("text_encoder_2/config.json", `{"hidden_size": NaN}`), "text_encoder_2/config.json: is no valid configuration"},
		"lengths":           {replace("tokenizer_2/tokenizer_config.json", `{"model_max_length": 64}`), "tokenizer_2/tokenizer_config.json: model_max_length is 64, but that of the other tokenizer 77"},
		"no time ids":       {swap("unet/model.onnx", signature(values(sample, timestep, wide, embeds), values(outSample))), `has no input "time_ids"`},
		"wrong time ids":    {swap("unet/model.onnx", xlUNet(5)), "time_ids float32 [?,5] should have 6 on axis 1"},
		"no pooled input":   {swap("unet/model.onnx", signature(values(sample, timestep, wide, value("time_ids", graph.Float32, -1, 6)), values(outSample))), `has no input "text_embeds"`},
		"aesthetics":        {class("StableDiffusionXLPipeline", `"requires_aesthetics_score": true`), "requires_aesthetics_score says that the U-Net takes 5 time ids, but by its configuration it takes 6; set it to false"},
		"no aesthetics":     {both(replace("unet/config.json", `{`+xlConfig+`2560}`), class("StableDiffusionXLPipeline", `"requires_aesthetics_score": false`)), "it takes 5; set it to true"},
		"projection":        {replace("unet/config.json", `{`+xlConfig+`2000}`), "projection_class_embeddings_input_dim is 2000, but text_embeds of 1280 and 6 time ids of 256 make 2816"},
		"no projection":     {replace("unet/config.json", `{`+xlConfig+`null}`), "addition_time_embed_dim is 256 and projection_class_embeddings_input_dim 0"},
		"huge projection":   {replace("unet/config.json", `{`+xlConfig+`9223372036854775807}`), "projection_class_embeddings_input_dim 9223372036854775807"},
		"infinite":          {replace("unet/config.json", `{`+xlConfig+`1e400}`), "projection_class_embeddings_input_dim should be a whole number, not 1e400"},
		"pooled of another": {func(m fstest.MapFS) {
			swap("text_encoder_2/model.onnx", encoder(32, 1280, value("text_embeds", graph.Float32, -1, 1024)))(m)
		}, "but text_embeds of 1024 and 6 time ids of 256 make 2560"},
		"broken U-Net's configuration": {replace("unet/config.json", `{`), "model m: unet/config.json: is no valid configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			files := xl()
			c.change(files)
			f, err := model.Open(files, "m", "")
			if err == nil {
				t.Fatalf("opened as %+v", f)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q\nwant one with %q", err, c.want)
			}
		})
	}
}

// TestTinyFamilies opens the small models that the engine's tests run, as exporters wrote them.
func TestTinyFamilies(t *testing.T) {
	for name, c := range map[string]struct {
		family string
		holds  func(*model.Folder) bool
	}{
		"sd15":    {"latent diffusion", func(f *model.Folder) bool { return f.Denoiser.Inputs == f.Denoiser.Channels }},
		"sd2":     {"latent diffusion", func(f *model.Folder) bool { return f.Texts[0].Tokenizer.PadToken == "!" }},
		"sdxl":    {"Stable Diffusion XL", func(f *model.Folder) bool { return len(f.Texts) == 2 && f.Denoiser.TimeIDs == 6 && f.ZeroEmpty }},
		"refiner": {"Stable Diffusion XL refiner", func(f *model.Folder) bool { return len(f.Texts) == 1 && f.Denoiser.TimeIDs == 5 }},
		"lcm":     {"latent consistency (latent diffusion)", func(f *model.Folder) bool { return f.Denoiser.TimeCond > 0 }},
		"inpaint": {"latent diffusion inpainting", func(f *model.Folder) bool { return f.Denoiser.Inputs == 9 }},
	} {
		f, err := model.OpenDir("../../testdata/families/" + name)
		if err != nil {
			t.Error(err)
			continue
		}
		if f.Family != c.family || !c.holds(f) {
			t.Errorf("%s: family %q, %+v", name, f.Family, f.Denoiser)
		}
		complete(t, f)
		if got := model.CheckDir(f.Dir); len(got) != 0 {
			t.Errorf("%s: findings %v, want none", name, got)
		}
	}
}
