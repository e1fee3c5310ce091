package graph

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	maxDepth = 16      // of graphs within graphs
	maxField = 1 << 20 // bytes of a field that is read whole
	maxHeld  = 8 << 20 // bytes of names and shapes kept in memory
)

// A wire is a protocol-buffer message read as a stream, so that large fields can be skipped.
type wire struct {
	r    *bufio.Reader
	seek io.Seeker // nil when the source cannot seek
	pos  int64
	held int // bytes of names and shapes, up to most
	most int
}

func newWire(r io.Reader) *wire {
	seek, ok := r.(io.Seeker)
	if ok {
		if _, err := seek.Seek(0, io.SeekCurrent); err != nil {
			seek = nil // a pipe
		}
	}
	return &wire{r: bufio.NewReader(r), seek: seek, most: maxHeld}
}

// A field is the head of one field. A length-delimited field's content lies between the
// wire's position and end; other kinds have been read when the head is handed out.
type field struct {
	num   protowire.Number
	kind  protowire.Type
	n     uint64 // the value of a varint
	start int64  // of the head itself
	end   int64
}

// message calls visit for each field up to end, and skips whatever visit leaves unread.
func (w *wire) message(end int64, visit func(field) error) error {
	for w.pos < end {
		f, err := w.field(end)
		if err != nil {
			return err
		}
		if err := visit(f); err != nil {
			return err
		}
		if err := w.skip(f.end - w.pos); err != nil {
			return err
		}
	}
	return nil
}

// file is message for a whole stream, whose end is known by reaching it.
func (w *wire) file(visit func(field) error) error {
	for {
		if _, err := w.r.Peek(1); err == io.EOF {
			return nil
		}
		f, err := w.field(math.MaxInt64)
		if err != nil {
			return err
		}
		if err := visit(f); err != nil {
			return err
		}
		if err := w.skip(f.end - w.pos); err != nil {
			return err
		}
	}
}

// field reads a head and checks that the field ends before its message does.
func (w *wire) field(limit int64) (field, error) {
	start := w.pos
	tag, err := w.varint()
	if err != nil {
		return field{}, err
	}
	num, kind := protowire.DecodeTag(tag)
	if num < protowire.MinValidNumber {
		return field{}, fmt.Errorf("field number %d at byte %d", num, w.pos)
	}
	f := field{num: num, kind: kind, start: start}
	var size uint64
	switch kind {
	case protowire.VarintType:
		f.n, err = w.varint()
	case protowire.Fixed32Type:
		size = 4
	case protowire.Fixed64Type:
		size = 8
	case protowire.BytesType:
		size, err = w.varint()
	default:
		return field{}, fmt.Errorf("wire type %d at byte %d", kind, w.pos)
	}
	if err != nil {
		return field{}, err
	}
	if w.pos > limit || size > uint64(limit-w.pos) {
		return field{}, fmt.Errorf("field %d at byte %d runs past its message", num, w.pos)
	}
	f.end = w.pos + int64(size)
	return f, nil
}

// varint reads one number of up to ten bytes.
func (w *wire) varint() (uint64, error) {
	n, err := binary.ReadUvarint(counter{w})
	if err != nil {
		return 0, cut(err)
	}
	return n, nil
}

// bytes reads a field's content.
func (w *wire) bytes(f field) ([]byte, error) {
	size := f.end - w.pos
	if size > maxField {
		return nil, fmt.Errorf("field %d at byte %d: %d bytes where a name or shape should be", f.num, w.pos, size)
	}
	b := make([]byte, size)
	n, err := io.ReadFull(w.r, b)
	w.pos += int64(n)
	return b, cut(err)
}

// keep accounts for n bytes that stay in memory, and for keeping track of them.
func (w *wire) keep(n int) error {
	const overhead = 64
	if w.held += n + overhead; w.held > w.most {
		return fmt.Errorf("more than %d MiB of names and shapes", w.most>>20)
	}
	return nil
}

// skip steps over n bytes, by seeking when that saves reading. The last byte is always
// read, for a seek past the end of a file succeeds.
func (w *wire) skip(n int64) error {
	if ahead := n - 1 - int64(w.r.Buffered()); w.seek != nil && ahead > 0 {
		if _, err := w.seek.Seek(ahead, io.SeekCurrent); err != nil {
			return err
		}
		w.r.Reset(w.seek.(io.Reader))
		w.pos += n - 1
		n = 1
	}
	for n > 0 {
		done, err := w.r.Discard(int(min(n, 1<<30)))
		w.pos += int64(done)
		n -= int64(done)
		if err != nil {
			return cut(err)
		}
	}
	return nil
}

// cut turns the two ends of file into one plain sentence.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file is cut short")
	}
	return err
}

// A counter keeps a wire's position while single bytes are read.
type counter struct{ w *wire }

func (c counter) ReadByte() (byte, error) {
	b, err := c.w.r.ReadByte()
	if err == nil {
		c.w.pos++
	}
	return b, err
}
