package model_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/inference/graph"
)

// replace returns a change that puts a file in place.
func replace(name, content string) func(fstest.MapFS) {
	return func(m fstest.MapFS) { m[name] = text(content) }
}

func remove(name string) func(fstest.MapFS) {
	return func(m fstest.MapFS) { delete(m, name) }
}

func swap(name string, s graph.Signature) func(fstest.MapFS) {
	return func(m fstest.MapFS) { m[name] = onnx(s) }
}

// unet returns a change of the U-Net's configuration that adds to a good one.
func unet(extra string) func(fstest.MapFS) {
	return replace("unet/config.json", `{"sample_size": 64, "cross_attention_dim": 768, "block_out_channels": [1, 2, 3, 4], `+extra+`}`)
}

func TestBroken(t *testing.T) {
	beside := signature(values(sample, timestep, hidden), values(outSample))
	beside.External = []string{"model.onnx_data"}
	outside := beside
	outside.External = []string{"../../secrets"}
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		dir    string
		want   string
	}{
		"no folder":           {func(m fstest.MapFS) { clear(m) }, "", "model_index.json: is missing: this is no model folder"},
		"a folder for a file": {func(m fstest.MapFS) { remove("easel.json")(m); m["easel.json/x"] = text("") }, "", "easel.json: cannot be read"},
		"broken JSON":         {replace("unet/config.json", `{"sample_size": `), "", "unet/config.json: is no valid configuration: line 1 is not JSON"},
		"wrong type":          {replace("unet/config.json", `{"in_channels": "four"}`), "", "unet/config.json: is no valid configuration: in_channels should be int, not string"},
		"huge file":           {replace("unet/config.json", strings.Repeat(" ", 1<<20+1)), "", "unet/config.json: is larger than 1 MiB"},
		"no class":            {replace("model_index.json", `{}`), "", "model_index.json: _class_name is missing"},

		"SDXL":            {replace("model_index.json", `{"_class_name": "StableDiffusionPipeline", "text_encoder_2": ["t", "C"]}`), "", "this is Stable Diffusion XL"},
		"SDXL by class":   {replace("model_index.json", `{"_class_name": "ORTStableDiffusionXLPipeline"}`), "", "this is Stable Diffusion XL"},
		"SD3":             {replace("model_index.json", `{"_class_name": "StableDiffusion3Pipeline", "transformer": ["d", "T"]}`), "", "this is a diffusion transformer"},
		"LCM":             {unet(`"time_cond_proj_dim": 256`), "", "this is a latent consistency model"},
		"inpainting":      {unet(`"in_channels": 9`), "", "this is an inpainting model"},
		"InstructPix2Pix": {unet(`"in_channels": 8`), "", "this is InstructPix2Pix"},
		"upscaler":        {unet(`"in_channels": 7, "num_class_embeds": 1000`), "", "this is a model conditioned on classes"},
		"time ids":        {unet(`"addition_embed_type": "text_time"`), "", "this is Stable Diffusion XL"},
		"image prompts":   {unet(`"addition_embed_type": "text_image"`), "", "conditioned on more than text (addition_embed_type text_image)"},

		"learned variance":    {unet(`"out_channels": 8`), "", "only models in which they are equal can be run"},
		"no levels":           {unet(`"block_out_channels": []`), "", "block_out_channels has 0 entries"},
		"no channels":         {unet(`"in_channels": 0, "out_channels": 0`), "", "in_channels is 0"},
		"negative size":       {unet(`"sample_size": -1`), "", "sample_size is [-1 -1]"},
		"negative width":      {unet(`"cross_attention_dim": -5`), "", "unet/config.json: cross_attention_dim should be one number"},
		"huge width":          {unet(`"cross_attention_dim": 1000000000000`), "", "unet/config.json: cross_attention_dim should be"},
		"no width":            {unet(`"cross_attention_dim": null`), "", "unet/config.json: cross_attention_dim should be"},
		"width in words":      {unet(`"cross_attention_dim": "wide"`), "", "unet/config.json: cross_attention_dim should be"},
		"many widths":         {unet(`"cross_attention_dim": [768, 1024, 768]`), "", "unet/config.json: cross_attention_dim should be"},
		"default width":       {replace("unet/config.json", `{"sample_size": 64, "block_out_channels": [1, 2]}`), "", "should have 1280 on axis 2"},
		"no heads":            {unet(`"num_attention_heads": 0`), "", "unet/config.json: num_attention_heads, or attention_head_dim"},
		"many heads":          {unet(`"attention_head_dim": [1025, 8]`), "", "unet/config.json: num_attention_heads, or attention_head_dim"},
		"no size at all":      {unet(`"sample_size": null`), "", "easel.json: width and height are needed"},
		"other VAE":           {replace("vae_decoder/config.json", `{"latent_channels": 16, "block_out_channels": [1], "scaling_factor": 1}`), "", "the VAE has 16 latent channels; the two are not of one model"},
		"flat VAE":            {replace("vae_decoder/config.json", `{"block_out_channels": [0, 2], "scaling_factor": 1}`), "", "vae_decoder/config.json: block_out_channels begins with 0; 1 to 16384"},
		"wide VAE":            {replace("vae_decoder/config.json", `{"block_out_channels": [16385], "scaling_factor": 1}`), "", "block_out_channels begins with 16385"},
		"no VAE settings":     {remove("vae_decoder/config.json"), "", "vae_decoder/config.json: block_out_channels"},
		"no scaling":          {replace("vae_decoder/config.json", `{"latent_channels": 16, "block_out_channels": [1]}`), "", "scaling_factor is missing"},
		"zero scaling":        {replace("vae_decoder/config.json", `{"block_out_channels": [1], "scaling_factor": 0}`), "", "scaling_factor is 0"},
		"half the statistics": {replace("vae_decoder/config.json", `{"block_out_channels": [1], "latents_mean": [1, 2, 3, 4]}`), "", "latents_mean and latents_std"},
		"shifted latents":     {replace("vae_decoder/config.json", `{"block_out_channels": [1], "shift_factor": 0.1}`), "", "shift_factor is 0.1"},
		"no scheduler":        {remove("scheduler/scheduler_config.json"), "", "scheduler/scheduler_config.json: is missing"},
		"nameless scheduler":  {replace("scheduler/scheduler_config.json", `[]`), "", "_class_name is missing"},

		"no tokenizer":      {remove("tokenizer/tokenizer.json"), "", "tokenizer/tokenizer.json: is missing"},
		"no length":         {replace("tokenizer/tokenizer_config.json", `{}`), "", "model_max_length, the number of tokens"},
		"bad pad token":     {replace("tokenizer/tokenizer_config.json", `{"model_max_length": 77, "pad_token": 5}`), "", "pad_token should be a string"},
		"other length":      {swap("text_encoder/model.onnx", signature(values(value("input_ids", graph.Int64, 1, 32)), values(states))), "", "model_max_length is 77, but text_encoder/model.onnx takes 32"},
		"no U-Net":          {remove("unet/model.onnx"), "", "unet/model.onnx: is missing: export the model"},
		"LFS pointer":       {replace("unet/model.onnx", "version https://git-lfs.github.com/spec/v1\n"), "", "unet/model.onnx: not a readable ONNX model"},
		"attention mask":    {swap("text_encoder/model.onnx", signature(values(ids, value("attention_mask", graph.Int64, -1, -1)), values(states))), "", `wants an input "attention_mask"`},
		"no hidden state":   {swap("text_encoder/model.onnx", signature(values(ids), values(value("pooler_output", graph.Float32, -1, 768)))), "", `has no output "last_hidden_state"; it has pooler_output`},
		"rank":              {swap("unet/model.onnx", signature(values(sample, value("timestep", graph.Float32, 1, 1), hidden), values(outSample))), "", "input timestep float32 [1,1] should have 0 or 1 axes"},
		"type":              {swap("unet/model.onnx", signature(values(value("sample", graph.Float64, 1, 4, 8, 8), timestep, hidden), values(outSample))), "", "should be of float32 or float16"},
		"narrow states":     {swap("unet/model.onnx", signature(values(sample, timestep, value("encoder_hidden_states", graph.Float32, -1, -1, 1024)), values(outSample))), "", "should have 768 on axis 2"},
		"one lane":          {swap("unet/model.onnx", signature(values(value("sample", graph.Float32, 1, 4, -1, -1), timestep, hidden), values(outSample))), "", "unet/model.onnx: sample float32 [1,4,?,?] has a fixed number of rows; export it with a dynamic batch"},
		"two lanes":         {swap("unet/model.onnx", signature(values(sample, timestep, hidden), values(value("out_sample", graph.Float32, 2, 4, -1, -1)))), "", "unet/model.onnx: out_sample float32 [2,4,?,?] has a fixed"},
		"two timesteps":     {swap("unet/model.onnx", signature(values(sample, value("timestep", graph.Float32, 2), hidden), values(outSample))), "", "timestep float32 [2] has a fixed"},
		"two pictures":      {swap("vae_decoder/model.onnx", signature(values(value("latent_sample", graph.Float32, 2, 4, -1, -1)), values(pixels))), "", "vae_decoder/model.onnx: latent_sample float32 [2,4,?,?] has a fixed"},
		"short states":      {swap("unet/model.onnx", signature(values(sample, timestep, value("encoder_hidden_states", graph.Float32, -1, 64, 768)), values(outSample))), "", "should have 77 on axis 1"},
		"short text":        {swap("text_encoder/model.onnx", signature(values(ids), values(value("last_hidden_state", graph.Float32, -1, 32, 768)))), "", "should have 77 on axis 1"},
		"another picture":   {swap("vae_decoder/model.onnx", signature(values(value("latent_sample", graph.Float32, -1, 4, 96, 96)), values(pixels))), "", "exported for pictures of 768x768 alone"},
		"strange encoder":   {swap("vae_encoder/model.onnx", signature(values(pixels), values(latent, value("mode", graph.Float32, 1)))), "", ""},
		"no latents":        {swap("vae_encoder/model.onnx", signature(values(pixels), values(value("mode", graph.Float32, 1)))), "", "should give latent_parameters or latent_sample; it gives mode"},
		"weights elsewhere": {swap("unet/model.onnx", outside), "/models/m", "weights from outside its folder"},
		"weights missing":   {swap("unet/model.onnx", beside), "/models/m", "unet/model.onnx_data: is missing: unet/model.onnx keeps weights in it"},
		"weights embedded":  {swap("unet/model.onnx", beside), "", "keeps its weights in a file beside it"},

		"misspelt key":  {replace("easel.json", `{"stpes": 8}`), "", `easel.json: unknown key "stpes"; the keys are description, guidance`},
		"capital key":   {replace("easel.json", `{"Steps": 8}`), "", `unknown key "Steps"`},
		"zero steps":    {replace("easel.json", `{"steps": 0}`), "", "steps is 0; it must be 1 to 1000"},
		"much guidance": {replace("easel.json", `{"guidance": 101}`), "", "guidance is 101; it must be 0 to 100"},
		"odd width":     {replace("easel.json", `{"width": 500}`), "", "multiple of 64"},
		"another size":  {swap("unet/model.onnx", signature(values(value("sample", graph.Float32, 1, 4, 96, 96), timestep, hidden), values(outSample))), "", "exported for pictures of 768x768 alone"},
	} {
		t.Run(name, func(t *testing.T) {
			files := whole()
			c.change(files)
			f, err := model.Open(files, "m", c.dir)
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && err == nil:
				t.Fatalf("opened as %+v", f)
			case err != nil && !strings.Contains(err.Error(), c.want):
				t.Errorf("error %q\nwant one with %q", err, c.want)
			}
		})
	}
}

// TestEveryProblem finds that one look names all that is wrong.
func TestEveryProblem(t *testing.T) {
	files := whole()
	delete(files, "unet/model.onnx")
	delete(files, "scheduler/scheduler_config.json")
	files["easel.json"] = text(`{"steps": 0, "width": 1}`)
	_, err := model.Open(files, "m", "")
	if err == nil {
		t.Fatal("a broken folder opens")
	}
	for _, want := range []string{"model m has 4 problems:", "\n  unet/model.onnx: is missing", "\n  scheduler/", "\n  easel.json: steps", "\n  easel.json: pictures of 1x512"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
}

func TestCheckNotes(t *testing.T) {
	files := whole()
	delete(files, "vae_encoder/model.onnx")
	files["vae_decoder/config.json"] = text(`{"block_out_channels": [1, 2, 3, 4]}`)
	got := model.Check(files, "m", "")
	if len(got) != 2 || got[0].Problem || got[1].Problem {
		t.Fatalf("findings %v, want two notes", got)
	}
	if want := "vae_decoder/config.json: has no scaling_factor"; !strings.HasPrefix(got[0].String(), want) {
		t.Errorf("finding %q, want %q", got[0], want)
	}
}

// FuzzFolder checks that no configuration makes opening panic, and that what opens can be
// asked for a picture of its default size. The graphs leave open what a configuration tells.
func FuzzFolder(f *testing.F) {
	names := []string{"model_index.json", "unet/config.json", "vae_decoder/config.json", "scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json", "easel.json"}
	for i, name := range names {
		if file, ok := whole()[name]; ok {
			f.Add(uint8(i), file.Data)
		}
	}
	f.Add(uint8(5), []byte(`{"steps": 8, "width": 768, "words": ["fox"]}`))
	f.Add(uint8(1), []byte(`{"sample_size": [64, 96], "cross_attention_dim": [1, 2], "block_out_channels": [1, 2]}`))
	f.Add(uint8(1), []byte(`{"sample_size": 8, "cross_attention_dim": -5, "num_attention_heads": [], "block_out_channels": [1]}`))
	f.Add(uint8(2), []byte(`{"block_out_channels": [-1, 2], "scaling_factor": 1}`))
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		files := whole()
		swap("text_encoder/model.onnx", signature(values(ids), values(value("last_hidden_state", graph.Float32, -1, -1, -1))))(files)
		swap("unet/model.onnx", signature(values(sample, timestep, value("encoder_hidden_states", graph.Float32, -1, -1, -1)), values(outSample)))(files)
		files[names[int(which)%len(names)]] = &fstest.MapFile{Data: content}
		m, err := model.Open(files, "m", "")
		if err != nil {
			return
		}
		if err := m.CheckSize(m.Defaults.Width, m.Defaults.Height); err != nil {
			t.Errorf("the default size does not do: %v", err)
		}
		if m.Tokenizer.MaxLength < 1 || m.VAE.ScalingFactor <= 0 || m.Defaults.Steps < 1 {
			t.Errorf("opened with %+v, %+v, %+v", m.Tokenizer, m.VAE, m.Defaults)
		}
		if m.Denoiser.CrossWidth < 1 || m.Denoiser.Heads < 1 || m.VAE.Width < 1 {
			t.Errorf("opened with %+v, %+v", m.Denoiser, m.VAE)
		}
	})
}
