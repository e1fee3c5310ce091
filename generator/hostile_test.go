package generator

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
)

// replaceIn changes a file of a model's folder, which must hold the old text.
func replaceIn(file, before, after string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		path := filepath.Join(dir, file)
		content, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(content, []byte(before)) {
			t.Fatalf("%s has no %q, %v", file, before, err)
		}
		if err := os.WriteFile(path, bytes.ReplaceAll(content, []byte(before), []byte(after)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// cut keeps so much of a file.
func cut(file string, share float64) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		path := filepath.Join(dir, file)
		content, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, content[:int(share*float64(len(content)))], 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// swapIn puts another network in place of one.
func swapIn(file, other string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		content, err := os.ReadFile(other)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestHostileFolders opens and paints with folders that lie. Each ends in an error that says what is wrong: no panic, no picture, no
// memory taken without bound.
func TestHostileFolders(t *testing.T) {
	const unet, decoder = "unet/model.onnx", "vae_decoder/model.onnx"
	for name, c := range map[string]struct {
		change func(*testing.T, string)
		want   string // in the error of opening, checking or painting
	}{
		"a U-Net cut short":           {cut(unet, 0.7), "unet/model.onnx"},
		"half a text encoder":         {cut("text_encoder/model.onnx", 0.5), "text_encoder/model.onnx"},
		"an empty decoder":            {cut(decoder, 0), "vae_decoder/model.onnx"},
		"a text encoder for a U-Net":  {swapIn(unet, tiny+"/text_encoder/model.onnx"), "unet/model.onnx"},
		"a decoder of another model":  {swapIn(decoder, families+"/sd15/vae_decoder/model.onnx"), "vae_decoder/model.onnx"},
		"a lie about the factor":      {replaceIn("vae_decoder/config.json", "\"block_out_channels\": [\n    8,", "\"block_out_channels\": [\n    8,\n    8,"), "decoded"},
		"a lie about the width":       {replaceIn("unet/config.json", `"cross_attention_dim": 16`, `"cross_attention_dim": 24`), "24"},
		"tokens beyond the embedding": {replaceIn("tokenizer/tokenizer.json", `"fox":85`, `"fox":8500`), "text encoder failed"},
		"absurd channels":             {replaceIn("unet/config.json", `"in_channels": 16`, `"in_channels": 1000000`), "in_channels"},
		"an absurd size":              {replaceIn("easel.json", `"width": 128`, `"width": 1048576`), "1048576"},
		"a billion steps":             {replaceIn("scheduler/scheduler_config.json", `"num_train_timesteps": 1000`, `"num_train_timesteps": 1000000000`), "num_train_timesteps"},
		"no steps":                    {replaceIn("scheduler/scheduler_config.json", `"num_train_timesteps": 1000`, `"num_train_timesteps": 0`), "num_train_timesteps"},
		"endless betas":               {replaceIn("scheduler/scheduler_config.json", `"beta_end": 0.012`, `"beta_end": 1e308`), "beta_end"},
		"betas that are no numbers":   {replaceIn("scheduler/scheduler_config.json", `"beta_end": 0.012`, `"beta_end": NaN`), "scheduler_config.json"},
		"negative betas":              {replaceIn("scheduler/scheduler_config.json", `"beta_start": 0.00085`, `"beta_start": -1`), "beta_start"},
		"a scaling factor of nothing": {replaceIn("vae_decoder/config.json", `"scaling_factor": `, `"scaling_factor": 0, "was": `), "scaling_factor"},
	} {
		t.Run(name, func(t *testing.T) {
			ready(t)
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(tiny)); err != nil {
				t.Fatal(err)
			}
			c.change(t, dir)
			pictures, err := paintWith(t, dir)
			if pictures != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %d pictures and %v, want none and an error that says %q", len(pictures), err, c.want)
			}
		})
	}
}

// paintWith opens a folder and paints with it, as far as that goes.
func paintWith(t *testing.T, dir string) ([]imagine.Picture, error) {
	t.Helper()
	f, err := model.OpenDir(dir)
	if err != nil {
		return nil, err
	}
	for _, finding := range CheckFolder(f) {
		t.Log(finding)
	}
	e, err := Open(roomy(), f)
	if err != nil {
		return nil, err
	}
	defer closeEngine(t, e)
	return e.Paint(t.Context(), fox(), imagine.Watcher{})
}

// An encoder that gives no numbers is no reason to paint something else.
func TestNotANumberFromThePicture(t *testing.T) {
	e := engine(t, wounded(t, wound{model.VAEEncoder, "vae.encoder.conv_out.bias.f16", 0, 4}), roomy())
	from := with(fox(), func(r *imagine.Request) { r.Init, r.Strength = &imagine.Source{Image: readPNG(t, "init.png")}, 0.5 })
	if pictures, err := e.Paint(t.Context(), from, imagine.Watcher{}); err == nil || pictures != nil || !strings.Contains(err.Error(), "not numbers") {
		t.Errorf("got %d pictures and %v, want an error of values that are not numbers", len(pictures), err)
	}
	paint(t, e, fox()) // from nothing it still paints
}
