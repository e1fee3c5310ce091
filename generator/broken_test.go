package generator

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
)

// A wound is a place among a network's weights that is made not a number.
type wound struct {
	component, weight string // half-precision, stored in the graph's file
	from, count       int    // its elements
}

// wounded returns a copy of the tiny model with one wound.
func wounded(t *testing.T, w wound) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(tiny)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, w.component, "model.onnx")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const rawData = 9<<3 | 2 // the field of a TensorProto that follows its name
	_, data, ok := bytes.Cut(file, append([]byte(w.weight), rawData))
	if !ok {
		t.Fatalf("%s has no weight %s", w.component, w.weight)
	}
	size, n := binary.Uvarint(data)
	if 2*uint64(w.from+w.count) > size {
		t.Fatalf("%s has %d bytes", w.weight, size)
	}
	for i := range w.count {
		binary.LittleEndian.PutUint16(data[n+2*(w.from+i):], 0x7e00)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestNotANumberIsAnErrorAndNoPicture(t *testing.T) {
	tests := []struct {
		name  string
		wound wound
		want  string
	}{
		{"denoiser", wound{model.UNet, "unet.conv_out.bias.f16", 0, 16}, "(call 1 of ddim)"},
		{"one channel of the denoiser", wound{model.UNet, "unet.conv_out.bias.f16", 15, 1}, "(call 1 of ddim)"},
		{"decoder", wound{model.VAEDecoder, "vae.decoder.conv_out.bias.f16", 2, 1}, "decoder gave values that are not numbers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, wounded(t, tt.wound), roomy())
			many := with(fox(), func(r *imagine.Request) { r.Count = 3 })
			pictures, err := e.Paint(t.Context(), many, imagine.Watcher{PreviewEvery: 1})
			if pictures != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %d pictures and %v, want none and an error that says %q", len(pictures), err, tt.want)
			}
		})
	}
}

// One word's embedding is broken: who uses it gets an error, and who shares the call a picture.
func TestNotANumberStaysWithItsRow(t *testing.T) {
	const fox85, width = 85, 16 // the number of "fox" in the vocabulary, and the embedding's
	e := engine(t, wounded(t, wound{model.TextEncoder, "bert.embeddings.word_embeddings.weight.f16", fox85 * width, width}), roomy())
	cat := with(fox(), func(r *imagine.Request) { r.Prompt = "a red cat" })
	want := paint(t, e, cat)
	release := hold(t, e)
	bad, good := queue(t, e, fox(), imagine.Watcher{}), queue(t, e, cat, imagine.Watcher{})
	release()
	if <-bad.done; bad.err == nil || !strings.Contains(bad.err.Error(), "not numbers") {
		t.Errorf("the broken word gives %v, want an error of values that are not numbers", bad.err)
	}
	if !same(good.wait(t), want) {
		t.Error("its neighbour's picture differs from the one painted alone")
	}
}
