package rank

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/easelbot/easel/inference"
	"github.com/easelbot/easel/inference/graph"
)

// The names of what CLIPs take and give.
const (
	inputIDs      = "input_ids"
	attentionMask = "attention_mask"
	pixelValues   = "pixel_values"
	textEmbeds    = "text_embeds"
	imageEmbeds   = "image_embeds"
)

type inputs = map[string]inference.Tensor

// A network computes embeddings, of a text, of a picture or of both.
type network struct {
	session *inference.Session
	in      []graph.Value
	widths  map[string]int64 // of the embeddings it gives
	blank   inputs           // for what is not asked about
}

// openNetworks opens the two networks, or the one that is both.
func (r *Ranker) openNetworks(dir string, o inference.Options, c config) (err error) {
	for _, folder := range []string{dir, filepath.Join(dir, "onnx")} {
		text, vision, both := filepath.Join(folder, "text_model.onnx"), filepath.Join(folder, "vision_model.onnx"), filepath.Join(folder, "model.onnx")
		switch {
		case there(text) && there(vision):
			if r.text, err = openNetwork(text, o, c, textEmbeds); err == nil {
				r.vision, err = openNetwork(vision, o, c, imageEmbeds)
			}
			return err
		case there(both):
			r.text, err = openNetwork(both, o, c, textEmbeds, imageEmbeds)
			r.vision = r.text
			return err
		}
	}
	return errors.New("it holds neither model.onnx nor text_model.onnx with vision_model.onnx, in the folder itself or in onnx")
}

func there(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func openNetwork(path string, o inference.Options, c config, outputs ...string) (*network, error) {
	name := filepath.Base(path)
	widths, err := embeddings(path, c, outputs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	o.Outputs = outputs
	session, err := inference.Open(inference.Graph{Name: name, Path: path}, o)
	if err != nil {
		return nil, err
	}
	n := &network{session: session, in: session.Inputs(), widths: widths}
	if err := n.fillBlanks(c); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), session.Close())
	}
	return n, nil
}

// The bounds of what a network may have, for its file is not to be trusted with memory.
const (
	maxWidth  = 1 << 16
	maxLength = 1 << 12
	maxSide   = 1 << 11
)

// embeddings finds how wide each is: as the graph says, else the configuration.
func embeddings(path string, c config, outputs []string) (map[string]int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sig, err := graph.Read(f)
	if err != nil {
		return nil, err
	}
	widths := map[string]int64{}
	for _, name := range outputs {
		v, ok := sig.Output(name)
		width := c.model.Projection
		if len(v.Shape) == 2 && v.Shape[1] >= 0 {
			width = v.Shape[1]
		}
		switch {
		case !ok:
			return nil, fmt.Errorf("it has no output %q; export CLIP with its projections", name)
		case width < 1 || width > maxWidth:
			return nil, fmt.Errorf("how many numbers %v has is not known; config.json should tell as projection_dim", v)
		}
		widths[name] = width
	}
	return widths, nil
}

// fillBlanks makes what stands for an input that nothing is asked about, and refuses inputs that no CLIP has.
func (n *network) fillBlanks(c config) error {
	length := int64(n.fixedLength())
	if length == 0 {
		length = int64(c.length())
	}
	side := c.crop()
	known := inputs{
		inputIDs:      inference.Int64(make([]int64, length), 1, length),
		attentionMask: inference.Int64(slices.Repeat([]int64{1}, int(length)), 1, length),
		pixelValues:   inference.Float32(make([]float32, 3*side.X*side.Y), 1, 3, int64(side.Y), int64(side.X)),
	}
	n.blank = inputs{}
	for _, v := range n.in {
		t, ok := known[v.Name]
		switch {
		case !ok:
			return fmt.Errorf("it takes %v, which no CLIP does", v)
		case !v.Fits(t.Shape):
			return fmt.Errorf("it takes %v, where the configuration makes a tensor of %v", v, t.Shape)
		}
		n.blank[v.Name] = t
	}
	return nil
}

// fixedLength returns the number of tokens that the graph fixes, or 0.
func (n *network) fixedLength() int {
	for _, v := range n.in {
		if v.Name == inputIDs && len(v.Shape) == 2 && v.Shape[1] > 0 {
			return int(min(v.Shape[1], maxLength))
		}
	}
	return 0
}

// embed returns one of the embeddings.
func (n *network) embed(ctx context.Context, output string, given inputs) ([]float32, error) {
	in, out := inputs{}, inputs{}
	for name, t := range n.blank {
		if g, ok := given[name]; ok {
			t = g
		}
		in[name] = t
	}
	for name, width := range n.widths {
		out[name] = inference.Float32(make([]float32, width), 1, width)
	}
	err := n.session.Run(ctx, in, out)
	return out[output].F32, err
}
