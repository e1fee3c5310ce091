package inference

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/easelbot/easel/inference/graph"
	"github.com/easelbot/easel/inference/graph/graphtest"
)

// scaled is a graph y = x*w whose weight has a shape, numbers, and perhaps a file.
func scaled(size uint64, file string, numbers ...float32) []byte {
	w := graphtest.Varint(graphtest.Varint(nil, 1, size), 2, uint64(graph.Float32))
	w = graphtest.Message(w, 8, []byte("w"))
	if file != "" {
		entry := graphtest.Message(graphtest.Message(nil, 1, []byte("location")), 2, []byte(file))
		w = graphtest.Varint(graphtest.Message(w, 13, entry), 14, 1)
	} else {
		var raw []byte
		for _, x := range numbers {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		w = graphtest.Message(w, 9, raw)
	}
	v := func(name string) []graph.Value {
		return []graph.Value{{Name: name, Type: graph.Float32, Shape: []int64{-1, 2}}}
	}
	return graphtest.Add(graphtest.Model(graph.Signature{Inputs: v("x"), Outputs: v("y")}),
		slices.Concat(graphtest.Node("Mul", "y", "x", "w"), graphtest.Message(nil, 5, w)))
}

// TestOpenHostile opens graphs that lie about their weights, as they are and to be edited.
func TestOpenHostile(t *testing.T) {
	ready(t)
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, make([]byte, 8), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"a folder up":     {scaled(2, "../secret"), `it wants weights from "../secret", outside its own folder`},
		"an absolute":     {scaled(2, secret), "outside its own folder"},
		"a link out":      {scaled(2, "link"), "graph bad on cpu: "},
		"no such weights": {scaled(2, "none"), "graph bad on cpu: "},
		"too few numbers": {scaled(3, "", 1, 2), "graph bad on cpu: "},
		"too many":        {scaled(1<<40, "", 1, 2), "graph bad on cpu: "},
		"negative":        {scaled(math.MaxUint64, "", 1, 2), "graph bad on cpu: "},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "model.onnx")
			if err := os.WriteFile(path, c.file, 0o644); err != nil {
				t.Fatal(err)
			}
			for _, o := range []Options{{Device: CPU}, {Device: CPU, PerRow: "x", Skips: true}} {
				s, err := Open(Graph{Name: "bad", Path: path}, o)
				if err == nil {
					_ = s.Close()
					t.Fatal("opened")
				}
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v\nwant one with %q", err, c.want)
				}
			}
		})
	}
}

// TestRunHostile runs graphs that load and cannot work: shapes that do not fit are an error,
// and what is not a number comes out as such, for the caller to see.
func TestRunHostile(t *testing.T) {
	ready(t)
	run := func(file []byte) ([]float32, error) {
		s, err := Open(Graph{Name: "bad", Bytes: file}, Options{Device: CPU})
		if err != nil {
			return nil, err
		}
		defer func() { _ = s.Close() }()
		y := make([]float32, 2)
		err = s.Run(t.Context(), map[string]Tensor{"x": Float32([]float32{1, 2}, 1, 2)}, map[string]Tensor{"y": Float32(y, 1, 2)})
		return y, err
	}
	if y, err := run(scaled(2, "", float32(math.NaN()), 3)); err != nil || y[0] == y[0] || y[1] != 6 {
		t.Errorf("a weight that is not a number: %v, %v", y, err)
	}
	if y, err := run(scaled(3, "", 1, 2, 3)); err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("three weights for two numbers: %v, %v", y, err)
	}
}
