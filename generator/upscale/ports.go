package upscale

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/easelbot/easel/inference"
	"github.com/easelbot/easel/inference/graph"
)

// The sizes of tiles that a graph may fix, in pixels.
const (
	leastFixed = 8
	mostFixed  = 1024
)

// ports returns the graph's input and output.
func ports(g inference.Graph) (in, out graph.Value, err error) {
	sig, err := signature(g)
	switch {
	case err != nil:
		return in, out, err
	case len(sig.Inputs) != 1 || len(sig.Outputs) != 1:
		return in, out, fmt.Errorf("it takes %d tensors and gives %d, where an upscaler has one of each: a picture", len(sig.Inputs), len(sig.Outputs))
	}
	in, out = sig.Inputs[0], sig.Outputs[0]
	for _, v := range []graph.Value{in, out} {
		if v.Type != graph.Float32 && v.Type != graph.Float16 {
			return in, out, fmt.Errorf("%v should be of float32 or float16", v)
		}
	}
	w, h := fixed(in, 3), fixed(in, 2)
	for _, side := range []int{w, h} {
		if side != 0 && (side < leastFixed || side > mostFixed) {
			return in, out, fmt.Errorf("%v should have sides of %d to %d, or free ones", in, leastFixed, mostFixed)
		}
	}
	if !in.Fits([]int64{1, 3, orLeast(h), orLeast(w)}) {
		return in, out, fmt.Errorf("%v should be a picture, [1,3,height,width]", in)
	}
	return in, out, nil
}

func signature(g inference.Graph) (graph.Signature, error) {
	var file io.ReadSeeker = bytes.NewReader(g.Bytes)
	if g.Path != "" {
		f, err := os.Open(g.Path)
		if err != nil {
			return graph.Signature{}, err
		}
		defer f.Close()
		file = f
	}
	return graph.Read(file)
}

// fixed returns the size that a graph fixes for an axis, or 0.
func fixed(v graph.Value, axis int) int {
	if len(v.Shape) != 4 || v.Shape[axis] < 0 {
		return 0
	}
	return int(v.Shape[axis])
}

// orLeast returns a side for trying: the one that is fixed, or a step.
func orLeast(side int) int64 {
	if side > 0 {
		return int64(side)
	}
	return step
}

// scales are those that a network may have, the usual ones first.
var scales = []int{4, 2, 1, 3, 8, 6, 5, 7}

// findScale finds how many times as large the network's output is as its input: from their shapes if both are fixed, else by
// running it on a small picture with room for each scale in turn, for the runtime refuses room of another size.
func (u *Upscaler) findScale(in, out graph.Value) (scale int, err error) {
	h, w := orLeast(u.height), orLeast(u.width)
	err = fmt.Errorf("its output %v is not 1 to 8 times as large as its input %v", out, in)
	for _, s := range scales {
		s64 := int64(s)
		if !out.Fits([]int64{1, 3, s64 * h, s64 * w}) {
			continue
		}
		if u.height > 0 && u.width > 0 && fixed(out, 2) > 0 && fixed(out, 3) > 0 {
			return s, nil
		}
		t := newTile(int(w), int(h), s)
		failed := u.run(context.Background(), t)
		if failed == nil {
			return s, nil
		}
		if scale == 0 {
			scale, err = s, fmt.Errorf("it cannot be run on a picture of %dx%d pixels: %w", w, h, failed)
		}
	}
	return 0, err
}
