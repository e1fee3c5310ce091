package inference

import (
	"context"
	"errors"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelbot/easel/inference/graph"
	"github.com/easelbot/easel/inference/graph/graphtest"
)

// open opens one of testdata's graphs on the CPU.
func open(t *testing.T, name string, o Options) *Session {
	t.Helper()
	ready(t)
	o.Device = CPU
	s, err := Open(Graph{Name: name, Path: "testdata/" + name + ".onnx"}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// typesIn are good inputs for types.onnx, for two rows.
func typesIn() map[string]Tensor {
	return map[string]Tensor{
		"full":   Float32([]float32{1, 2, 3, 4, 5, 6}, 2, 3),
		"factor": Float32([]float32{10}),
		"half":   Float32([]float32{1, 0.1, 2, -0.5, 40000, 3}, 2, 3),
		"ids":    Int64([]int64{49406, -7, 5, 0}, 2, 2),
		"steps":  Float32([]float32{999.75, -1.5}, 2),
		"wide":   Int64([]int64{1 << 40, -1}, 2),
	}
}

func typesOut() map[string]Tensor {
	return map[string]Tensor{
		"full_out":  Float32(make([]float32, 6), 2, 3),
		"half_out":  Float32(make([]float32, 6), 2, 3),
		"ids_out":   Int64(make([]int64, 4), 2, 2),
		"steps_out": Int64(make([]int64, 2), 2),
		"wide_out":  Int64(make([]int64, 2), 2),
	}
}

func TestRunConverts(t *testing.T) {
	s := open(t, "types", Options{Threads: 1})
	out := typesOut()
	if err := s.Run(t.Context(), typesIn(), out); err != nil {
		t.Fatal(err)
	}
	tenth := float(half(0.1))
	for name, want := range map[string][]float32{
		"full_out": {10, 20, 30, 40, 50, 60},
		"half_out": {2, 2 * tenth, 4, -1, float32(math.Inf(1)), 6},
	} {
		if got := out[name].F32; !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string][]int64{
		"ids_out":   {98812, -14, 10, 0},
		"steps_out": {1998, -2},
		"wide_out":  {-1 << 40, 1},
	} {
		if got := out[name].I64; !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestRunScalarConverts(t *testing.T) {
	s := open(t, "scalars", Options{})
	y := make([]float32, 3)
	in := map[string]Tensor{"x": Float32([]float32{1, 2, 3}, 3), "timestep": Float32([]float32{7.9})}
	if err := s.Run(t.Context(), in, map[string]Tensor{"y": Float32(y, 3)}); err != nil {
		t.Fatal(err)
	}
	if want := []float32{7, 14, 21}; !slices.Equal(y, want) {
		t.Errorf("got %v, want %v", y, want)
	}
}

func TestRunRefuses(t *testing.T) {
	s := open(t, "types", Options{})
	for name, c := range map[string]struct {
		change func(in, out map[string]Tensor)
		want   string
	}{
		"missing input":      {func(in, _ map[string]Tensor) { delete(in, "half") }, `graph types: input "half" is missing`},
		"no outputs":         {func(_, out map[string]Tensor) { clear(out) }, `graph types: output "full_out" is missing`},
		"unknown input":      {func(in, _ map[string]Tensor) { in["helf"] = in["half"] }, `there is no input "helf"; there is full, factor`},
		"unknown output":     {func(_, out map[string]Tensor) { out["x"] = out["half_out"] }, `there is no output "x"`},
		"rank":               {func(in, _ map[string]Tensor) { in["factor"] = Float32([]float32{1}, 1) }, "input factor float32 [] cannot be of shape [1]"},
		"size":               {func(in, _ map[string]Tensor) { in["full"] = Float32(make([]float32, 8), 2, 4) }, "input full float32 [?,3] cannot be of shape [2 4]"},
		"rows that differ":   {func(in, _ map[string]Tensor) { in["full"] = Float32(make([]float32, 9), 3, 3) }, "running types: "},
		"output's size":      {func(_, out map[string]Tensor) { out["half_out"] = Float32(make([]float32, 3), 1, 3) }, "running types: "},
		"count":              {func(in, _ map[string]Tensor) { in["full"] = Float32(make([]float32, 5), 2, 3) }, "shape [2 3] holds 6 numbers, not 5"},
		"more than there is": {func(in, _ map[string]Tensor) { in["full"] = Float32(make([]float32, 6), 1<<40, 1<<40) }, "does not hold 6 numbers"},
		"empty axis":         {func(in, _ map[string]Tensor) { in["full"] = Float32([]float32{}, 0, 3) }, "shape [0 3]"},
		"no numbers":         {func(in, _ map[string]Tensor) { in["full"] = Tensor{Shape: []int64{2, 3}} }, "exactly one of F32 and I64"},
		"both kinds":         {func(in, _ map[string]Tensor) { in["full"] = Tensor{[]int64{1}, []float32{1}, []int64{1}} }, "exactly one of F32 and I64"},
		"ids as pixels":      {func(in, _ map[string]Tensor) { in["full"] = Int64(make([]int64, 6), 2, 3) }, `input "full": the graph takes float32`},
		"pixels as ids":      {func(_, out map[string]Tensor) { out["ids_out"] = Float32(make([]float32, 4), 2, 2) }, `output "ids_out": the graph gives int32`},
	} {
		t.Run(name, func(t *testing.T) {
			in, out := typesIn(), typesOut()
			c.change(in, out)
			if err := s.Run(t.Context(), in, out); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if err := s.Run(t.Context(), typesIn(), typesOut()); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	ready(t)
	beside, err := os.ReadFile("testdata/beside.onnx")
	if err != nil {
		t.Fatal(err)
	}
	header := func(in graph.Value) []byte {
		return graphtest.Model(graph.Signature{
			Inputs: []graph.Value{in}, Outputs: []graph.Value{{Name: "y", Type: graph.Float32}},
		})
	}
	for name, c := range map[string]struct {
		graph   Graph
		options Options
		want    string
	}{
		"nothing":        {Graph{Name: "g"}, Options{}, "not a readable ONNX model"},
		"no file":        {Graph{Name: "g", Path: "testdata/none.onnx"}, Options{}, "no such file"},
		"garbage":        {Graph{Name: "g", Bytes: []byte("<html>")}, Options{}, "not a readable ONNX model"},
		"no operators":   {Graph{Name: "g", Bytes: header(graph.Value{Name: "x", Type: graph.Float32})}, Options{}, "graph g on cpu: "},
		"weights beside": {Graph{Name: "g", Bytes: beside}, Options{}, "its weights lie in another file (beside.weights)"},
		"half a scalar":  {Graph{Name: "g", Bytes: header(graph.Value{Name: "t", Type: graph.Float16, Shape: []int64{}})}, Options{}, "a single float16 number"},
		"words":          {Graph{Name: "g", Bytes: header(graph.Value{Name: "s", Type: 8, Shape: []int64{1}})}, Options{}, "input s string [1] is of a type that cannot be fed"},
		"unknown output": {Graph{Name: "g", Path: "testdata/types.onnx"}, Options{Outputs: []string{"z"}}, `it has no output "z"; it has full_out`},
		"no such device": {Graph{Name: "g", Path: "testdata/types.onnx"}, Options{Device: Device{cuda, 200}}, "graph g on cuda:200: "},
	} {
		t.Run(name, func(t *testing.T) {
			if c.options.Device.kind == auto {
				c.options.Device = CPU
			}
			s, err := Open(c.graph, c.options)
			if err == nil {
				t.Fatalf("opened: %v", errors.Join(s.Close()))
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant one with %q", err, c.want)
			}
		})
	}
}

// TestOpenAuto checks that a session is had on any machine, and that it says where it runs.
func TestOpenAuto(t *testing.T) {
	ready(t)
	s, err := Open(Graph{Name: "types", Path: "testdata/types.onnx"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	switch s.Device().String() {
	case "cuda":
		if s.Note() != "" {
			t.Errorf("runs on a GPU, yet says %q", s.Note())
		}
	case "cpu":
		if !strings.HasPrefix(s.Note(), "no GPU is used: ") {
			t.Errorf("runs on the CPU and says %q", s.Note())
		}
	default:
		t.Errorf("runs on %v", s.Device())
	}
	if err := s.Run(t.Context(), typesIn(), typesOut()); err != nil {
		t.Error(err)
	}
}

// TestWeightsBeside opens a graph whose weights are in a file of their own.
func TestWeightsBeside(t *testing.T) {
	s := open(t, "beside", Options{})
	x, y := make([]float32, 16), make([]float32, 16)
	x[5] = 2
	if err := s.Run(t.Context(), map[string]Tensor{"x": Float32(x, 1, 16)}, map[string]Tensor{"y": Float32(y, 1, 16)}); err != nil {
		t.Fatal(err)
	}
	if y[5] != 6 || y[4] != 0 {
		t.Errorf("got %v", y)
	}
}

func TestOutputsChosen(t *testing.T) {
	s := open(t, "types", Options{Outputs: []string{"steps_out", "full_out"}})
	if got := names(s.signature.Outputs); got != "steps_out, full_out" {
		t.Errorf("outputs %s", got)
	}
	if got := names(s.Inputs()); got != "full, factor, half, ids, steps, wide" {
		t.Errorf("inputs %s", got)
	}
	all := typesOut()
	out := map[string]Tensor{"steps_out": all["steps_out"], "full_out": all["full_out"]}
	if err := s.Run(t.Context(), typesIn(), out); err != nil {
		t.Fatal(err)
	}
	if got := out["steps_out"].I64[0]; got != 1998 {
		t.Errorf("steps_out is %d, want 1998", got)
	}
}

// square returns in and out for chain.onnx with matrices of n x n.
func square(n int64) (in, out map[string]Tensor) {
	return map[string]Tensor{"x0": Float32(make([]float32, n*n), n, n)},
		map[string]Tensor{"x400": Float32(make([]float32, n*n), n, n)}
}

// TestRunStops ends a run that would take minutes, and runs the session again.
func TestRunStops(t *testing.T) {
	s := open(t, "chain", Options{Threads: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	in, out := square(1200)
	if err := s.Run(ctx, in, out); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want the context's", err)
	}
	if err := s.Run(ctx, in, out); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v before it began, want the context's", err)
	}
	in, out = square(2)
	if err := s.Run(t.Context(), in, out); err != nil {
		t.Errorf("the next run: %v", err)
	}
}

// TestConcurrent runs one session from many goroutines, some of which give up, while it is
// closed under them.
func TestConcurrent(t *testing.T) {
	s := open(t, "types", Options{Threads: 2})
	closing := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			<-closing
			for i := range 200 {
				ctx, cancel := context.WithCancel(context.Background())
				if i%3 == 0 {
					go cancel()
				}
				in, out := typesIn(), typesOut()
				err := s.Run(ctx, in, out)
				stopped := ctx.Err() != nil
				cancel()
				if errors.Is(err, ErrClosed) || stopped && errors.Is(err, context.Canceled) {
					continue
				}
				if err != nil || out["wide_out"].I64[0] != -1<<40 {
					t.Errorf("run %d: %v, %v", i, err, out["wide_out"])
					return
				}
			}
		})
	}
	close(closing)
	in, out := typesIn(), typesOut()
	for range 50 {
		if err := s.Run(t.Context(), in, out); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := s.Run(t.Context(), in, out); !errors.Is(err, ErrClosed) {
		t.Errorf("after closing: %v, want %v", err, ErrClosed)
	}
}

// TestRunAllocates little: a few words a tensor, never the size of the numbers.
func TestRunAllocates(t *testing.T) {
	s := open(t, "beside", Options{Threads: 1})
	const rows = 4096
	in := map[string]Tensor{"x": Float32(make([]float32, rows*16), rows, 16)}
	out := map[string]Tensor{"y": Float32(make([]float32, rows*16), rows, 16)}
	run := func() {
		if err := s.Run(t.Context(), in, out); err != nil {
			t.Fatal(err)
		}
	}
	run()
	const runs = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		run()
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / runs; got > 8<<10 {
		t.Errorf("%d bytes allocated a run, for tensors of %d", got, 4*rows*16)
	}
}
