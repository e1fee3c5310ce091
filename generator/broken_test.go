package generator

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/schedule"
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

// A sketch that cannot be decoded is none, and no reason to stop.
func TestBrokenSketch(t *testing.T) {
	e := engine(t, tiny, roomy())
	for _, value := range []float64{math.NaN(), 1e30} {
		r := rowsOf(t, e, fox())[0]
		wild := make([]float32, len(r.x))
		for i := range wild {
			wild[i] = float32(value)
		}
		if e.decodeOrFail(t.Context(), decode{row: r, latents: slices.Clone(wild)}); r.job.over() {
			t.Errorf("a sketch of %v ends the job: %v", value, r.job.err)
		}
		if e.decodeOrFail(t.Context(), decode{row: r, latents: slices.Clone(wild), place: &schedule.Row{}}); r.job.err == nil {
			t.Errorf("%v make a picture", value)
		}
	}
}

// That the text encoder's file is gone is not the fault of who asks for fewer layers.
func TestWhyLayersCannotBeSkipped(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(families, "sdxl"))); err != nil {
		t.Fatal(err)
	}
	e := engine(t, dir, roomy())
	skipping := func(n int) error {
		_, err := e.Paint(t.Context(), with(fox(), func(r *imagine.Request) { r.Width, r.Height, r.ClipSkip = 48, 48, n }), imagine.Watcher{})
		return err
	}
	var invalid *imagine.InvalidError
	if err := skipping(50); !errors.As(err, &invalid) {
		t.Errorf("more layers than there are: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "text_encoder")); err != nil {
		t.Fatal(err)
	}
	if err := skipping(1); err == nil || errors.As(err, &invalid) || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("without the file: %v", err)
	}
}
