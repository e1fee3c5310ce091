package graph

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// A weight is a tensor, as far as it tells where it lies and how large it is.
type weight struct {
	file           string // "" for one that is in the graph itself
	offset, length int64  // length 0 is not told
	elements       uint64
	huge           bool // of more elements than can be
	kind           Type
}

// sizes of elements in bytes; of other types they are not known.
var sizes = map[Type]uint64{
	Float32: 4, 2: 1, 3: 1, 4: 2, 5: 2, Int32: 4, Int64: 8, Bool: 1, Float16: 2, Float64: 8, 12: 4, 13: 8, 14: 8, 15: 16, BFloat16: 2,
}

// dims takes a tensor's shape: one axis, or packed together all of them.
func (w *weight) dims(rd *reader, f field) error {
	if f.kind == protowire.VarintType {
		w.axis(f.n)
		return nil
	}
	b, err := rd.bytes(f)
	for err == nil && len(b) > 0 {
		n, used := protowire.ConsumeVarint(b)
		if used < 0 {
			return protowire.ParseError(used)
		}
		w.axis(n)
		b = b[used:]
	}
	return err
}

func (w *weight) axis(n uint64) {
	over, elements := bits.Mul64(w.elements, n)
	w.huge = w.huge || over > 0
	w.elements = elements
}

// place takes one key and value of where a weight lies.
func (w *weight) place(e entry) (err error) {
	switch e.key {
	case "location":
		w.file = e.value
	case "offset":
		w.offset, err = strconv.ParseInt(e.value, 10, 64)
	case "length":
		w.length, err = strconv.ParseInt(e.value, 10, 64)
	}
	if err != nil || w.offset < 0 || w.length < 0 {
		return fmt.Errorf("%.40q is no %s of a weight", e.value, e.key)
	}
	return nil
}

// end returns how many bytes its file must have.
func (w *weight) end() (int64, error) {
	over, bytes := bits.Mul64(w.elements, sizes[w.kind])
	if w.huge || over > 0 || bytes > math.MaxInt64 {
		return 0, errors.New("a weight is larger than can be")
	}
	length := w.length
	switch {
	case length == 0:
		length = int64(bytes)
	case sizes[w.kind] > 0 && length != int64(bytes):
		return 0, fmt.Errorf("a weight in %.40q has %d bytes, and its shape needs %d", w.file, length, bytes)
	}
	if w.offset > math.MaxInt64-length {
		return 0, errors.New("a weight lies farther behind than can be")
	}
	return w.offset + length, nil
}
