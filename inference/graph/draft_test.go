package graph_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/easelbot/easel/inference/graph"
	"github.com/easelbot/easel/inference/graph/graphtest"
)

// steps is a graph that repeats a timestep of a shape for the rows of sample, and goes on.
func steps(shape []int64, fields ...[]byte) []byte {
	return graphtest.Add(graphtest.Model(graph.Signature{
		Inputs: []graph.Value{
			{Name: "sample", Type: graph.Float32, Shape: []int64{-1, 4}},
			{Name: "timestep", Type: graph.Float32, Shape: shape},
		},
		Outputs: []graph.Value{{Name: "y", Type: graph.Float32, Shape: []int64{-1}}},
	}), slices.Concat(fields...))
}

var (
	scalar, one, many = []int64{}, []int64{1}, []int64{-1}

	sizes  = graphtest.Node("Shape", "sizes", "sample")
	count  = graphtest.Node("Gather", "count", "sizes", "zero")
	lift   = graphtest.Node("Unsqueeze", "list", "timestep", "zero")
	repeat = graphtest.Node("Expand", "y", "list", "count")
	zero   = graphtest.List("zero", 0)
	first  = graphtest.List("first", 1)
)

func TestPerRow(t *testing.T) {
	info := graphtest.Message(nil, 13, graphtest.Message(nil, 1, []byte("list")))
	known := slices.Concat(sizes, count, zero, first)
	for name, c := range map[string]struct {
		file         []byte
		want, edited bool
	}{
		"free":            {steps(many, known), true, false},
		"lifted":          {steps(scalar, known, lift, repeat, info), true, true},
		"reshaped":        {steps(scalar, known, graphtest.Node("Reshape", "list", "timestep", "first"), repeat), true, true},
		"cast":            {steps(scalar, known, graphtest.Node("Cast", "c", "timestep"), graphtest.Node("Unsqueeze", "list", "c", "zero"), repeat), true, true},
		"alone":           {steps(scalar, known, graphtest.Node("Expand", "y", "timestep", "count")), true, true},
		"of one":          {steps(one, known, graphtest.Node("Expand", "y", "timestep", "count")), true, true},
		"taken out":       {steps(one, known, graphtest.Node("Gather", "list", "timestep", "zero"), repeat), true, true},
		"squeezed":        {steps(one, known, graphtest.Node("Squeeze", "s", "timestep"), graphtest.Node("Unsqueeze", "list", "s", "zero"), repeat), true, true},
		"times ones":      {steps(scalar, known, graphtest.Node("ConstantOfShape", "ones", "count"), lift, graphtest.Node("Mul", "y", "list", "ones")), true, true},
		"no shape known":  {steps(nil, known, lift, repeat), false, false},
		"two":             {steps([]int64{2}, known, graphtest.Node("Expand", "y", "timestep", "count")), false, false},
		"repeated widely": {steps(scalar, known, lift, graphtest.Node("Expand", "y", "list", "sizes")), false, false},
		"repeated twice":  {steps(scalar, known, lift, graphtest.List("two", 2), graphtest.Node("Expand", "y", "list", "two")), false, false},
		"never repeated":  {steps(scalar, known, lift, graphtest.Node("Mul", "y", "list", "sample")), false, false},
		"another axis":    {steps(scalar, known, graphtest.Node("Unsqueeze", "list", "timestep", "first"), repeat), false, false},
		"two ways":        {steps(scalar, known, lift, repeat, graphtest.Node("Sin", "z", "timestep")), false, false},
		"a circle":        {steps(scalar, known, graphtest.Node("Concat", "count2", "count2", "count2"), lift, graphtest.Node("Expand", "y", "list", "count2")), false, false},
		"also a weight":   {steps(scalar, known, lift, repeat, graphtest.List("timestep", 1)), false, false},
		"given out":       {steps(scalar, known, graphtest.Node("Cast", "y", "timestep"), graphtest.Node("Unsqueeze", "list", "y", "zero"), graphtest.Node("Expand", "z", "list", "count")), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := graph.Parse(bytes.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if got := d.PerRow("timestep"); got != c.want || d.Edited() != c.edited {
				t.Errorf("a number a row: %v, edited: %v; want %v, %v", got, d.Edited(), c.want, c.edited)
			}
			b, err := d.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if !c.edited {
				if !bytes.Equal(b, c.file) {
					t.Error("the file differs")
				}
				return
			}
			sig, err := graph.Read(bytes.NewReader(b))
			if in, _ := sig.Input("timestep"); err != nil || in.String() != "timestep float32 [?]" {
				t.Errorf("read again: %v, %v", in, err)
			}
			if bytes.Contains(b, info) {
				t.Error("what was inferred of the list is left")
			}
		})
	}
	d, err := graph.Parse(bytes.NewReader(steps(scalar, known, lift, repeat)))
	if err != nil || d.PerRow("time") || d.Edited() {
		t.Errorf("an input that there is not: %v", err)
	}
}

// encoder is a text encoder of two layers, as far as Skips looks at it.
func encoder(fields ...[]byte) []byte {
	return graphtest.Add(graphtest.Model(graph.Signature{
		Inputs:  []graph.Value{{Name: "x0", Type: graph.Float32, Shape: []int64{-1, 4}}},
		Outputs: []graph.Value{{Name: "last_hidden_state", Type: graph.Float32, Shape: []int64{-1, 4}}},
	}), slices.Concat(fields...))
}

// layers returns n sums, each of one value, x0 and so on, and something made of its norm.
func layers(n int) []byte {
	var b []byte
	for i := range n {
		x, y, z := name("x", i), name("y", i), name("x", i+1)
		b = slices.Concat(b, graphtest.Node("LayerNormalization", y, x, "w"), graphtest.Node("Add", z, x, y))
	}
	return b
}

func name(s string, i int) string { return s + string(rune('0'+i)) }

func TestSkips(t *testing.T) {
	last := graphtest.Node("LayerNormalization", "last_hidden_state", "x4", "w")
	cast := slices.Concat(graphtest.Node("LayerNormalization", "n", "x4", "w"), graphtest.Node("Cast", "last_hidden_state", "n"))
	w := graphtest.List("w", 1)
	for name, c := range map[string]struct {
		file []byte
		want int
	}{
		"two layers":      {encoder(layers(4), last, w), 2},
		"cast at the end": {encoder(layers(4), cast, w), 2},
		"half a layer":    {encoder(layers(3), graphtest.Node("LayerNormalization", "last_hidden_state", "x3", "w"), w), 0},
		"no layer":        {encoder(graphtest.Node("LayerNormalization", "last_hidden_state", "x0", "w"), w), 0},
		"no last norm":    {encoder(layers(5), graphtest.Node("Relu", "last_hidden_state", "x5"), w), 0},
		"a missing sum":   {encoder(layers(2), graphtest.Node("LayerNormalization", "y2", "q", "w"), graphtest.Node("LayerNormalization", "y3", "x2", "w"), last, w), 0},
		"no such weight":  {encoder(layers(4), last), 0},
		"names in use":    {encoder(layers(4), last, w, graphtest.Node("Relu", "skip.1", "x0")), 0},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := graph.Parse(bytes.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Skips(); got != c.want {
				t.Errorf("%d layers can be skipped, want %d", got, c.want)
			}
			b, err := d.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			sig, err := graph.Read(bytes.NewReader(b))
			if err != nil || len(sig.Outputs) != 1+c.want {
				t.Errorf("read again: %v, %v", sig.Outputs, err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	file := steps(scalar, sizes, count, zero, lift, repeat)
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":    {nil, "no graph"},
		"text":       {[]byte("<!DOCTYPE html><html>"), "not a readable ONNX model"},
		"cut short":  {file[:len(file)-1], "not a readable ONNX model"},
		"two graphs": {slices.Concat(file, file), "more than one graph"},
		"many nodes": {graphtest.Message(nil, 7, bytes.Repeat(graphtest.Message(nil, 1, nil), 300_000)), "more than 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := graph.Parse(bytes.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// seeds adds the graphs of the package inference, and hand-made ones.
func seeds(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob("../testdata/" + pattern)
	if err != nil || len(files) == 0 {
		f.Fatalf("no %s: %v", pattern, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// edited parses and edits a file, checks that the result can be read, and that what was not
// edited is the same.
func edited(t *testing.T, file []byte, edit func(*graph.Draft)) (before, after graph.Signature, ok bool) {
	t.Helper()
	d, err := graph.Parse(bytes.NewReader(file))
	if err != nil {
		return before, after, false
	}
	if before, err = graph.Read(bytes.NewReader(file)); err != nil {
		return before, after, false
	}
	edit(d)
	b, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if after, err = graph.Read(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	if len(b) > len(file)+64<<20 {
		t.Fatalf("%d bytes have become %d", len(file), len(b))
	}
	if !d.Edited() && !reflect.DeepEqual(before, after) {
		t.Fatalf("not edited, and yet %v has become %v", before, after)
	}
	return before, after, true
}

// FuzzPerRow checks that of any file only the one input changes.
func FuzzPerRow(f *testing.F) {
	seeds(f, "rows-*.onnx")
	f.Add(steps(scalar, sizes, count, zero, lift, repeat))
	f.Fuzz(func(t *testing.T, file []byte) {
		rows := false
		before, after, ok := edited(t, file, func(d *graph.Draft) { rows = d.PerRow("timestep") })
		if !ok || !rows {
			return
		}
		in, _ := after.Input("timestep")
		if len(in.Shape) != 1 || in.Shape[0] >= 0 {
			t.Fatalf("a number a row, and yet %v", in)
		}
		if len(before.Inputs) != len(after.Inputs) || !reflect.DeepEqual(before.Outputs, after.Outputs) {
			t.Fatalf("%v has become %v", before, after)
		}
	})
}

// FuzzSkips checks that any file gains outputs and nothing else.
func FuzzSkips(f *testing.F) {
	seeds(f, "clip-*.onnx")
	f.Add(encoder(layers(4), graphtest.Node("LayerNormalization", "last_hidden_state", "x4", "w"), graphtest.List("w", 1)))
	f.Fuzz(func(t *testing.T, file []byte) {
		n := 0
		before, after, ok := edited(t, file, func(d *graph.Draft) {
			n = d.Skips()
			_ = d.Relocate(func(file string) (string, error) { return "to/" + file, nil }) // what cannot be read stays
		})
		if !ok {
			return
		}
		if len(after.Outputs) != len(before.Outputs)+n || !reflect.DeepEqual(before.Inputs, after.Inputs) {
			t.Fatalf("%d skips: %v has become %v", n, before, after)
		}
	})
}
