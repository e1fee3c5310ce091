package graph

// unknown is how many numbers a value has that cannot be counted.
const unknown = -1

// count returns how many numbers a value has that is a shape, or part of one: what exporters
// build of the sizes of an input to say how often a number is to be repeated. It knows the
// operators that they use for it, and else returns unknown. Values have at most one axis here,
// as a shape has.
func (w *walk) count(name string) int {
	if n, ok := w.size[name]; ok {
		return n
	}
	if w.size == nil {
		w.size = map[string]int{}
	}
	if len(w.size) > 64 {
		return unknown // no shape is that much work; and nothing goes in circles
	}
	w.size[name] = unknown
	n := w.counted(name)
	w.size[name] = n
	return n
}

func (w *walk) counted(name string) int {
	if c, ok := w.d.constants[name]; ok {
		return c.count()
	}
	i, ok := w.d.maker[name]
	if !ok || len(w.d.nodes[i].in) == 0 {
		return unknown
	}
	n := &w.d.nodes[i]
	switch {
	case n.is("Shape"):
		return w.sizes(n)
	case n.is("Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape"):
		return w.count(n.in[0])
	case n.is("Gather") && len(n.in) == 2:
		return w.count(n.in[1])
	case n.is("Concat"):
		return w.sum(n.in)
	case n.is("Equal", "Mul", "Add", "Sub", "Div", "Where"):
		return w.largest(n.in)
	case n.is("ConstantOfShape"):
		return w.filled(n)
	case n.is("Slice") && len(n.in) >= 3:
		return w.sliced(n)
	}
	return unknown
}

func (c constant) count() int {
	n := int64(1)
	for _, size := range c.shape {
		if size < 0 || size > maxSmall {
			return unknown
		}
		n *= size
	}
	return int(min(n, maxSmall+1))
}

// sizes counts the sizes of a graph's input, all of them or from start to end.
func (w *walk) sizes(n *node) int {
	start, end := n.attribute("start").ints, n.attribute("end").ints
	if len(end) > 0 {
		from := int64(0)
		if len(start) > 0 {
			from = start[0]
		}
		return between(from, end[0])
	}
	for _, v := range w.d.inputs {
		if v.name == n.in[0] && v.value.Shape != nil && len(start) == 0 {
			return len(v.value.Shape)
		}
	}
	return unknown
}

func between(from, to int64) int {
	if from < 0 || to < from || to > maxSmall {
		return unknown
	}
	return int(to - from)
}

func (w *walk) sum(names []string) int {
	sum := 0
	for _, name := range names {
		n := w.count(name)
		if n == unknown || sum > maxSmall {
			return unknown
		}
		sum += n
	}
	return sum
}

func (w *walk) largest(names []string) int {
	most := 0
	for _, name := range names {
		n := w.count(name)
		if n == unknown {
			return unknown
		}
		most = max(most, n)
	}
	return most
}

// filled counts what ConstantOfShape makes: as many as a number says, or as another value has.
func (w *walk) filled(n *node) int {
	if many, ok := w.number(n, 0); ok {
		return between(0, many)
	}
	if i, ok := w.d.maker[n.in[0]]; ok && w.d.nodes[i].is("Shape") && len(w.d.nodes[i].in) == 1 {
		return w.count(w.d.nodes[i].in[0])
	}
	return unknown
}

// sliced counts a part of a list, in steps of one.
func (w *walk) sliced(n *node) int {
	from, ok1 := w.number(n, 1)
	to, ok2 := w.number(n, 2)
	if !ok1 || !ok2 {
		return unknown
	}
	if len(n.in) > 4 {
		if step, ok := w.number(n, 4); !ok || step != 1 {
			return unknown
		}
	}
	return between(from, to)
}
