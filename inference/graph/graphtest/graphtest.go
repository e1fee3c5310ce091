// Package graphtest writes ONNX files for tests that need a graph's signature and nothing
// else: no operators, no weights, a few hundred bytes. They can be read and checked, not run.
package graphtest

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/easelbot/easel/inference/graph"
)

// Model returns an ONNX file with the signature s. Each name in s.External becomes a weight
// that lies in that file.
func Model(s graph.Signature) []byte {
	var g []byte
	for _, file := range s.External {
		g = Message(g, 5, weight("weight in "+file, file))
	}
	for _, v := range s.Inputs {
		g = Message(g, 11, value(v))
	}
	for _, v := range s.Outputs {
		g = Message(g, 12, value(v))
	}
	const irVersion, operatorSet = 10, 17
	model := Varint(nil, 1, irVersion)
	model = Message(model, 8, Varint(nil, 2, operatorSet))
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

func weight(name, file string) []byte {
	entry := Message(nil, 1, []byte("location"))
	entry = Message(entry, 2, []byte(file))
	b := Message(nil, 8, []byte(name))
	return Message(b, 13, entry)
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
