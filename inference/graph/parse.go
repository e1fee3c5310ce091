package graph

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	maxDraft     = 64 << 20 // bytes of nodes kept in memory
	maxAttribute = 64 << 10 // bytes of an attribute that is kept
	maxSmall     = 16       // numbers of a constant that are kept
)

// Parse reads a model for editing: its nodes, but of its weights only names and shapes. It
// holds at most 64 MiB of them (a U-Net of Stable Diffusion XL has about eight), and fails as
// [Read] does. The source must stay open until [Draft.Bytes] is done.
func Parse(source io.ReadSeeker) (*Draft, error) {
	d := &Draft{
		source: source, infos: map[string][]span{}, constants: map[string]constant{},
		maker: map[string]int{}, users: map[string][]int{}, nested: map[string]bool{},
	}
	if _, err := source.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	p := parser{newWire(source), d}
	p.most = maxDraft
	if err := p.file(p.model); err != nil {
		return nil, fmt.Errorf("not a readable ONNX model: %w", err)
	}
	if d.graph.end == 0 {
		return nil, errors.New("not a readable ONNX model: it has no graph")
	}
	d.connect()
	return d, nil
}

type parser struct {
	*wire
	*Draft
}

func (p parser) model(f field) error {
	if f.num != modelGraph {
		return nil
	}
	if f.kind != protowire.BytesType || p.graph.end > 0 {
		return errors.New("it has more than one graph")
	}
	p.graph, p.begin = f, p.pos
	return p.message(f.end, p.part)
}

func (p parser) part(f field) error {
	at := span{f.start, f.end}
	switch f.num {
	case graphNode:
		return p.node(f)
	case graphInitializer:
		return p.weight(f)
	case graphInput:
		return p.declared(f, &p.inputs)
	case graphOutput:
		return p.declared(f, &p.outputs)
	case graphInfo:
		var v []declared
		if err := p.declared(f, &v); err != nil {
			return err
		}
		p.infos[v[0].name] = append(p.infos[v[0].name], at)
	}
	return nil
}

// A declared value is an input, an output or a value within, as the file has it.
type declared struct {
	span
	name  string
	kind  []byte // its TypeProto
	value Value
}

func (p parser) declared(f field, list *[]declared) error {
	b, err := p.bytes(f)
	if err != nil {
		return err
	}
	v := declared{span: span{f.start, f.end}}
	err = each(b, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case valueName:
			v.name = string(b)
		case valueType:
			v.kind = b
			return v.value.readType(b)
		}
		return nil
	})
	*list = append(*list, v)
	if err != nil {
		return err
	}
	return p.keep(len(b) + 256)
}

// A node is one operator of the main graph.
type node struct {
	span
	op, domain string
	in, out    []string
	attributes [][]byte
	partial    bool // an attribute is too large to be kept
}

func (p parser) node(f field) error {
	n := node{span: span{f.start, f.end}}
	err := p.message(f.end, func(f field) error {
		if f.num == nodeAttribute && f.end-p.pos > maxAttribute {
			n.partial = true
			return nil
		}
		b, err := p.content(f)
		if err != nil {
			return err
		}
		switch f.num {
		case nodeInput:
			n.in = append(n.in, string(b))
		case nodeOutput:
			n.out = append(n.out, string(b))
		case nodeOp:
			n.op = string(b)
		case nodeDomain:
			n.domain = string(b)
		case nodeAttribute:
			n.attributes = append(n.attributes, b)
			err = p.within(b, 0)
		}
		return errors.Join(err, p.keep(len(b)))
	})
	p.nodes = append(p.nodes, n)
	return errors.Join(err, p.keep(256))
}

// content reads a field of bytes; of other kinds there is nothing to read.
func (p parser) content(f field) ([]byte, error) {
	if f.kind != protowire.BytesType {
		return nil, nil
	}
	return p.bytes(f)
}

// within notes the names that the graphs of an attribute mention.
func (p parser) within(attribute []byte, depth int) error {
	if depth > maxDepth {
		return errors.New("graphs nested too deep")
	}
	return each(attribute, func(num protowire.Number, _ uint64, b []byte) error {
		if num != attrGraph && num != attrGraphs {
			return nil
		}
		return each(b, func(num protowire.Number, _ uint64, b []byte) error {
			if num != graphNode {
				return nil
			}
			return each(b, func(num protowire.Number, _ uint64, b []byte) error {
				switch num {
				case nodeInput, nodeOutput:
					p.nested[string(b)] = true
					return p.keep(len(b))
				case nodeAttribute:
					return p.within(b, depth+1)
				}
				return nil
			})
		})
	})
}

// A constant is a weight or the value of a Constant node: its shape, and its numbers if they
// are few and whole.
type constant struct {
	name  string
	shape []int64
	kind  Type
	ints  []int64
}

func (p parser) weight(f field) error {
	var c constant
	at, external := span{f.start, f.end}, false
	err := p.message(f.end, func(f field) error {
		external = external || f.num == tensorExternal
		if f.end-p.pos > 8*maxSmall && f.num != tensorName {
			return nil
		}
		b, err := p.content(f)
		if err != nil {
			return err
		}
		return c.take(f.num, f.n, b)
	})
	p.constants[c.name] = c
	if external {
		p.external = append(p.external, at)
	}
	return errors.Join(err, p.keep(len(c.name)+256))
}

// take reads one field of a TensorProto.
func (c *constant) take(num protowire.Number, n uint64, b []byte) error {
	var err error
	switch num {
	case tensorName:
		c.name = string(b)
	case tensorType:
		c.kind = Type(min(n, 1<<16))
	case tensorDims:
		c.shape, err = appendInts(c.shape, n, b)
	case tensorInts:
		c.ints, err = appendInts(c.ints, n, b)
	case tensorRaw:
		if len(b)%8 == 0 && len(b) <= 8*maxSmall {
			for ; len(b) > 0; b = b[8:] {
				c.ints = append(c.ints, int64(binary.LittleEndian.Uint64(b)))
			}
		}
	}
	return err
}

// appendInts takes a number, or numbers packed into bytes.
func appendInts(list []int64, n uint64, packed []byte) ([]int64, error) {
	if packed == nil {
		packed = protowire.AppendVarint(nil, n)
	}
	for len(packed) > 0 {
		n, used := protowire.ConsumeVarint(packed)
		if used < 0 {
			return list, protowire.ParseError(used)
		}
		if len(list) == maxAxes {
			return list, fmt.Errorf("more than %d axes or small numbers", maxAxes)
		}
		list, packed = append(list, int64(n)), packed[used:]
	}
	return list, nil
}

// connect notes who makes and who uses each value, and the constants that nodes make.
func (d *Draft) connect() {
	for i, n := range d.nodes {
		for _, name := range n.out {
			if _, twice := d.maker[name]; twice && name != "" {
				d.opaque = true
			}
			d.maker[name] = i
		}
		for _, name := range n.in {
			if list := d.users[name]; len(list) == 0 || list[len(list)-1] != i {
				d.users[name] = append(list, i)
			}
		}
		if n.partial && !n.is("Constant") {
			d.opaque = true // it may be a branch
		}
		if n.is("Constant") && len(n.out) == 1 && !n.partial {
			d.constants[n.out[0]] = n.constant()
		}
	}
}

// is reports whether a node is one of ONNX's own operators of these names.
func (n *node) is(ops ...string) bool {
	return (n.domain == "" || n.domain == "ai.onnx") && slices.Contains(ops, n.op)
}

// constant reads what a Constant node gives.
func (n *node) constant() constant {
	var c constant
	if t := n.attribute("value"); t.tensor != nil {
		_ = each(t.tensor, c.take) // what cannot be read stays unknown
	} else if v := n.attribute("value_ints"); v.ints != nil {
		c = constant{kind: Int64, shape: []int64{int64(len(v.ints))}, ints: v.ints}
	} else if v := n.attribute("value_int"); v.ints != nil {
		c = constant{kind: Int64, ints: v.ints}
	} else {
		c.shape = []int64{-1}
	}
	return c
}

// An attribute is what this package needs of one: whole numbers or a tensor.
type attribute struct {
	ints   []int64
	tensor []byte
}

// attribute finds an attribute by its name; without it, or if it cannot be read, it is zero.
func (n *node) attribute(name string) attribute {
	for _, b := range n.attributes {
		var a attribute
		var found string
		err := each(b, func(num protowire.Number, n uint64, b []byte) (err error) {
			switch num {
			case attrName:
				found = string(b)
			case attrInt, attrInts:
				a.ints, err = appendInts(a.ints, n, b)
			case attrTensor:
				a.tensor = b
			}
			return err
		})
		if err == nil && found == name {
			return a
		}
	}
	return attribute{}
}
