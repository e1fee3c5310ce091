package graph

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Draft is an ONNX file to be edited while it is loaded: [Draft.PerRow] and [Draft.Skips]
// change it where they know how, and [Draft.Bytes] writes the result. What they do not touch
// stays byte for byte, and files of weights beside the graph serve the result as they are.
type Draft struct {
	source io.ReadSeeker
	graph  field // its head; content lies from begin to graph.end
	begin  int64

	inputs, outputs []declared
	infos           map[string][]span // what was inferred of values within
	nodes           []node
	constants       map[string]constant
	maker           map[string]int   // of each value: the node
	users           map[string][]int // of each value: the nodes
	external        []span           // weights in other files
	nested          map[string]bool  // names that branches and loop bodies mention
	opaque          bool             // more than can be followed

	changes []change
	added   []byte // at the end of the graph
}

// A span is a stretch of the file.
type span struct{ start, end int64 }

// A change puts other bytes, or none, in the place of a span.
type change struct {
	span
	by []byte
}

// Edited reports whether anything was changed.
func (d *Draft) Edited() bool { return len(d.changes) > 0 || len(d.added) > 0 }

// Bytes returns the edited file. It reads the source once more, into memory that holds the
// result and nothing else, and reads the result's signature to see that it stands.
func (d *Draft) Bytes() ([]byte, error) {
	size, err := d.source.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = d.source.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, err
	}
	changes := d.all()
	for _, c := range changes {
		size += int64(len(c.by)) - (c.end - c.start)
	}
	file, err := fill(make([]byte, size), d.source, changes)
	if err != nil {
		return nil, fmt.Errorf("editing the graph: %w", err)
	}
	if _, err := Read(bytes.NewReader(file)); err != nil {
		return nil, fmt.Errorf("editing the graph: %w", err)
	}
	return file, nil
}

// all returns the changes in order, with what is added, and with the graph's new length first.
func (d *Draft) all() []change {
	changes := append(slices.Clone(d.changes), change{span{d.graph.end, d.graph.end}, d.added})
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.start, b.start) })
	length := d.graph.end - d.begin
	for _, c := range changes {
		length += int64(len(c.by)) - (c.end - c.start)
	}
	head := protowire.AppendTag(nil, modelGraph, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(length))
	return slices.Insert(changes, 0, change{span{d.graph.start, d.begin}, head})
}

// fill copies the source to file, but for the changes.
func fill(file []byte, source io.ReadSeeker, changes []change) ([]byte, error) {
	rest, pos := file, int64(0)
	for _, c := range changes {
		if c.start < pos || c.start-pos+int64(len(c.by)) > int64(len(rest)) {
			return nil, errors.New("the file has changed meanwhile")
		}
		n, err := io.ReadFull(source, rest[:c.start-pos])
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
		rest = rest[copy(rest, c.by):]
		if pos, err = source.Seek(c.end, io.SeekStart); err != nil {
			return nil, err
		}
	}
	_, err := io.ReadFull(source, rest)
	return file, err
}

// replace puts a field in the place of a span.
func (d *Draft) replace(s span, num protowire.Number, content []byte) {
	d.changes = append(d.changes, change{s, appendMessage(nil, num, content)})
}

func appendMessage(b []byte, num protowire.Number, content []byte) []byte {
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendBytes(b, content)
}

func appendString(b []byte, num protowire.Number, s string) []byte {
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendString(b, s)
}
