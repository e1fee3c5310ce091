package graph

import (
	"bytes"
	"errors"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// Relocate changes the names of the files that weights lie in, for a graph that is opened away
// from its folder: each becomes what place says. Only the weights of the main graph are found.
func (d *Draft) Relocate(place func(file string) (string, error)) error {
	for _, at := range d.external {
		tensor, err := d.reread(at)
		if err != nil {
			return err
		}
		moved, err := relocated(tensor, place)
		if err != nil {
			return err
		}
		if !bytes.Equal(moved, tensor) {
			d.replace(at, graphInitializer, moved)
		}
	}
	d.external = nil
	return nil
}

// reread reads the content of a field again.
func (d *Draft) reread(at span) ([]byte, error) {
	if at.end-at.start > maxAttribute {
		return nil, errors.New("a weight lies in another file and here")
	}
	if _, err := d.source.Seek(at.start, io.SeekStart); err != nil {
		return nil, err
	}
	b := make([]byte, at.end-at.start)
	if _, err := io.ReadFull(d.source, b); err != nil {
		return nil, err
	}
	_, _, head := protowire.ConsumeTag(b)
	content, used := protowire.ConsumeBytes(b[max(head, 0):])
	return content, protowire.ParseError(min(used, 0))
}

// relocated copies a TensorProto with another location.
func relocated(tensor []byte, place func(string) (string, error)) ([]byte, error) {
	var b []byte
	for len(tensor) > 0 {
		num, kind, head := protowire.ConsumeTag(tensor)
		size := head
		if head > 0 {
			size = protowire.ConsumeFieldValue(num, kind, tensor[head:])
		}
		if size < 0 {
			return nil, protowire.ParseError(size)
		}
		if num == tensorExternal && kind == protowire.BytesType {
			entry, _ := protowire.ConsumeBytes(tensor[head:])
			e, err := readEntry(entry)
			if err == nil && e.key == "location" {
				e.value, err = place(e.value)
			}
			if err != nil {
				return nil, err
			}
			b = appendMessage(b, tensorExternal, appendString(appendString(nil, entryKey, e.key), entryValue, e.value))
		} else {
			b = append(b, tensor[:head+size]...)
		}
		tensor = tensor[head+size:]
	}
	return b, nil
}
