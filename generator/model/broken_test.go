package model_test

import (
	"strconv"
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

// class returns a change to a pipeline of that class, with more that the index tells.
func class(name, more string) func(fstest.MapFS) {
	return replace("model_index.json", `{"_class_name": "`+name+`", `+more+`}`)
}

// both makes one change after the other.
func both(a, b func(fstest.MapFS)) func(fstest.MapFS) {
	return func(m fstest.MapFS) { a(m); b(m) }
}

// names makes up n of them.
func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = "w" + strconv.Itoa(i)
	}
	return list
}

func TestBroken(t *testing.T) {
	beside := signature(values(sample, timestep, hidden), values(outSample))
	beside.External = []string{"model.onnx_data"}
	outside := beside
	outside.External = []string{"../../secrets"}
	upwards := beside
	upwards.External = []string{"link/../weights"}
	foreign, modern := signature(values(sample, timestep, hidden), values(outSample)), signature(values(sample, timestep, hidden), values(outSample))
	foreign.Domains, modern.OpSet = []string{"com.microsoft", "ai.onnx.contrib"}, 27
	scattered := beside
	scattered.External = names(20000)
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		dir    string
		want   string
	}{
		"no folder":           {func(m fstest.MapFS) { clear(m) }, "", "model_index.json: is missing: this is no model folder"},
		"a folder for a file": {func(m fstest.MapFS) { remove("easel.json")(m); m["easel.json/x"] = text("") }, "", "easel.json: cannot be read"},
		"broken JSON":         {replace("unet/config.json", `{"sample_size": `), "", "unet/config.json: is no valid configuration: line 1 is not JSON"},
		"wrong type":          {replace("unet/config.json", `{"in_channels": "four"}`), "", "unet/config.json: is no valid configuration: in_channels should be a whole number, not string"},
		"huge file":           {replace("unet/config.json", strings.Repeat(" ", 1<<20+1)), "", "unet/config.json: is larger than 1 MiB"},
		"no class":            {replace("model_index.json", `{}`), "", "model_index.json: _class_name is missing"},

		"SD3":               {class("StableDiffusion3Pipeline", `"transformer": ["d", "T"]`), "", "this is a diffusion transformer"},
		"Flux":              {class("FluxPipeline", `"x": 1`), "", "this is a diffusion transformer"},
		"Kandinsky":         {class("KandinskyV22Pipeline", `"movq": ["d", "V"]`), "", "this is Kandinsky"},
		"Kandinsky's prior": {class("SomePipeline", `"prior": ["d", "V"]`), "", "this is Kandinsky"},
		"ControlNet":        {class("StableDiffusionXLControlNetPipeline", `"x": 1`), "", "this is a ControlNet pipeline"},
		"Kolors":            {class("KolorsPipeline", `"x": 1`), "", "this is Kolors"},
		"video":             {class("AnimateDiffPipeline", `"x": 1`), "", "this is a video model"},
		"IF":                {class("IFPipeline", `"x": 1`), "", "this is DeepFloyd IF"},
		"by example":        {class("PaintByExamplePipeline", `"image_encoder": ["d", "E"]`), "", "this is Paint by Example"},
		"edit by class":     {class("StableDiffusionXLInstructPix2PixPipeline", `"x": 1`), "", "this is InstructPix2Pix"},
		"upscaler by class": {class("OnnxStableDiffusionUpscalePipeline", `"x": 1`), "", "this is an upscaler"},
		"InstructPix2Pix":   {unet(`"in_channels": 8`), "", "this is InstructPix2Pix"},
		"upscaler":          {unet(`"in_channels": 7`), "", "this is an upscaler"},
		"depth":             {unet(`"in_channels": 5`), "", "this is a model guided by depth"},
		"classes":           {unet(`"in_channels": 7, "num_class_embeds": 1000`), "", "this is a model conditioned on classes"},
		"kinds of classes":  {unet(`"class_embed_type": "projection"`), "", "this is a model conditioned on classes"},
		"image prompts":     {unet(`"addition_embed_type": "text_image"`), "", "conditioned on more than text (addition_embed_type text_image)"},
		"IP-Adapter":        {unet(`"encoder_hid_dim_type": "ip_image_proj"`), "", "prompts of another kind (encoder_hid_dim)"},
		"boxes":             {unet(`"attention_type": "gated"`), "", "attention of another kind (attention_type gated)"},
		"no encoder named":  {replace("model_index.json", `{"_class_name": "P", "text_encoder": [null, null]}`), "", "leaves out text_encoder"},
		"control in a name": {unet(`"addition_embed_type": "\u001b[2Jtext"`), "", "(addition_embed_type ?[2Jtext)"},

		"LCM by its configuration alone":        {unet(`"time_cond_proj_dim": 256`), "", `unet/model.onnx: has no input "timestep_cond"`},
		"LCM by its graph alone":                {swap("unet/model.onnx", signature(values(sample, timestep, hidden, guidance), values(outSample))), "", `wants an input "timestep_cond" that this kind of model does not have`},
		"narrow guidance":                       {both(lcm, swap("unet/model.onnx", signature(values(sample, timestep, hidden, value("timestep_cond", graph.Float32, -1, 128)), values(outSample)))), "", "timestep_cond float32 [?,128] should have 256 on axis 1"},
		"guidance of no width":                  {unet(`"time_cond_proj_dim": -1`), "", "time_cond_proj_dim is -1; it should be null, or 4 to 65536"},
		"inpainting by its configuration alone": {unet(`"in_channels": 9`), "", "sample float32 [?,4,?,?] should have 9 on axis 1"},
		"inpainting without encoder":            {both(inpainting, remove("vae_encoder/model.onnx")), "", "vae_encoder/model.onnx: is missing: an inpainting model sees the picture through it"},
		"odd attention":                         {unet(`"down_block_types": ["A", "B", "C", "D", "AttnDownBlock2D"]`), "", "down_block_types has attention below the 4 levels"},

		"learned variance":    {unet(`"out_channels": 8`), "", "only models in which they are equal can be run, or for inpainting"},
		"no levels":           {unet(`"block_out_channels": []`), "", "block_out_channels has 0 entries"},
		"no channels":         {unet(`"in_channels": 0, "out_channels": 0`), "", "out_channels is 0"},
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
		"LFS pointer":       {replace("unet/model.onnx", "version https://git-lfs.github.com/spec/v1\n"), "", "unet/model.onnx: it is a pointer of Git LFS, not the file itself; fetch that with git lfs pull"},
		"web page":          {replace("unet/model.onnx", "\n<!DOCTYPE html><title>Sign in</title>"), "", "unet/model.onnx: it is a web page, which came in place of the file"},
		"pointer for words": {replace("tokenizer/tokenizer.json", "version https://git-lfs.github.com/spec/v1\n"), "", "tokenizer/tokenizer.json: it is a pointer of Git LFS"},
		"page for settings": {replace("unet/config.json", "<html>"), "", "unet/config.json: it is a web page"},
		"size in words":     {unet(`"sample_size": "64"`), "", "sample_size should be one whole number or two, not string"},
		"other operators":   {swap("unet/model.onnx", foreign), "", `unet/model.onnx: needs operators of "ai.onnx.contrib", which ONNX Runtime does not have`},
		"newer operators":   {swap("unet/model.onnx", modern), "", "unet/model.onnx: is of operator set 27, and ONNX Runtime 1.30 knows those up to 26"},
		"list for settings": {replace("easel.json", `["steps", 4]`), "", "easel.json: is no valid configuration: it should be an object in braces, not array"},
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
		"encoder's moments": {swap("vae_encoder/model.onnx", signature(values(pixels), values(value("latent_parameters", graph.Float32, -1, 4, -1, -1)))), "", "latent_parameters float32 [?,4,?,?] should have 8 on axis 1"},
		"encoder's draws":   {swap("vae_encoder/model.onnx", signature(values(pixels), values(value("latent_sample", graph.Float32, -1, 8, -1, -1)))), "", "latent_sample float32 [?,8,?,?] should have 4 on axis 1"},
		"grey encoder":      {swap("vae_encoder/model.onnx", signature(values(value("sample", graph.Float32, -1, 1, -1, -1)), values(moments))), "", "vae_encoder/model.onnx: sample float32 [?,1,?,?] should have 3 on axis 1"},
		"NaN":               {replace("vae_decoder/config.json", "{\"block_out_channels\": [1],\n\"scaling_factor\": NaN}"), "", "vae_decoder/config.json: is no valid configuration: line 2 is not JSON, which knows no NaN"},
		"infinite":          {replace("vae_decoder/config.json", `{"block_out_channels": [1], "scaling_factor": -Infinity}`), "", "line 1 is not JSON, which knows no NaN and no Infinity"},
		"beyond floats":     {replace("vae_decoder/config.json", `{"block_out_channels": [1], "scaling_factor": 1e999}`), "", "scaling_factor should be a number, not 1e999"},
		"beyond latents":    {replace("vae_decoder/config.json", `{"block_out_channels": [1], "scaling_factor": 1e300}`), "", "scaling_factor is 1e+300"},
		"no spread":         {replace("vae_decoder/config.json", `{"block_out_channels": [1], "scaling_factor": 1, "latents_mean": [0,0,0,1e300], "latents_std": [1,1,1,1]}`), "", "latents_mean and latents_std"},
		"strange encoder":   {swap("vae_encoder/model.onnx", signature(values(pixels), values(latent, value("mode", graph.Float32, 1)))), "", ""},
		"no latents":        {swap("vae_encoder/model.onnx", signature(values(pixels), values(value("mode", graph.Float32, 1)))), "", "should give latent_parameters or latent_sample; it gives mode"},
		"weights elsewhere": {swap("unet/model.onnx", outside), "/models/m", "weights from outside its folder"},
		"weights upwards":   {swap("unet/model.onnx", upwards), "/models/m", "weights from outside its folder"},
		"too many files":    {swap("unet/model.onnx", scattered), "/models/m", "keeps its weights in 20000 files"},
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

// TestRemarks looks for notes about what hinders nothing.
func TestRemarks(t *testing.T) {
	half := value("latent_sample", graph.Float16, -1, 4, -1, -1)
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"safety checker":      {replace("safety_checker/model.onnx", "graph"), "safety_checker/model.onnx: is there, but"},
		"feature extractor":   {replace("feature_extractor/preprocessor_config.json", "{}"), "feature_extractor/preprocessor_config.json: is there, but"},
		"latents drawn":       {swap("vae_encoder/model.onnx", signature(values(pixels), values(latent))), "vae_encoder/model.onnx: draws latents itself"},
		"VAE that overflows":  {both(upcast(true), swap("vae_decoder/model.onnx", signature(values(half), values(pixels)))), "vae_decoder/model.onnx: computes in fp16, but"},
		"VAE that does not":   {both(upcast(false), swap("vae_decoder/model.onnx", signature(values(half), values(pixels)))), ""},
		"VAE in full":         {upcast(true), ""},
		"encoder's last only": {both(replace("text_encoder/config.json", `{"num_hidden_layers": 12}`), swap("text_encoder/model.onnx", encoder(3, 768, states))), "text_encoder/model.onnx: gives hidden_states.0 to hidden_states.3, but"},
	} {
		t.Run(name, func(t *testing.T) {
			files := whole()
			c.change(files)
			got := model.Check(files, "m", "")
			if c.want == "" && len(got) != 0 {
				t.Errorf("findings %v, want none", got)
			}
			if c.want != "" && (len(got) != 1 || got[0].Problem || !strings.HasPrefix(got[0].String(), c.want)) {
				t.Errorf("findings %v, want one note with %q", got, c.want)
			}
		})
	}
}

func upcast(force bool) func(fstest.MapFS) {
	return replace("vae_decoder/config.json", `{"block_out_channels": [1, 2, 3, 4], "scaling_factor": 0.18215, "force_upcast": `+strconv.FormatBool(force)+`}`)
}

// TestLongMessages checks that a folder cannot make messages that nobody would read.
func TestLongMessages(t *testing.T) {
	files := whole()
	var many []graph.Value
	for _, name := range names(5000) {
		many = append(many, value(name+strings.Repeat("x", 300), graph.Float32, -1))
	}
	swap("unet/model.onnx", signature(many, many))(files)
	keys := `{"` + strings.Join(names(5000), `": 1, "`) + `": 1}`
	files["easel.json"] = text(keys)
	_, err := model.Open(files, "m", "")
	if err == nil || len(err.Error()) > 200<<10 || strings.Count(err.Error(), "\n") > 200 {
		t.Errorf("%d bytes of errors", len(err.Error()))
	}
}
