package inference

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/easelbot/easel/inference/graph"
	"github.com/easelbot/easel/inference/graph/graphtest"
)

// networks holds what PyTorch computes, by name of graph and output.
func networks(t *testing.T) map[string][]float32 {
	t.Helper()
	b, err := os.ReadFile("testdata/networks.json")
	if err != nil {
		t.Fatal(err)
	}
	var n map[string][]float32
	if err := json.Unmarshal(b, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// near fails the test where numbers differ by more than most, relative to the larger ones.
func near(t *testing.T, what string, got, want []float32, most float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		d := math.Abs(float64(got[i] - want[i]))
		if !(d <= most*max(1, math.Abs(float64(want[i])))) {
			t.Errorf("%s: number %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// tolerance is what a graph may differ from PyTorch by: little, but for float16.
func tolerance(v graph.Value) float64 {
	if v.Type == graph.Float16 {
		return 5e-3
	}
	return 1e-5
}

// sample is the picture that make_networks.py takes.
func sample() []float32 {
	x := make([]float32, 3*4*2*2)
	for i := range x {
		x[i] = -1 + 2*float32(i)/float32(len(x)-1)
	}
	return x
}

// TestPerRow runs three rows at three steps in one call of graphs exported for one step.
func TestPerRow(t *testing.T) {
	want := networks(t)
	for _, name := range []string{"rows-14", "rows-int64", "rows-half", "rows-one", "rows-dynamo"} {
		t.Run(name, func(t *testing.T) {
			s := open(t, name, Options{PerRow: "timestep"})
			if in := s.Inputs(); len(in) != 2 || !in[1].Fits([]int64{3}) {
				t.Fatalf("inputs %v", in)
			}
			y := make([]float32, 48)
			in := map[string]Tensor{"sample": Float32(sample(), 3, 4, 2, 2), "timestep": Float32([]float32{999, 500, 1}, 3)}
			if err := s.Run(t.Context(), in, map[string]Tensor{"out_sample": Float32(y, 3, 4, 2, 2)}); err != nil {
				t.Fatal(err)
			}
			near(t, name, y, want[name], tolerance(s.Outputs()[0]))
		})
	}
}

// TestSkips compares earlier layers of text encoders that were exported without them.
func TestSkips(t *testing.T) {
	want := networks(t)
	for _, name := range []string{"clip-14", "clip-states", "clip-dynamo"} {
		t.Run(name, func(t *testing.T) {
			s := open(t, name, Options{Skips: true, Outputs: []string{"last_hidden_state"}})
			if got := names(s.Outputs()); got != "last_hidden_state, skip.1, skip.2" {
				t.Fatalf("outputs %s", got)
			}
			in := map[string]Tensor{"input_ids": Int64([]int64{10, 3, 4, 11, 11, 10, 7, 2, 5, 11}, 2, 5)}
			out := map[string]Tensor{}
			for _, v := range s.Outputs() {
				out[v.Name] = Float32(make([]float32, 2*5*8), 2, 5, 8)
			}
			if err := s.Run(t.Context(), in, out); err != nil {
				t.Fatal(err)
			}
			for _, k := range []string{"skip.1", "skip.2"} {
				near(t, k, out[k].F32, want[name+" "+k], tolerance(s.Outputs()[0]))
			}
		})
	}
}

// TestSomeOutputs fetches one output of several.
func TestSomeOutputs(t *testing.T) {
	s := open(t, "types", Options{})
	all := typesOut()
	out := map[string]Tensor{"half_out": all["half_out"], "ids_out": all["ids_out"]}
	for range 2 {
		if err := s.Run(t.Context(), typesIn(), out); err != nil {
			t.Fatal(err)
		}
	}
	if got := out["half_out"].F32[0]; got != 2 {
		t.Errorf("half_out is %v, want 2", got)
	}
	if got := out["ids_out"].I64[0]; got != 98812 {
		t.Errorf("ids_out is %d, want 98812", got)
	}
	maps.DeleteFunc(out, func(name string, _ Tensor) bool { return name == "half_out" })
	out["z"] = all["wide_out"]
	if err := s.Run(t.Context(), typesIn(), out); err == nil || !strings.Contains(err.Error(), `there is no output "z"`) {
		t.Errorf("error %v", err)
	}
}

// TestEditedBytes edits a graph that is no file, and leaves the caller's bytes alone.
func TestEditedBytes(t *testing.T) {
	ready(t)
	b, err := os.ReadFile("testdata/rows-half.onnx")
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(b)
	s, err := Open(Graph{Name: "rows", Bytes: b}, Options{Device: CPU, PerRow: "timestep"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if in, _ := s.signature.Input("timestep"); !in.Fits([]int64{7}) {
		t.Errorf("timestep is %v", in)
	}
	if !slices.Equal(b, before) {
		t.Error("the caller's bytes were changed")
	}
}

// TestEditedBeside edits a graph whose weights lie in a file beside it, in a folder that then
// has nothing more in it; also where both are links, as in Hugging Face's cache.
func TestEditedBeside(t *testing.T) {
	ready(t)
	for name, path := range map[string]string{"files": beside(t), "links": linked(t)} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(Graph{Name: "beside", Path: path}, Options{Device: CPU, PerRow: "timestep"})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			in := map[string]Tensor{"sample": Float32(make([]float32, 32), 2, 16), "timestep": Float32([]float32{2, 3}, 2)}
			in["sample"].F32[5], in["sample"].F32[21] = 1, 1
			y := make([]float32, 32)
			if err := s.Run(t.Context(), in, map[string]Tensor{"y": Float32(y, 2, 16)}); err != nil {
				t.Fatal(err)
			}
			if y[5] != 5 || y[21] != 6 {
				t.Errorf("got %v", y)
			}
			if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 2 {
				t.Errorf("the folder has %v, %v", left, err)
			}
		})
	}
}

// beside writes y = sample*w + timestep, with the weights of beside.onnx.
func beside(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	weights, err := os.ReadFile("testdata/beside.weights")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "model.onnx")
	for name, b := range map[string][]byte{path: stepped(), filepath.Join(dir, "beside.weights"): weights} {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// linked puts links in a folder to the files, which have other names elsewhere.
func linked(t *testing.T) string {
	t.Helper()
	from, to := filepath.Dir(beside(t)), t.TempDir()
	for name, blob := range map[string]string{"model.onnx": "0a1b", "beside.weights": "2c3d"} {
		if err := os.Rename(filepath.Join(from, name), filepath.Join(from, blob)); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(from, blob), filepath.Join(to, name)); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(to, "model.onnx")
}

func stepped() []byte {
	entry := func(key, value string) []byte {
		return graphtest.Message(graphtest.Message(nil, 1, []byte(key)), 2, []byte(value))
	}
	w := graphtest.Varint(graphtest.Varint(graphtest.Varint(nil, 1, 16), 1, 16), 2, 1)
	w = graphtest.Message(graphtest.Message(w, 8, []byte("w")), 13, entry("location", "beside.weights"))
	w = graphtest.Varint(w, 14, 1)
	return graphtest.Add(graphtest.Model(graph.Signature{
		Inputs: []graph.Value{
			{Name: "sample", Type: graph.Float32, Shape: []int64{-1, 16}},
			{Name: "timestep", Type: graph.Float32, Shape: []int64{}},
		},
		Outputs: []graph.Value{{Name: "y", Type: graph.Float32, Shape: []int64{-1, 16}}},
	}), slices.Concat(
		graphtest.Node("Shape", "sizes", "sample"), graphtest.Node("Gather", "count", "sizes", "zero"),
		graphtest.Node("Unsqueeze", "one", "timestep", "zero"), graphtest.Node("Expand", "t", "one", "count"),
		graphtest.Node("Unsqueeze", "column", "t", "axis"), graphtest.Node("MatMul", "z", "sample", "w"),
		graphtest.Node("Add", "y", "z", "column"),
		graphtest.Message(nil, 5, w), graphtest.List("zero", 0), graphtest.List("axis", 1),
	))
}
