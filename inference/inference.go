// Package inference runs neural networks: ONNX graphs, by ONNX Runtime, on a CPU or a GPU.
//
// [Load] finds the runtime's shared library, once for the process. [Open] makes a [Session]
// of a graph; [Session.Run] runs it, from many goroutines at once if need be.
//
// Callers deal in two kinds of numbers, float32 and int64, whatever a graph was exported
// with. At the graph's edge, and only there, float32 becomes float16, int64 or int32 (cut
// towards zero, as graphs with whole timesteps want), int64 becomes int32, and results come
// back the same way. Results are written into memory that the caller provides, which for
// float32 and int64 is also the memory the runtime writes to: nothing is copied.
//
// Names, numbers of axes and sizes are checked against the graph before it runs, for ONNX
// Runtime does not refuse a wrong number of axes but fails somewhere within, or gives nonsense.
// What the numbers are (infinite, not a number) is the caller's business.
//
// No type of ONNX Runtime leaves this package.
package inference

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by [Session.Run] after [Session.Close].
var ErrClosed = errors.New("the session is closed")

// A Graph is a network to open: from Path, so that weights in files beside it are found, or
// from Bytes if Path is empty. The name is for messages.
type Graph struct {
	Name  string
	Bytes []byte
	Path  string
}

// A Tensor is a block of numbers of a shape, last axis fastest. Exactly one of F32 and I64 is
// set and holds as many numbers as the shape says; an empty shape is a single number. The
// numbers belong to the caller.
type Tensor struct {
	Shape []int64
	F32   []float32
	I64   []int64
}

// Float32 returns a tensor of float32 numbers of a shape.
func Float32(data []float32, shape ...int64) Tensor { return Tensor{Shape: shape, F32: data} }

// Int64 returns a tensor of int64 numbers of a shape.
func Int64(data []int64, shape ...int64) Tensor { return Tensor{Shape: shape, I64: data} }

// check tells what is wrong with a tensor in itself.
func (t Tensor) check() error {
	if (t.F32 == nil) == (t.I64 == nil) {
		return errors.New("exactly one of F32 and I64 must be set")
	}
	have := int64(len(t.F32) + len(t.I64))
	want := int64(1)
	for _, n := range t.Shape {
		if n < 1 || want > have {
			return fmt.Errorf("shape %v does not hold %d numbers", t.Shape, have)
		}
		want *= n
	}
	if want != have {
		return fmt.Errorf("shape %v holds %d numbers, not %d", t.Shape, want, have)
	}
	return nil
}
