package graph

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// PerRow makes an input that holds one number for all rows of a call hold one number a row,
// so that rows of one call may differ in it. Exporters declare a U-Net's timestep so, as a
// scalar or as a list of one, and the graph begins by repeating it for each row; without the
// steps that lead there it takes as many numbers as there are rows, and computes the same.
//
// It reports whether the input now takes a number a row, or did before. It follows every use
// of the input up to where it is repeated (Expand, or a product with ones); if on the way
// there is anything it does not know, the draft stays as it was.
func (d *Draft) PerRow(input string) bool {
	i := slices.IndexFunc(d.inputs, func(v declared) bool { return v.name == input })
	if i < 0 || len(d.inputs[i].value.Shape) > 1 || d.inputs[i].value.Shape == nil {
		return false
	}
	v := d.inputs[i]
	if list := len(v.value.Shape) == 1; list && v.value.Shape[0] < 0 {
		return true
	} else if list && v.value.Shape[0] != 1 || d.opaque || !d.only(input) {
		return false
	}
	w := walk{d: d, seen: map[string]int{}, idle: map[int]bool{}}
	if !w.from(input, len(v.value.Shape)) {
		return false
	}
	for n := range w.idle {
		d.replace(d.nodes[n].span, graphNode, identity(d.nodes[n]))
	}
	for name := range w.seen {
		for _, at := range d.infos[name] {
			d.changes = append(d.changes, change{span: at})
		}
		delete(d.infos, name)
	}
	d.replace(v.span, graphInput, listOf(input, v.value.Type))
	return true
}

// only reports whether a name stands for an input and nothing else.
func (d *Draft) only(input string) bool {
	_, made := d.maker[input]
	_, weight := d.constants[input]
	same := 0
	for _, v := range d.inputs {
		if v.name == input {
			same++
		}
	}
	return same == 1 && !made && !weight
}

// identity returns a node that hands on what n changes the shape of.
func identity(n node) []byte {
	b := appendString(nil, nodeInput, n.in[0])
	b = appendString(b, nodeOutput, n.out[0])
	return appendString(b, nodeOp, "Identity")
}

// listOf declares a list of any length.
func listOf(name string, t Type) []byte {
	shape := appendMessage(nil, shapeAxis, nil)
	tensor := protowire.AppendTag(nil, tensorElem, protowire.VarintType)
	tensor = protowire.AppendVarint(tensor, uint64(t))
	tensor = appendMessage(tensor, tensorShape, shape)
	b := appendString(nil, valueName, name)
	return appendMessage(b, valueType, appendMessage(nil, typeTensor, tensor))
}

// A walk follows a value that was one number, alone (rank 0) or in a list (rank 1), and will
// be a list of one a row.
type walk struct {
	d    *Draft
	seen map[string]int // rank as it was
	idle map[int]bool   // nodes that only changed the rank
	todo []string       // seen, and yet to follow
	size map[string]int // of shapes, see count
}

func (w *walk) from(input string, rank int) bool {
	w.seen[input], w.todo = rank, []string{input}
	for len(w.todo) > 0 {
		name := w.todo[0]
		w.todo = w.todo[1:]
		if w.d.nested[name] || slices.ContainsFunc(w.d.outputs, func(v declared) bool { return v.name == name }) {
			return false
		}
		for _, n := range w.d.users[name] {
			if !w.through(n, name, w.seen[name]) {
				return false
			}
		}
	}
	return true
}

// through takes a value through one node, and reports whether the result is known.
func (w *walk) through(i int, name string, rank int) bool {
	n := &w.d.nodes[i]
	if len(n.out) != 1 || n.out[0] == "" {
		return false
	}
	if n.is("Mul", "Add", "Sub", "Div") {
		return w.combined(n, name, rank)
	}
	if n.in[0] != name || slices.Contains(n.in[1:], name) {
		return false
	}
	switch {
	case n.is("Cast", "CastLike", "Identity"):
		return w.on(n, rank)
	case n.is("Unsqueeze"):
		return rank == 0 && w.first(n) && w.skip(i, 1)
	case n.is("Squeeze"):
		return rank == 1 && (len(n.in) == 1 && len(n.attribute("axes").ints) == 0 || w.first(n)) && w.skip(i, 0)
	case n.is("Reshape"):
		one, ok := w.number(n, 1)
		return ok && (one == 1 || one == -1) && w.skip(i, 1)
	case n.is("Gather"):
		return rank == 1 && w.gathered(i)
	case n.is("Expand"):
		return len(n.in) == 2 && w.expanded(n)
	}
	return false
}

// on goes on with a node's result.
func (w *walk) on(n *node, rank int) bool {
	if was, ok := w.seen[n.out[0]]; ok {
		return was == rank
	}
	w.seen[n.out[0]] = rank
	w.todo = append(w.todo, n.out[0])
	return true
}

// skip goes on past a node that is not needed any more.
func (w *walk) skip(i, rank int) bool {
	w.idle[i] = true
	return w.on(&w.d.nodes[i], rank)
}

// first reports whether the node's axes, an attribute before operator set 13, are the first
// one alone.
func (w *walk) first(n *node) bool {
	if a := n.attribute("axes").ints; len(n.in) == 1 {
		return len(a) == 1 && (a[0] == 0 || a[0] == -1)
	}
	axis, ok := w.number(n, 1)
	return ok && (axis == 0 || axis == -1)
}

// number returns the one number of a list that is a node's input i.
func (w *walk) number(n *node, i int) (int64, bool) {
	if len(n.in) <= i {
		return 0, false
	}
	c, ok := w.d.constants[n.in[i]]
	if !ok || c.kind != Int64 || len(c.ints) != 1 || len(c.shape) != 1 || c.shape[0] != 1 {
		return 0, false
	}
	return c.ints[0], true
}

// gathered takes the first, and only, number of a list.
func (w *walk) gathered(i int) bool {
	n := &w.d.nodes[i]
	if len(n.in) != 2 {
		return false
	}
	at, axis := w.d.constants[n.in[1]], n.attribute("axis").ints
	if at.kind != Int64 || len(at.ints) != 1 || at.ints[0] != 0 && at.ints[0] != -1 || len(at.shape) > 1 {
		return false
	}
	if len(axis) > 0 && axis[0] != 0 && axis[0] != -1 {
		return false
	}
	return w.skip(i, len(at.shape))
}

// expanded repeats the number. To a shape of one axis that is not fixed it is the rows' own,
// and what follows has a number a row as it always had.
func (w *walk) expanded(n *node) bool {
	c, fixed := w.d.constants[n.in[1]]
	if !fixed {
		return w.count(n.in[1]) == 1
	}
	return c.kind == Int64 && len(c.ints) == 1 && len(c.shape) == 1 && c.ints[0] == 1 && w.on(n, 1)
}

// combined takes the number through arithmetic with a constant number, or with one a row.
func (w *walk) combined(n *node, name string, rank int) bool {
	if len(n.in) != 2 || n.in[0] == n.in[1] {
		return false
	}
	other := n.in[0]
	if other == name {
		other = n.in[1]
	}
	if c, ok := w.d.constants[other]; ok {
		return len(c.shape) == 0 && w.on(n, rank) || len(c.shape) == 1 && c.shape[0] == 1 && w.on(n, 1)
	}
	i, ok := w.d.maker[other]
	if !ok {
		return false
	}
	m := &w.d.nodes[i]
	return m.is("ConstantOfShape") && len(m.in) == 1 && w.count(m.in[0]) == 1
}
