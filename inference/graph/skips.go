package graph

import (
	"fmt"
	"slices"
	"strings"
)

const (
	lastState = "last_hidden_state"
	maxTail   = 24  // nodes of the last norm and what follows it
	maxLayers = 128 // of a text encoder
	maxName   = 1 << 10
)

// Skips adds to a text encoder what CLIP skip asks for, and returns how many layers can be
// skipped: outputs skip.1 to skip.n, of the shape of last_hidden_state, of which skip.k is the
// final layer norm of the hidden state k layers before the last. It is what diffusers computes
// for clip_skip k; skip.n is the norm of the embeddings.
//
// It goes by the shape of the network, since exporters name weights as they like: layers of
// two norms, each of what the one before it was given plus something, and a last norm that
// leads to last_hidden_state. A norm is LayerNormalization, or what stands for it before
// operator set 17. Where that is not so the draft stays as it was, and n is 0.
func (d *Draft) Skips() (n int) {
	i := slices.IndexFunc(d.outputs, func(v declared) bool { return v.name == lastState })
	states := d.states()
	if i < 0 || d.opaque || len(states) < 2 || len(d.outputs[i].kind) > maxName {
		return 0
	}
	n = len(states) - 1
	tail := d.path(states[n], lastState)
	if tail == nil || d.taken() {
		return 0
	}
	for k := 1; k <= n; k++ {
		d.again(tail, k, states[n], states[n-k])
		output := appendString(nil, valueName, skip(k))
		d.added = appendMessage(d.added, graphOutput, appendMessage(output, valueType, d.outputs[i].kind))
	}
	return n
}

func skip(k int) string { return fmt.Sprintf("skip.%d", k) }

// taken reports whether a name that Skips gives is in use.
func (d *Draft) taken() bool {
	ours := func(name string) bool { return strings.HasPrefix(name, "skip.") }
	for _, names := range []map[string]bool{keys(d.maker), keys(d.users), keys(d.constants), d.nested} {
		for name := range names {
			if ours(name) {
				return true
			}
		}
	}
	declares := func(v declared) bool { return ours(v.name) }
	return slices.ContainsFunc(d.inputs, declares) || slices.ContainsFunc(d.outputs, declares)
}

func keys[V any](m map[string]V) map[string]bool {
	set := make(map[string]bool, len(m))
	for k := range m {
		set[k] = true
	}
	return set
}

// states returns the hidden states: the embeddings and what each layer gives, as every second
// norm is the first of a layer. All have one type: exports in float16 may turn into float32 on
// the way, and what lies before that is left out.
func (d *Draft) states() []string {
	var normed []string
	for i := range d.nodes {
		if x, ok := d.norm(&d.nodes[i]); ok && len(x) < maxName {
			normed = append(normed, x)
		}
	}
	if len(normed)%2 == 0 || len(normed) < 3 || len(normed) > 2*maxLayers+1 {
		return nil
	}
	states, uniform := []string{normed[len(normed)-1]}, true
	for i := len(normed) - 2; i >= 0; i-- {
		x := d.summand(normed[i+1], normed[i])
		if x == "" {
			return nil
		}
		if i%2 == 0 && uniform {
			states = append(states, x)
		}
		uniform = uniform && x == normed[i]
	}
	slices.Reverse(states)
	return states
}

// norm returns what a node takes the norm of, if it is one or, in its older form, is the
// difference from the mean that one begins with.
func (d *Draft) norm(n *node) (string, bool) {
	switch {
	case n.is("LayerNormalization") && len(n.in) >= 2:
		return d.plain(n.in[0]), true
	case n.is("Sub") && len(n.in) == 2:
		mean := d.made(n.in[1])
		if mean.is("ReduceMean") && len(mean.in) > 0 && mean.in[0] == n.in[0] {
			return d.plain(n.in[0]), true
		}
	}
	return "", false
}

// made returns the node that makes a value, or an empty one.
func (d *Draft) made(name string) *node {
	if i, ok := d.maker[name]; ok {
		return &d.nodes[i]
	}
	return &node{}
}

// plain follows a value back to before it only changed its type.
func (d *Draft) plain(name string) string {
	for range maxDepth {
		n := d.made(name)
		if !n.is("Cast", "Identity") || len(n.in) != 1 {
			break
		}
		name = n.in[0]
	}
	return name
}

// summand returns what is added to something to make x, and is y but perhaps for its type;
// its own type is that of x. It is empty if x is not such a sum.
func (d *Draft) summand(x, y string) string {
	n := d.made(x)
	if !n.is("Add") || len(n.in) != 2 || (d.plain(n.in[0]) == y) == (d.plain(n.in[1]) == y) {
		return ""
	}
	if d.plain(n.in[0]) == y {
		return n.in[0]
	}
	return n.in[1]
}

// path returns the nodes that make y of x and constants alone, in order; nil if there is
// more to it.
func (d *Draft) path(x, y string) []int {
	var tail []int
	met := false
	for todo := []string{y}; len(todo) > 0; todo = todo[1:] {
		name := todo[0]
		i, made := d.maker[name]
		_, known := d.constants[name]
		switch {
		case name == x:
			met = true
			continue
		case name == "" || known || made && slices.Contains(tail, i):
			continue
		case !made || len(tail) == maxTail || !d.nodes[i].small() || !d.nodes[i].norms(x):
			return nil
		}
		tail = append(tail, i)
		todo = append(todo, d.nodes[i].in...)
	}
	if !met {
		return nil
	}
	slices.Sort(tail)
	return tail
}

// small reports whether a node can be copied for each layer without the copies growing large.
func (n *node) small() bool {
	return n.end-n.start < 8<<10 && len(n.in) > 0 && len(n.in) <= 8 && len(n.out) <= 8
}

// norms reports whether a node, if it takes x, does what a norm does with it.
func (n *node) norms(x string) bool {
	return !slices.Contains(n.in, x) || n.is("LayerNormalization", "ReduceMean", "Sub", "Cast", "Identity")
}

// again appends the nodes of the tail for skip k, of state in the place of last.
func (d *Draft) again(tail []int, k int, last, state string) {
	names := map[string]string{last: state, lastState: skip(k), "": ""}
	for _, i := range tail {
		for j, name := range d.nodes[i].out {
			if _, ok := names[name]; !ok {
				names[name] = fmt.Sprintf("%s.%d.%d", skip(k), i, j)
			}
		}
	}
	for _, i := range tail {
		d.added = appendMessage(d.added, graphNode, d.nodes[i].renamed(names))
	}
}

// renamed writes a node with other names for what it takes and gives.
func (n *node) renamed(names map[string]string) []byte {
	name := func(s string) string {
		if other, ok := names[s]; ok {
			return other
		}
		return s
	}
	var b []byte
	for _, s := range n.in {
		b = appendString(b, nodeInput, name(s))
	}
	for _, s := range n.out {
		b = appendString(b, nodeOutput, name(s))
	}
	b = appendString(b, nodeOp, n.op)
	b = appendString(b, nodeDomain, n.domain)
	for _, a := range n.attributes {
		b = appendMessage(b, nodeAttribute, a)
	}
	return b
}
