package graph

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of onnx.proto3, by message.
const (
	modelGraph                          = 7
	modelOpSets, modelFunctions         = 8, 25
	setDomain, setVersion               = 1, 2
	functionNode, functionDomain        = 7, 10
	graphNode, graphInitializer         = 1, 5
	graphInput, graphOutput, graphInfo  = 11, 12, 13
	graphSparse                         = 15
	sparseValues, sparseIndices         = 1, 2
	nodeInput, nodeOutput               = 1, 2
	nodeOp, nodeAttribute, nodeDomain   = 4, 5, 7
	attrName, attrInt, attrInts         = 1, 3, 8
	attrTensor, attrGraph               = 5, 6
	attrTensors, attrGraphs             = 10, 11
	tensorDims, tensorType, tensorInts  = 1, 2, 7
	tensorName, tensorRaw               = 8, 9
	tensorExternal                      = 13
	entryKey, entryValue                = 1, 2
	valueName, valueType                = 1, 2
	typeTensor, tensorElem, tensorShape = 1, 1, 2
	shapeAxis, axisSize                 = 1, 1
)

const maxAxes = 64

// Read reads the signature of an ONNX model. If r can seek, weights are stepped over by
// seeking. It fails when the bytes are no ONNX model, are cut short, or hold no graph with
// an input and an output.
func Read(r io.Reader) (Signature, error) {
	rd := &reader{
		wire: newWire(r), weights: map[string]bool{}, domains: map[string]bool{}, own: map[string]bool{},
		sig: Signature{Reach: map[string]int64{}},
	}
	if err := rd.file(rd.model); err != nil {
		return Signature{}, fmt.Errorf("not a readable ONNX model: %w", err)
	}
	sig := rd.sig
	sig.Inputs = slices.DeleteFunc(sig.Inputs, func(v Value) bool { return rd.weights[v.Name] })
	sig.Domains = slices.DeleteFunc(sig.Domains, func(domain string) bool { return rd.own[domain] })
	if len(sig.Inputs) == 0 || len(sig.Outputs) == 0 {
		return Signature{}, errors.New("not a readable ONNX model: it has no graph with inputs and outputs")
	}
	return sig, nil
}

// A reader gathers a signature. Weights may be declared as inputs as well (IR version 3
// asks for it); they are sorted out at the end, since either may come first.
type reader struct {
	*wire
	sig     Signature
	weights map[string]bool
	domains map[string]bool // of operators, that were met
	own     map[string]bool // of functions that the file defines
}

func (rd *reader) model(f field) error {
	switch f.num {
	case modelGraph:
		return rd.message(f.end, func(f field) error { return rd.graph(f, 0) })
	case modelOpSets:
		return rd.operatorSet(f)
	case modelFunctions:
		return rd.message(f.end, rd.function)
	}
	return nil
}

// graph takes a field of the main graph (depth 0) or of a branch or loop body within it,
// which matters only for the weights it may bring along.
func (rd *reader) graph(f field, depth int) error {
	if depth > maxDepth {
		return errors.New("graphs nested too deep")
	}
	switch {
	case f.num == graphNode:
		return rd.message(f.end, func(f field) error { return rd.node(f, depth) })
	case f.num == graphInitializer:
		return rd.tensor(f, depth == 0)
	case f.num == graphSparse:
		return rd.sparse(f, depth == 0)
	case f.num == graphInput && depth == 0:
		return rd.value(f, &rd.sig.Inputs)
	case f.num == graphOutput && depth == 0:
		return rd.value(f, &rd.sig.Outputs)
	}
	return nil
}

func (rd *reader) node(f field, depth int) error {
	if f.num == nodeDomain {
		return rd.domain(f)
	}
	if f.num != nodeAttribute {
		return nil
	}
	return rd.message(f.end, func(f field) error {
		switch f.num {
		case attrTensor, attrTensors:
			return rd.tensor(f, false)
		case attrGraph, attrGraphs:
			return rd.message(f.end, func(f field) error { return rd.graph(f, depth+1) })
		}
		return nil
	})
}

func (rd *reader) sparse(f field, main bool) error {
	return rd.message(f.end, func(f field) error {
		switch f.num {
		case sparseValues:
			return rd.tensor(f, main)
		case sparseIndices:
			return rd.tensor(f, false)
		}
		return nil
	})
}

// tensor notes a weight's name, if it may be listed among the inputs, and where it lies.
func (rd *reader) tensor(f field, listed bool) error {
	w := weight{elements: 1}
	err := rd.message(f.end, func(f field) error {
		switch {
		case f.num == tensorName && listed:
			name, err := rd.bytes(f)
			if err != nil {
				return err
			}
			rd.weights[string(name)] = true
			return rd.keep(len(name))
		case f.num == tensorDims:
			return w.dims(rd, f)
		case f.num == tensorType:
			w.kind = Type(min(f.n, math.MaxInt32))
		case f.num == tensorExternal:
			b, err := rd.bytes(f)
			if err != nil {
				return err
			}
			e, err := readEntry(b)
			if err != nil {
				return err
			}
			return w.place(e)
		}
		return nil
	})
	if err != nil || w.file == "" {
		return err
	}
	return rd.external(w)
}

// external notes a weight that lies in another file.
func (rd *reader) external(w weight) error {
	end, err := w.end()
	if err != nil {
		return err
	}
	reached, known := rd.sig.Reach[w.file]
	rd.sig.Reach[w.file] = max(reached, end)
	if known {
		return nil
	}
	rd.sig.External = append(rd.sig.External, w.file)
	return rd.keep(2 * len(w.file))
}

// An entry is a key and a value of the place of a weight.
type entry struct{ key, value string }

func readEntry(b []byte) (entry, error) {
	var e entry
	err := each(b, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case entryKey:
			e.key = string(b)
		case entryValue:
			e.value = string(b)
		}
		return nil
	})
	return e, err
}

func (rd *reader) value(f field, list *[]Value) error {
	b, err := rd.bytes(f)
	if err != nil {
		return err
	}
	var v Value
	err = each(b, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case valueName:
			v.Name = string(b)
		case valueType:
			return v.readType(b)
		}
		return nil
	})
	*list = append(*list, v)
	if err != nil {
		return err
	}
	return rd.keep(len(v.Name) + 8*len(v.Shape))
}

func (v *Value) readType(b []byte) error {
	return each(b, func(num protowire.Number, _ uint64, b []byte) error {
		if num != typeTensor {
			return nil // a sequence, map or optional: left Unknown
		}
		return each(b, func(num protowire.Number, n uint64, b []byte) error {
			switch num {
			case tensorElem:
				v.Type = Type(min(n, math.MaxInt32))
			case tensorShape:
				v.Shape = []int64{}
				return each(b, v.readAxis)
			}
			return nil
		})
	})
}

// readAxis takes an axis, which is free unless it has a size that can be one.
func (v *Value) readAxis(num protowire.Number, _ uint64, b []byte) error {
	if num != shapeAxis {
		return nil
	}
	if len(v.Shape) == maxAxes {
		return fmt.Errorf("%q has more than %d axes", v.Name, maxAxes)
	}
	size := int64(-1)
	err := each(b, func(num protowire.Number, n uint64, _ []byte) error {
		if num == axisSize && n <= math.MaxInt64 {
			size = int64(n)
		}
		return nil
	})
	v.Shape = append(v.Shape, size)
	return err
}

// each walks a message in memory and hands out varints as n, bytes as b.
func each(msg []byte, visit func(num protowire.Number, n uint64, b []byte) error) error {
	for len(msg) > 0 {
		num, kind, used := protowire.ConsumeTag(msg)
		if used < 0 {
			return protowire.ParseError(used)
		}
		msg = msg[used:]
		var n uint64
		var b []byte
		switch kind {
		case protowire.VarintType:
			n, used = protowire.ConsumeVarint(msg)
		case protowire.BytesType:
			b, used = protowire.ConsumeBytes(msg)
		default:
			used = protowire.ConsumeFieldValue(num, kind, msg)
		}
		if used < 0 {
			return protowire.ParseError(used)
		}
		if err := visit(num, n, b); err != nil {
			return err
		}
		msg = msg[used:]
	}
	return nil
}
