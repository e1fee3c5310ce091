package rank

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// copied returns a copy of one of testdata's folders, to break.
func copied(tb testing.TB, name string) string {
	tb.Helper()
	dir := tb.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func write(tb testing.TB, dir, name, text string) {
	tb.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	load(t)
	const picture = "preprocessor_config.json"
	for name, c := range map[string]struct {
		folder, file, text, want string // without text the file is removed
	}{
		"no network":          {"joint", "model.onnx", "", "neither model.onnx"},
		"half a pair":         {"pair", "onnx/vision_model.onnx", "", "neither model.onnx"},
		"no graph":            {"joint", "model.onnx", "no graph", "model.onnx"},
		"no preparation":      {"joint", picture, "", picture},
		"no JSON":             {"joint", picture, "{", picture},
		"another filter":      {"joint", picture, `{"resample": 5}`, "resample is 5"},
		"never resized":       {"joint", picture, `{"do_resize": false}`, "do_resize"},
		"never cropped":       {"joint", picture, `{"do_center_crop": false}`, "nothing is cropped"},
		"cropped too far":     {"joint", picture, `{"size": 20, "crop_size": 32}`, "crop_size"},
		"no size":             {"joint", picture, `{"size": -1, "crop_size": -1}`, "crop_size"},
		"giant":               {"joint", picture, `{"size": 100000, "crop_size": 100000}`, "at most 2048"},
		"a size of text":      {"joint", picture, `{"size": "large"}`, picture},
		"two means":           {"joint", picture, `{"size": 32, "crop_size": 32, "image_mean": [1, 2], "image_std": [1, 1, 1]}`, "three numbers"},
		"divided by 0":        {"joint", picture, `{"size": 32, "crop_size": 32, "image_mean": [1, 2, 3], "image_std": [1, 0, 1]}`, "not 0"},
		"other pixels":        {"joint", picture, `{}`, "model.onnx"},
		"no words":            {"joint", "vocab.json", "", "vocab.json"},
		"no merges":           {"joint", "merges.txt", "", "merges.txt"},
		"too many tokens":     {"joint", "config.json", `{"text_config": {"max_position_embeddings": 1000000000}}`, "max_position_embeddings"},
		"more than there are": {"pair", "config.json", `{"text_config": {"max_position_embeddings": 20}}`, "text_model.onnx"},
		"a pad of another":    {"pair", "tokenizer_config.json", `{"pad_token": "[PAD]"}`, "[PAD]"},
		"a pad that is none":  {"pair", "tokenizer_config.json", `{"pad_token": 5}`, "tokenizer_config.json"},
	} {
		dir := copied(t, c.folder)
		if c.text == "" {
			if err := os.Remove(filepath.Join(dir, c.file)); err != nil {
				t.Fatal(err)
			}
		} else {
			write(t, dir, c.file, c.text)
		}
		r, err := Open(dir, onCPU)
		if err == nil {
			t.Errorf("%s: opened (%v)", name, r.Close())
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want word of %q", name, err, c.want)
		}
	}
}

// TestUnlike pairs the networks of two CLIPs.
func TestUnlike(t *testing.T) {
	load(t)
	dir := copied(t, "joint")
	if err := os.Rename(filepath.Join(dir, "model.onnx"), filepath.Join(dir, "vision_model.onnx")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/pair/onnx/text_model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "text_model.onnx", string(text))
	if _, err := Open(dir, onCPU); err == nil || !strings.Contains(err.Error(), "not of one CLIP") {
		t.Errorf("got %v, want word of two CLIPs", err)
	}
}

// TestShapes checks what the short side, and both sides, are brought to.
func TestShapes(t *testing.T) {
	short, exact := preparation{short: 30}, preparation{}
	exact.exact.X, exact.exact.Y = 24, 32
	for _, c := range []struct{ w, h, shortW, shortH int }{
		{30, 30, 30, 30}, {64, 48, 40, 30}, {48, 64, 30, 40}, {31, 77, 30, 74}, {200, 33, 181, 30}, {1, 9, 30, 270},
	} {
		m := paint(c.w, c.h, 0).Rect.Size()
		if got := short.resized(m); got.X != c.shortW || got.Y != c.shortH {
			t.Errorf("%v becomes %v, want %dx%d", m, got, c.shortW, c.shortH)
		}
		if got := exact.resized(m); got != exact.exact {
			t.Errorf("%v becomes %v, want %v", m, got, exact.exact)
		}
	}
}

// TestSquashed reads a preparation that neither crops nor normalises.
func TestSquashed(t *testing.T) {
	dir := copied(t, "joint")
	write(t, dir, "preprocessor_config.json", `{"size": {"height": 3, "width": 5}, "do_center_crop": false, "do_normalize": false, "resample": 0}`)
	c, err := readConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.preparation()
	if err != nil {
		t.Fatal(err)
	}
	m := paint(5, 3, 1)
	pixels, err := p.pixels(m)
	if err != nil {
		t.Fatal(err)
	}
	if s := pixels.Shape; len(s) != 4 || s[2] != 3 || s[3] != 5 {
		t.Fatalf("shape %v, want 1x3x3x5", s)
	}
	for i := range 15 {
		for c := range 3 {
			if got, want := pixels.F32[15*c+i]*255, float32(m.Pix[4*i+c]); got-want > 1e-3 || want-got > 1e-3 {
				t.Errorf("pixel %d, plane %d is %v, want %v", i, c, got, want)
			}
		}
	}
}

// FuzzPreparation checks that what is accepted can be used.
func FuzzPreparation(f *testing.F) {
	for _, dir := range []string{"joint", "pair"} {
		text, err := os.ReadFile(filepath.Join("testdata", dir, "preprocessor_config.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"size": {"height": 3, "width": 5}, "do_center_crop": false, "rescale_factor": 1e300}`))
	m := paint(17, 9, 1)
	f.Fuzz(func(t *testing.T, text []byte) {
		var c config
		if json.Unmarshal(text, &c.picture) != nil {
			return
		}
		c.complete()
		p, err := c.preparation()
		if err != nil || p.short+p.exact.X+p.exact.Y > 500 {
			return
		}
		pixels, err := p.pixels(m)
		if err != nil {
			t.Fatal(err)
		}
		if n := 3 * p.crop.X * p.crop.Y; len(pixels.F32) != n {
			t.Errorf("%d numbers, want %d", len(pixels.F32), n)
		}
	})
}
