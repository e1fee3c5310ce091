// Package graph reads what an ONNX file says of itself: the names, element types and
// shapes of its inputs and outputs, the files its weights lie in and how far they reach, and whose operators it needs.
//
// It reads the protocol-buffer stream once and steps over the weights without loading
// them, so a model of two gigabytes costs some seeks and a few kilobytes. Nothing is run
// and no native library is needed, which lets a model folder be checked on any machine.
//
// A [Draft] is a graph read for small edits while it is loaded, for what exporters leave out
// and the engine needs: a timestep a row, and the earlier layers of a text encoder. An edit is
// made where the graph's structure shows that it is right, and else not at all.
//
// The bytes may come from anybody. Whatever they are, Read returns: it never panics, nests
// at most 16 deep and holds at most 8 MiB of names and shapes; so does Parse, with 64 MiB. It follows onnx.proto3 of the
// ONNX specification, IR version 3 to 13; fields it does not know are skipped, as protocol
// buffers ask.
package graph

import (
	"fmt"
	"slices"
	"strings"
)

// A Signature is what a graph takes and gives.
type Signature struct {
	Inputs  []Value // in declared order, without those that are really weights
	Outputs []Value // in declared order

	// External names the files that hold weights, relative to the graph's own folder, each
	// once, in order of appearance. The names are the file's claims: check them before use.
	External []string

	Reach map[string]int64 // how many bytes each of these files must have for all weights to be in it

	OpSet   int64    // version of ONNX's own operators that the file asks for, 0 if it does not
	Domains []string // whose operators there are besides, each once, without those that the file defines itself
}

// Input returns the input of that name.
func (s Signature) Input(name string) (Value, bool) { return find(s.Inputs, name) }

// Output returns the output of that name.
func (s Signature) Output(name string) (Value, bool) { return find(s.Outputs, name) }

func find(values []Value, name string) (Value, bool) {
	i := slices.IndexFunc(values, func(v Value) bool { return v.Name == name })
	if i < 0 {
		return Value{}, false
	}
	return values[i], true
}

// A Value is one input or output.
type Value struct {
	Name string
	Type Type

	// Shape holds one size an axis, -1 where the size is free (a symbolic dimension). It is
	// empty for a scalar and nil when the file does not even tell the number of axes.
	Shape []int64
}

// Fits reports whether a tensor of the given shape may stand for the value: as many axes,
// and the same size wherever the graph fixes one.
func (v Value) Fits(shape []int64) bool {
	if v.Shape == nil {
		return true
	}
	return slices.EqualFunc(v.Shape, shape, func(want, got int64) bool { return want < 0 || want == got })
}

// String returns the value as people write it: "sample float32 [?,4,?,?]".
func (v Value) String() string {
	if v.Shape == nil {
		return fmt.Sprintf("%s %v", v.Name, v.Type)
	}
	axes := make([]string, len(v.Shape))
	for i, n := range v.Shape {
		axes[i] = "?"
		if n >= 0 {
			axes[i] = fmt.Sprint(n)
		}
	}
	return fmt.Sprintf("%s %v [%s]", v.Name, v.Type, strings.Join(axes, ","))
}

// A Type is the type of a tensor's elements, numbered as onnx.proto3 numbers them.
type Type int32

// The element types Easel's models use. Others are read and named, too.
const (
	Unknown  Type = 0 // not said, or not a tensor
	Float32  Type = 1
	Int32    Type = 6
	Int64    Type = 7
	Bool     Type = 9
	Float16  Type = 10
	Float64  Type = 11
	BFloat16 Type = 16
)

var typeNames = [...]string{
	"unknown", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool",
	"float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16",
}

// String returns the type's name in Go's manner, such as "float32".
func (t Type) String() string {
	if t < 0 || int(t) >= len(typeNames) {
		return fmt.Sprintf("type %d", int32(t))
	}
	return typeNames[t]
}
