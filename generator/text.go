package generator

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
	"github.com/easelbot/easel/inference/graph"
)

// A textEncoder is one of a model's text encoders: it turns a chunk of a prompt into states that the denoiser attends to. It is
// safe for concurrent use.
type textEncoder struct {
	text    model.Text
	pooled  int // width of the pooled embedding, 0 if none is taken
	session *inference.Session
	open    func(skip int) (*inference.Session, error)

	mu      sync.Mutex         // guards what follows
	skipped *inference.Session // for states without some of the last layers
	closed  bool
}

func openText(f *model.Folder, t model.Text, o Options) (*textEncoder, error) {
	e := &textEncoder{text: t}
	if t.Pooled != "" {
		e.pooled = f.Denoiser.Pooled
	}
	e.open = func(skip int) (*inference.Session, error) {
		g, err := f.Graph(t.Component)
		if err != nil {
			return nil, err
		}
		outputs := []string{e.output(skip)}
		if t.Pooled != "" {
			outputs = append(outputs, t.Pooled)
		}
		return inference.Open(inference.Graph(g), inference.Options{Threads: o.Threads, Device: o.Device, Outputs: outputs, Skips: skip > 0 && !e.layered()})
	}
	var err error
	e.session, err = e.open(0)
	return e, err
}

func (t *textEncoder) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	err := t.session.Close()
	if t.skipped != nil {
		err = errors.Join(err, t.skipped.Close())
	}
	return err
}

const hiddenStates = "hidden_states."

// layered reports whether the denoiser attends to the output of a layer as it is, as in Stable Diffusion XL.
func (t *textEncoder) layered() bool { return strings.HasPrefix(t.text.States, hiddenStates) }

// output names the states with so many last layers left out.
func (t *textEncoder) output(skip int) string {
	switch {
	case skip == 0:
		return t.text.States
	case t.layered():
		layer, _ := strconv.Atoi(strings.TrimPrefix(t.text.States, hiddenStates))
		return hiddenStates + strconv.Itoa(layer-skip)
	}
	return "skip." + strconv.Itoa(skip) // see inference.Options
}

// without returns a session for states with so many last layers left out. One such is kept besides the usual one.
func (t *textEncoder) without(skip int) (*inference.Session, error) {
	if skip == 0 {
		return t.session, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return nil, inference.ErrClosed
	case t.skipped != nil && has(t.skipped, t.output(skip)):
		return t.skipped, nil
	case t.skipped != nil && !t.layered():
		return nil, tooFewLayers(skip)
	}
	s, err := t.open(skip)
	switch {
	case errors.Is(err, inference.ErrNoOutput):
		return nil, tooFewLayers(skip)
	case err != nil:
		return nil, err
	}
	if t.skipped != nil {
		_ = t.skipped.Close() // waits for who still runs it
	}
	t.skipped = s
	return s, nil
}

func has(s *inference.Session, output string) bool {
	return slices.ContainsFunc(s.Outputs(), func(v graph.Value) bool { return v.Name == output })
}

func tooFewLayers(skip int) error {
	return imagine.Invalid("clip-skip", "the model's text encoder does not give its states without the last %d of its layers: ask for fewer, or for none", skip)
}

// encode returns the states of one chunk, its length x width, weighted, and the pooled embedding if there is one.
func (t *textEncoder) encode(ctx context.Context, c prompt.Chunk, skip int) (states, pooled []float32, err error) {
	session, err := t.without(skip)
	if err != nil {
		return nil, nil, err
	}
	l, w := int64(t.text.Tokenizer.MaxLength), int64(t.text.Width)
	states = make([]float32, l*w)
	out := map[string]inference.Tensor{t.output(skip): inference.Float32(states, 1, l, w)}
	if t.text.Pooled != "" {
		pooled = make([]float32, t.pooled)
		out[t.text.Pooled] = inference.Float32(pooled, 1, int64(t.pooled))
	}
	err = session.Run(ctx, map[string]inference.Tensor{"input_ids": inference.Int64(c.IDs, 1, l)}, out)
	if err == nil && c.Weights != nil {
		weigh(states, c.Weights)
	}
	return states, pooled, err
}

// leastMean is how large the mean of a chunk's states must be, beside their root mean square, to be restored. Below it the
// mean is chance: in the built-in model's states, whose mean is within 1 %, the factor would be anything from -4 to 4.
const leastMean = 1.0 / 32

// weigh multiplies each token's states by its weight, then all by what restores their mean where they have one ("Original"
// emphasis of the AUTOMATIC1111 web UI).
func weigh(states, weights []float32) {
	before, width := mean(states), len(states)/len(weights)
	for i := range states {
		states[i] *= weights[i/width]
	}
	if after := mean(states); before*after > 0 {
		scale := float32(before / after)
		for i := range states {
			states[i] *= scale
		}
	}
}

// mean returns the mean of states, 0 if it is too small to mean anything.
func mean(states []float32) float64 {
	var sum, squares float64
	for _, x := range states {
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	n := float64(len(states))
	if math.Abs(sum/n) < leastMean*math.Sqrt(squares/n) {
		return 0
	}
	return sum / n
}
