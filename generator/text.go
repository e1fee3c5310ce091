package generator

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/generator/prompt/syntax"
	"github.com/easelbot/easel/inference"
)

// maxChunks is how many chunks of a prompt are read at most; with longer ones attention to each word is thin, and calls are slow.
const maxChunks = 8

// A textEncoder turns a prompt into the states that the denoiser attends to. It is safe for concurrent use.
type textEncoder struct {
	session   *inference.Session
	tokenizer *prompt.Tokenizer
	length    int           // tokens of a chunk
	width     int           // numbers a token
	chunks    int           // that a prompt may have
	turn      chan struct{} // holds one: texts are encoded one at a time, for the loop needs the processor
}

func openText(f *model.Folder, o Options) (*textEncoder, error) {
	tokenizer, err := newTokenizer(f)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", f.Name, err)
	}
	session, err := open(f, model.TextEncoder, o, "last_hidden_state")
	if err != nil {
		return nil, errors.Join(err, tokenizer.Close())
	}
	return &textEncoder{session, tokenizer, f.Tokenizer.MaxLength, f.Denoiser.CrossWidth, chunksOf(f), make(chan struct{}, 1)}, nil
}

// chunksOf returns how many chunks a prompt may have: one, where the denoiser's graph fixes how many tokens it attends to.
func chunksOf(f *model.Folder) int {
	states, _ := f.Signature(model.UNet).Input("encoder_hidden_states")
	if states.Fits([]int64{2, int64(2 * f.Tokenizer.MaxLength), int64(f.Denoiser.CrossWidth)}) {
		return maxChunks
	}
	return 1
}

func (t *textEncoder) close() error {
	return errors.Join(t.session.Close(), t.tokenizer.Close())
}

// read tokenises a prompt whose wildcards are resolved; plain text has no notation and no chunks.
func (t *textEncoder) read(text string, plain bool) (prompt.Chunks, error) {
	if plain {
		tokens, err := t.tokenizer.Encode(text)
		return prompt.Chunks{List: []prompt.Chunk{{IDs: tokens.IDs}}, Cut: tokens.Cut}, err
	}
	pieces, err := syntax.Parse(text)
	if err != nil {
		return prompt.Chunks{}, err
	}
	return t.tokenizer.Chunk(pieces, t.chunks)
}

// encode returns the states of one chunk, length x width, weighted.
func (t *textEncoder) encode(ctx context.Context, c prompt.Chunk) ([]float32, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	states := make([]float32, t.length*t.width)
	l, w := int64(t.length), int64(t.width)
	err := t.session.Run(ctx,
		map[string]inference.Tensor{"input_ids": inference.Int64(c.IDs, 1, l)},
		map[string]inference.Tensor{"last_hidden_state": inference.Float32(states, 1, l, w)})
	if err == nil && c.Weights != nil {
		weigh(states, c.Weights)
	}
	return states, err
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
