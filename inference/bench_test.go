package inference

import "testing"

// BenchmarkRun times a call of the tests' small U-Net with four lanes.
func BenchmarkRun(b *testing.B) {
	ready(b)
	s, err := Open(Graph{Name: "unet", Path: "../testdata/tiny/unet/model.onnx"}, Options{Device: CPU})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	in, out := map[string]Tensor{}, map[string]Tensor{}
	for _, v := range s.Inputs() {
		in[v.Name] = zeros(v.Shape, 4)
	}
	for _, v := range s.signature.Outputs {
		out[v.Name] = zeros(v.Shape, 4)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Run(b.Context(), in, out); err != nil {
			b.Fatal(err)
		}
	}
}

// zeros makes a tensor for a declared shape, with lanes for what is free.
func zeros(shape []int64, lanes int64) Tensor {
	size := int64(1)
	filled := make([]int64, len(shape))
	for i, n := range shape {
		if filled[i] = n; n < 0 {
			filled[i] = lanes
		}
		size *= filled[i]
	}
	return Float32(make([]float32, size), filled...)
}
