package model_test

import (
	"testing"
	"testing/fstest"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/inference/graph"
)

// The files that FuzzFolder puts content into.
var fuzzed = []string{
	"model_index.json", "unet/config.json", "vae_decoder/config.json", "scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json", "easel.json",
	"tokenizer_2/tokenizer_config.json", "text_encoder/config.json", "text_encoder_2/config.json",
	"unet/model.onnx", "text_encoder/model.onnx", "text_encoder_2/model.onnx", "vae_decoder/model.onnx", "vae_encoder/model.onnx",
}

var layouts = []func() fstest.MapFS{open, openXL, refiner}

// open is a folder whose graphs leave open what a configuration tells.
func open() fstest.MapFS {
	m := whole()
	swap("text_encoder/model.onnx", signature(values(ids), values(value("last_hidden_state", graph.Float32, -1, -1, -1))))(m)
	swap("unet/model.onnx", signature(values(value("sample", graph.Float32, -1, -1, -1, -1), timestep, value("encoder_hidden_states", graph.Float32, -1, -1, -1)), values(outSample)))(m)
	return m
}

func openXL() fstest.MapFS {
	m := xl()
	free := value("text_embeds", graph.Float32, -1, -1)
	swap("text_encoder/model.onnx", encoder(2, -1))(m)
	swap("text_encoder_2/model.onnx", encoder(2, -1, free))(m)
	swap("unet/model.onnx", signature(values(value("sample", graph.Float32, -1, -1, -1, -1), timestep, value("encoder_hidden_states", graph.Float32, -1, -1, -1), free,
		value("time_ids", graph.Float32, -1, -1)), values(outSample)))(m)
	delete(m, "text_encoder/config.json")
	m["text_encoder/config.json"] = text(`{"hidden_size": 768}`)
	m["text_encoder_2/config.json"] = text(`{"hidden_size": 1280}`)
	return m
}

// FuzzFolder checks that no file makes opening panic, and that what opens can be asked for a picture of its default size
// and tells everything that the engine goes by.
func FuzzFolder(f *testing.F) {
	for i, layout := range layouts {
		files := layout()
		for j, name := range fuzzed {
			if file, ok := files[name]; ok {
				f.Add(uint8(i), uint8(j), file.Data)
			}
		}
	}
	f.Add(uint8(0), uint8(5), []byte(`{"steps": 8, "width": 768, "words": ["fox"]}`))
	f.Add(uint8(0), uint8(1), []byte(`{"sample_size": [64, 96], "cross_attention_dim": [1, 2], "block_out_channels": [1, 2]}`))
	f.Add(uint8(0), uint8(1), []byte(`{"sample_size": 8, "cross_attention_dim": -5, "num_attention_heads": [], "block_out_channels": [1]}`))
	f.Add(uint8(0), uint8(1), []byte(`{"in_channels": 9, "out_channels": 4, "time_cond_proj_dim": 256, "block_out_channels": [1]}`))
	f.Add(uint8(0), uint8(2), []byte(`{"block_out_channels": [-1, 2], "scaling_factor": 1}`))
	f.Add(uint8(1), uint8(1), []byte(`{`+xlConfig+`2560}`))
	f.Add(uint8(1), uint8(7), []byte(`{"hidden_size": 1e9, "num_hidden_layers": 1}`))
	f.Add(uint8(1), uint8(10), onnx(encoder(1, 768)).Data)
	f.Fuzz(func(t *testing.T, layout, which uint8, content []byte) {
		files := layouts[int(layout)%len(layouts)]()
		files[fuzzed[int(which)%len(fuzzed)]] = &fstest.MapFile{Data: content}
		m, err := model.Open(files, "m", "")
		if err != nil {
			return
		}
		if err := m.CheckSize(m.Defaults.Width, m.Defaults.Height); err != nil {
			t.Errorf("the default size does not do: %v", err)
		}
		complete(t, m)
	})
}

// complete checks that an opened folder tells what the engine needs of it.
func complete(t *testing.T, m *model.Folder) {
	t.Helper()
	d := m.Denoiser
	if d.CrossWidth < 1 || d.Heads < 1 || d.HeadStep < 1 || d.Channels < 1 || d.Inputs != d.Channels && d.Inputs != 2*d.Channels+1 || m.VAE.Width < 1 {
		t.Errorf("opened with %+v, %+v", d, m.VAE)
	}
	if m.VAE.ScalingFactor <= 0 || m.VAE.Channels != d.Channels || m.Defaults.Steps < 1 || m.Family == "" || m.Weight() < 1 {
		t.Errorf("opened as %q with %+v, %+v", m.Family, m.VAE, m.Defaults)
	}
	sum := 0
	for _, x := range m.Texts {
		sum += x.Width
		if _, ok := m.Signature(x.Component).Output(x.States); !ok || x.Tokenizer.MaxLength < 1 || x.Width < 1 {
			t.Errorf("opened with text %+v", x)
		}
	}
	if sum != d.CrossWidth || (d.TimeIDs > 0) != (d.Pooled > 0) || (d.Pooled > 0) != (m.Texts[len(m.Texts)-1].Pooled != "") {
		t.Errorf("opened with %+v, texts %d wide", d, sum)
	}
}
