package inference

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/easelbot/easel/inference/graph"
)

// A binding lends the caller's numbers to the runtime for one run: as they are where the
// types agree, else through scratch memory. The memory is pinned, for the runtime keeps its
// address between the calls that make a tensor and the one that uses it.
type binding struct {
	in, out []ort.Value
	after   []func() // converts outputs, once they are there
	pins    runtime.Pinner
}

// feed adds an input.
func (b *binding) feed(v graph.Value, t Tensor) error {
	var value ort.Value
	var err error
	switch {
	case t.F32 != nil && v.Type == graph.Float32:
		value, err = lend(b, t.Shape, t.F32)
	case t.F32 != nil && v.Type == graph.Float16:
		half := make([]byte, 2*len(t.F32))
		toHalf(half, t.F32)
		value, err = lendHalf(b, t.Shape, half)
	case t.F32 != nil && v.Type == graph.Int64:
		value, err = lend(b, t.Shape, converted[int64](t.F32))
	case t.F32 != nil && v.Type == graph.Int32:
		value, err = lend(b, t.Shape, converted[int32](t.F32))
	case t.I64 != nil && v.Type == graph.Int64:
		value, err = lend(b, t.Shape, t.I64)
	case t.I64 != nil && v.Type == graph.Int32:
		value, err = lend(b, t.Shape, converted[int32](t.I64))
	default:
		err = fmt.Errorf("the graph takes %v, which whole numbers are not turned into", v.Type)
	}
	if err == nil {
		b.in = append(b.in, value)
	}
	return err
}

// receive adds an output.
func (b *binding) receive(v graph.Value, t Tensor) error {
	var value ort.Value
	var err error
	switch {
	case len(t.Shape) == 0:
		err = errors.New("single numbers cannot be fetched")
	case t.F32 != nil && v.Type == graph.Float32:
		value, err = lend(b, t.Shape, t.F32)
	case t.F32 != nil && v.Type == graph.Float16:
		half := make([]byte, 2*len(t.F32))
		b.after = append(b.after, func() { fromHalf(t.F32, half) })
		value, err = lendHalf(b, t.Shape, half)
	case t.I64 != nil && v.Type == graph.Int64:
		value, err = lend(b, t.Shape, t.I64)
	case t.I64 != nil && v.Type == graph.Int32:
		narrow := make([]int32, len(t.I64))
		b.after = append(b.after, func() { convert(t.I64, narrow) })
		value, err = lend(b, t.Shape, narrow)
	default:
		err = fmt.Errorf("the graph gives %v, which does not fit the tensor's kind of numbers", v.Type)
	}
	if err == nil {
		b.out = append(b.out, value)
	}
	return err
}

// fetch brings outputs that were converted to the caller.
func (b *binding) fetch() {
	for _, f := range b.after {
		f()
	}
}

// release gives the memory back to the caller.
func (b *binding) release() {
	for _, list := range [][]ort.Value{b.in, b.out} {
		for _, v := range list {
			_ = v.Destroy() // it cannot fail
		}
	}
	b.pins.Unpin()
}

// lend wraps numbers as a tensor, or as a scalar, which the runtime copies.
func lend[T float32 | int64 | int32](b *binding, shape []int64, data []T) (ort.Value, error) {
	if len(shape) == 0 {
		return ort.NewScalar(data[0])
	}
	b.pins.Pin(unsafe.SliceData(data))
	return ort.NewTensor(shape, data)
}

func lendHalf(b *binding, shape []int64, data []byte) (ort.Value, error) {
	b.pins.Pin(unsafe.SliceData(data))
	return ort.NewCustomDataTensor(shape, data, ort.TensorElementDataTypeFloat16)
}

// convert fills dst from src, cutting fractions towards zero.
func convert[D, S float32 | int64 | int32](dst []D, src []S) {
	for i, x := range src {
		dst[i] = D(x)
	}
}

func converted[D, S float32 | int64 | int32](src []S) []D {
	dst := make([]D, len(src))
	convert(dst, src)
	return dst
}
