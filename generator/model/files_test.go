package model_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/easelbot/easel/generator/model"
)

// besides is a folder whose U-Net keeps weights beside it.
func besides() fstest.MapFS {
	m := whole()
	s := signature(values(sample, timestep, hidden), values(outSample))
	s.External = []string{"model.onnx_data"}
	m["unet/model.onnx"], m["unet/model.onnx_data"] = onnx(s), text(strings.Repeat("w", 1000))
	return m
}

// onDisk writes a folder and returns its path, beside which there is a folder for what lies outside.
func onDisk(t *testing.T, m fstest.MapFS) (dir, outside string) {
	t.Helper()
	top := t.TempDir()
	dir, outside = filepath.Join(top, "model"), filepath.Join(top, "outside")
	if err := os.CopyFS(dir, m); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(outside, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, outside
}

// move moves a file or folder and leaves a link to it in its place.
func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	target, err := filepath.Rel(filepath.Dir(from), to)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, from); err != nil {
		t.Skip("this system has no links: ", err)
	}
}

func TestLinks(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"graph within":           {"vae_decoder/model.onnx", "model/graphs/decoder", ""},
		"graph outside":          {"vae_decoder/model.onnx", "outside/decoder", "vae_decoder/model.onnx: cannot be opened: it is a link to a place outside the model's folder; copy the whole folder with cp -rL"},
		"network outside":        {"vae_decoder", "outside/vae_decoder", "vae_decoder/model.onnx: cannot be opened: it is a link to a place outside"},
		"weights in the graph's": {"unet/model.onnx_data", "model/unet/data/x", ""},
		"weights within":         {"unet/model.onnx_data", "model/weights/x", "unet/model.onnx_data: cannot be used, though unet/model.onnx keeps weights in it: it is a link out of the graph's folder"},
		"weights outside":        {"unet/model.onnx_data", "outside/x", "unet/model.onnx_data: cannot be used, though unet/model.onnx keeps weights in it: it is a link to a place outside"},
		"configuration outside":  {"model_index.json", "outside/x", "model_index.json: cannot be read: it is a link to a place outside"},
		"tokenizer outside":      {"tokenizer/tokenizer.json", "outside/x", "tokenizer/tokenizer.json: cannot be read: it is a link"},
		"blobs of no cache":      {"vae_decoder/model.onnx", "blobs/x", "it is a link to a place outside"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := onDisk(t, besides())
			move(t, filepath.Join(dir, c.from), filepath.Join(dir, "..", c.to))
			_, err := model.OpenDir(dir)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestLinkedFolder opens a model through a link to its folder.
func TestLinkedFolder(t *testing.T) {
	dir, outside := onDisk(t, besides())
	move(t, dir, filepath.Join(outside, "far", "model"))
	if _, err := model.OpenDir(dir); err != nil {
		t.Error(err)
	}
}

// TestCache opens a snapshot in a cache of Hugging Face's tools, where every file is a link.
func TestCache(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "models--owner--name")
	snapshot := filepath.Join(cache, "snapshots", "0123456789abcdef")
	files := besides()
	if err := os.CopyFS(snapshot, files); err != nil {
		t.Fatal(err)
	}
	for name := range files {
		move(t, filepath.Join(snapshot, name), filepath.Join(cache, "blobs", strings.ReplaceAll(name, "/", "-")))
	}
	if _, err := model.OpenDir(snapshot); err != nil {
		t.Error(err)
	}
	move(t, filepath.Join(cache, "blobs", "unet-model.onnx"), filepath.Join(cache, "refs", "x"))
	if _, err := model.OpenDir(snapshot); err == nil {
		t.Error("a link to beside the blobs is followed")
	}
}

// TestDeadLink finds links that lead nowhere, as copying a snapshot of a cache without its blobs leaves them.
func TestDeadLink(t *testing.T) {
	for _, name := range []string{"model_index.json", "unet/model.onnx", "unet/model.onnx_data"} {
		dir, outside := onDisk(t, besides())
		move(t, filepath.Join(dir, name), filepath.Join(outside, "x"))
		if err := os.Remove(filepath.Join(outside, "x")); err != nil {
			t.Fatal(err)
		}
		if _, err := model.OpenDir(dir); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "it is a link that leads nowhere; copy the whole folder with cp -rL") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoFile finds what stands where a file should, and might never end.
func TestNoFile(t *testing.T) {
	for _, name := range []string{"model_index.json", "unet/model.onnx", "unet/model.onnx_data", "tokenizer/tokenizer.json"} {
		m := besides()
		m[name] = &fstest.MapFile{Mode: os.ModeNamedPipe}
		if _, err := model.Open(m, "m", "/models/m"); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "no ordinary file") {
			t.Errorf("%s as a pipe: %v", name, err)
		}
	}
}

// TestWeightsInPart finds weights of which some are missing, as copying leaves them that was interrupted.
func TestWeightsInPart(t *testing.T) {
	m := besides()
	s := signature(values(sample, timestep, hidden), values(outSample))
	s.External, s.Reach = []string{"model.onnx_data"}, map[string]int64{"model.onnx_data": 1000}
	m["unet/model.onnx"] = onnx(s)
	dir, _ := onDisk(t, m)
	if _, err := model.OpenDir(dir); err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(dir, "unet", "model.onnx_data")
	for content, want := range map[string]string{
		strings.Repeat("w", 999): "it is cut short, 999 bytes of 1000; copy it again",
		"":                       "it is cut short, 0 bytes of 1000; copy it again",
		"version https://git-lfs.github.com/spec/v1\noid sha256:00": "it is a pointer of Git LFS, not the file itself; fetch that with git lfs pull",
	} {
		if err := os.WriteFile(weights, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := model.OpenDir(dir); err == nil || !strings.Contains(err.Error(), "unet/model.onnx_data: cannot be used, though unet/model.onnx keeps weights in it: "+want) {
			t.Errorf("with %d bytes: %v", len(content), err)
		}
	}
}

func TestWeights(t *testing.T) {
	dir, _ := onDisk(t, besides())
	f, err := model.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var want []model.Weight
	var sum int64
	for _, component := range []string{model.TextEncoder, model.UNet, model.VAEDecoder, model.VAEEncoder} {
		info, err := os.Stat(filepath.Join(dir, component, "model.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		w := model.Weight{Component: component, Bytes: info.Size()}
		if component == model.UNet {
			w.Bytes += 1000
		}
		want, sum = append(want, w), sum+w.Bytes
	}
	if got := f.Weights(); !slices.Equal(got, want) || f.Weight() != sum {
		t.Errorf("weights %v in all %d, want %v in all %d", got, f.Weight(), want, sum)
	}
}
