// Package graphtest writes ONNX files for tests that need a graph's signature and nothing
// else: no operators, no weights, a few hundred bytes. They can be read and checked, not run.
package graphtest

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/easelbot/easel/inference/graph"
)

// Model returns an ONNX file with the signature s. Each name in s.External becomes a weight
// that lies in that file, of as many bytes as s.Reach says, and each in s.Domains a node. The
// operator set is 17 unless s tells another.
func Model(s graph.Signature) []byte {
	var g []byte
	for _, file := range s.External {
		g = Message(g, 5, weight("weight in "+file, s.Reach[file], "location", file))
	}
	for _, domain := range s.Domains {
		g = Message(g, 1, Message(Message(nil, 4, []byte("Op")), 7, []byte(domain)))
	}
	for _, v := range s.Inputs {
		g = Message(g, 11, value(v))
	}
	for _, v := range s.Outputs {
		g = Message(g, 12, value(v))
	}
	const irVersion, operatorSet = 10, 17
	version := cmp.Or(uint64(s.OpSet), operatorSet)
	model := Varint(nil, 1, irVersion)
	model = Message(model, 8, Varint(nil, 2, version))
	return Message(model, 7, g)
}

func value(v graph.Value) []byte {
	tensor := Varint(nil, 1, uint64(v.Type))
	if v.Shape != nil {
		var shape []byte
		for _, n := range v.Shape {
			shape = Message(shape, 1, axis(n))
		}
		tensor = Message(tensor, 2, shape)
	}
	b := Message(nil, 1, []byte(v.Name))
	return Message(b, 2, Message(nil, 1, tensor))
}

func axis(n int64) []byte {
	if n < 0 {
		return Message(nil, 2, []byte("free"))
	}
	return Varint(nil, 1, uint64(n))
}

// Outside returns a graph's field for a weight of so many bytes in another file; place are keys and values that say where.
func Outside(name string, bytes int64, place ...string) []byte {
	return Message(nil, 5, weight(name, bytes, place...))
}

func weight(name string, bytes int64, place ...string) []byte {
	const uint8s = 2
	b := Varint(Varint(nil, 1, uint64(bytes)), 2, uint8s)
	b = Message(b, 8, []byte(name))
	for i := 0; i < len(place); i += 2 {
		b = Message(b, 13, Message(Message(nil, 1, []byte(place[i])), 2, []byte(place[i+1])))
	}
	return b
}

// Message appends a length-delimited field.
func Message(b []byte, num protowire.Number, content []byte) []byte {
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendBytes(b, content)
}

// Varint appends a number field.
func Varint(b []byte, num protowire.Number, n uint64) []byte {
	b = protowire.AppendTag(b, num, protowire.VarintType)
	return protowire.AppendVarint(b, n)
}

// Add returns a model with more fields at the end of its graph, such as nodes and weights.
func Add(model, fields []byte) []byte {
	var b []byte
	for len(model) > 0 {
		num, kind, head := protowire.ConsumeTag(model)
		size := head + protowire.ConsumeFieldValue(num, kind, model[head:])
		if num == 7 {
			content, _ := protowire.ConsumeBytes(model[head:])
			b = Message(b, num, append(slices.Clone(content), fields...))
		} else {
			b = append(b, model[:size]...)
		}
		model = model[size:]
	}
	return b
}

// Node returns a graph's field for a node without attributes.
func Node(op, out string, in ...string) []byte {
	var n []byte
	for _, name := range in {
		n = Message(n, 1, []byte(name))
	}
	n = Message(n, 2, []byte(out))
	return Message(nil, 1, Message(n, 4, []byte(op)))
}

// List returns a graph's field for a weight of whole numbers.
func List(name string, numbers ...uint64) []byte {
	t := Varint(Varint(nil, 1, uint64(len(numbers))), 2, uint64(graph.Int64))
	for _, n := range numbers {
		t = Varint(t, 7, n)
	}
	return Message(nil, 5, Message(t, 8, []byte(name)))
}
