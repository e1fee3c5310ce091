package pull

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const (
	oid = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
	sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func TestListing(t *testing.T) {
	page := `[{"type":"directory","path":"unet","oid":"` + oid + `","size":0},
		{"type":"file","path":"unet/model.onnx","oid":"` + oid + `","size":7,"lfs":{"oid":"` + sum + `","size":7,"pointerSize":134},"xetHash":"x"},
		{"type":"file","path":"model_index.json","oid":"` + oid + `","size":5}]`
	l := listing{files: map[string]File{}}
	if err := l.add(strings.NewReader(page)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []File{{Path: "unet/model.onnx", Size: 7, SHA256: sum}, {Path: "model_index.json", Size: 5, Blob: oid}} {
		if got := l.files[want.Path]; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if len(l.files) != 2 {
		t.Errorf("%d files, want 2: %v", len(l.files), l.files)
	}
}

func TestListingRefuses(t *testing.T) {
	file := func(path string, size int64) string {
		b, err := json.Marshal(map[string]any{"type": "file", "path": path, "size": size, "oid": oid})
		if err != nil {
			t.Fatal(err)
		}
		return "[" + string(b) + "]"
	}
	tests := []struct{ name, page, want string }{
		{"traversal", file("../model.onnx", 1), `the path "../model.onnx", which leads elsewhere`},
		{"traversal within", file("unet/../../x", 1), "leads elsewhere"},
		{"absolute", file("/etc/passwd", 1), "leads elsewhere"},
		{"empty part", file("unet//model.onnx", 1), "leads elsewhere"},
		{"dot", file("./model.onnx", 1), "leads elsewhere"},
		{"no path", file("", 1), "empty or too long"},
		{"long path", file(strings.Repeat("a/", 600)+"a", 1), "empty or too long"},
		{"control characters", file("unet/\x1b[2J", 1), "control characters"},
		{"negative size", file("a", -1), `"a" of -1 bytes`},
		{"a large file that is not in LFS", file("a", maxBlob+1), "bytes"},
		{"too large a file", `[{"type":"file","path":"a","size":999999999999999,"lfs":{"oid":"` + sum + `","size":999999999999999}}]`, "bytes"},
		{"two sizes", `[{"type":"file","path":"a","size":1,"lfs":{"oid":"` + sum + `","size":2}}]`, "bytes"},
		{"size beyond numbers", `[{"type":"file","path":"a","size":1e400}]`, "not in the form"},
		{"no hash", `[{"type":"file","path":"a","size":1}]`, "without a hash"},
		{"no hash in LFS", `[{"type":"file","path":"a","size":1,"oid":"` + oid + `","lfs":{"size":1,"oid":"../x"}}]`, "without a hash"},
		{"twice", `[{"type":"file","path":"a","size":1,"oid":"` + oid + `"},{"type":"file","path":"a","size":1,"oid":"` + oid + `"}]`, `"a" twice`},
		{"no list", `{"error":"no"}`, "not in the form"},
		{"no JSON", "<html>", "not in the form"},
		{"cut short", `[{"type":"file",`, "cut short"},
		{"not closed", `[{"type":"directory","path":"a"}`, "cut short"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := listing{files: map[string]File{}}
			if err := l.add(strings.NewReader(tt.page)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestListingEnds(t *testing.T) {
	tests := map[string]struct{ page, want string }{
		"entries for ever": {"[{}" + strings.Repeat(",{}", 6<<20), "does not end after 16 MiB"},
		"entries":          {"[{}" + strings.Repeat(",{}", maxEntries) + "]", "does not end after 20000 of them"},
		"a name":           {`[{"path":"` + strings.Repeat("a", 17<<20), "does not end after 16 MiB"},
		"depth":            {`[{"x":` + strings.Repeat("[", 1<<20), "not in the form"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := listing{files: map[string]File{}}
			if err := l.add(strings.NewReader(tt.page)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	all := map[string]File{}
	for i, name := range []string{
		"model_index.json", "unet/model.onnx", "unet/model.onnx_data", "unet/config.json", "vae/config.json", "tokenizer_2/merges.txt", "vae_decoder/weights.pb", "README.md",
		"unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.bin", "unet/flax_model.msgpack", "unet/RyzenAI/model.onnx", "vae/model.onnx",
		"controlnet/model.onnx", "safety_checker/model.onnx", "unet/openvino_model.xml", "sd_xl_turbo_1.0.safetensors", "picture.png", "tokenizer/model.onnx", "AUX", `unet\model.onnx`,
	} {
		all[name] = File{Path: name, Size: int64(100 - i)}
	}
	files, err := choose(all)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, f.Path)
	}
	want := "[README.md vae_decoder/weights.pb tokenizer_2/merges.txt vae/config.json unet/config.json unet/model.onnx_data unet/model.onnx model_index.json]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	delete(all, "unet/model.onnx")
	if _, err := choose(all); !errors.Is(err, errNoGraphs) {
		t.Errorf("without graphs: %v", err)
	}
	delete(all, "model_index.json")
	if _, err := choose(all); err == nil || !strings.Contains(err.Error(), "no model_index.json") {
		t.Errorf("without an index: %v", err)
	}
}

func TestBounded(t *testing.T) {
	tests := []struct {
		files []File
		want  string
	}{
		{[]File{{Path: "unet/a"}, {Path: "unet/A"}}, "in capitals and in small letters"},
		{[]File{{Path: "a", Size: maxFile}, {Path: "b", Size: maxFile}, {Path: "c", Size: 1}}, "larger than 128 GiB"},
		{[]File{{Path: `unet/C:\x`}}, "cannot be a file's everywhere"},
		{[]File{{Path: "unet/x:stream"}}, "cannot be a file's everywhere"},
		{[]File{{Path: "unet/nul.onnx"}}, "cannot be a file's everywhere"},
		{[]File{{Path: "COM1/model.onnx"}}, "cannot be a file's everywhere"},
		{[]File{{Path: "unet/dot."}}, "cannot be a file's everywhere"},
		{[]File{{Path: "unet/x.part"}}, "easel keeps for itself"},
		{[]File{{Path: "pulled.json"}}, "easel keeps for itself"},
	}
	for _, tt := range tests {
		if err := bounded(tt.files); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: error %v, want one with %q", tt.files, err, tt.want)
		}
	}
}

// FuzzListing: whatever a hub says, what is chosen lies within the folder, once, with a hash and a size that can be.
func FuzzListing(f *testing.F) {
	f.Add(`[{"type":"file","path":"unet/model.onnx","size":7,"lfs":{"oid":"` + sum + `","size":7}},{"type":"file","path":"model_index.json","size":5,"oid":"` + oid + `"}]`)
	f.Add(`[{"type":"file","path":"../model.onnx","size":-7}]`)
	f.Add(`[[[`)
	f.Fuzz(func(t *testing.T, page string) {
		l := listing{files: map[string]File{}}
		if l.add(strings.NewReader(page)) != nil {
			return
		}
		files, err := choose(l.files)
		if err != nil {
			return
		}
		met := map[string]bool{}
		for _, file := range files {
			if plain(file.Path) != nil || portable(file.Path) != nil || met[file.Path] || !needed(file.Path) {
				t.Errorf("%q was chosen", file.Path)
			}
			if file.Size < 0 || file.Size > maxFile || len(file.SHA256)+len(file.Blob) < 40 {
				t.Errorf("%+v was chosen", file)
			}
			met[file.Path] = true
		}
	})
}
