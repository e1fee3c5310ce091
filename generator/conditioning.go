package generator

import (
	"context"
	"errors"
	"fmt"

	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/generator/prompt/syntax"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

// A conditioning is what the denoiser attends to for one picture: the text encoder's states.
type conditioning struct {
	positive, negative []float32 // equally long; negative is nil without guidance
	tokens             int64     // that they are of
}

// checkTexts reports whether the notation of every picture's words can be read.
func checkTexts(r imagine.Request) error {
	if r.Plain {
		return nil
	}
	for k := range r.Count {
		positive, negative, err := syntax.Painted(r, k)
		if err != nil {
			return err
		}
		if _, err := syntax.Parse(positive); err != nil {
			return imagine.Invalid("prompt", "%v", err)
		}
		if _, err := syntax.Parse(negative); err != nil {
			return imagine.Invalid("negative", "%v", err)
		}
	}
	return nil
}

// Cut returns the words of picture k's prompts that the model does not read, for want of room; both are "" if it reads all.
func (e *Engine) Cut(r imagine.Request, k int) (positive, negative string, err error) {
	if err := checkTexts(r); err != nil {
		return "", "", err
	}
	positive, negative, err = syntax.Painted(r, k)
	if err != nil {
		return "", "", err
	}
	p, err := e.text.read(positive, r.Plain)
	if err != nil {
		return "", "", err
	}
	n, err := e.text.read(negative, r.Plain)
	return p.Cut, n.Cut, err
}

// encode encodes the texts of a job's pictures.
func (e *Engine) encode(ctx context.Context, j *job) error {
	reader := reader{e.text, j.request.Plain, map[string][][]float32{}}
	known := map[[2]string]conditioning{}
	for k := range j.request.Count {
		positive, negative, err := syntax.Painted(j.request, k)
		if err != nil {
			return err
		}
		words := [2]string{positive, negative}
		c, ok := known[words]
		if !ok {
			if c, err = reader.condition(ctx, positive, negative, j.guided()); err != nil {
				return encodeError(ctx, err)
			}
			known[words] = c
		}
		j.texts = append(j.texts, c)
	}
	return nil
}

func encodeError(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, inference.ErrClosed), errors.Is(err, prompt.ErrClosed):
		return ErrClosed
	case errors.Is(err, prompt.ErrNUL), errors.Is(err, prompt.ErrUTF8):
		return imagine.Invalid("prompt", "%v", err)
	case ctx.Err() == nil:
		return fmt.Errorf("the text encoder failed: %w", err)
	}
	return err
}

// A reader encodes the texts of one request, each once. Pictures share the states of equal texts.
type reader struct {
	encoder *textEncoder
	plain   bool
	known   map[string][][]float32 // chunks of states by text
}

// condition encodes a picture's texts and brings them to one length, the longer one's, with chunks of no words.
func (r reader) condition(ctx context.Context, positive, negative string, guided bool) (conditioning, error) {
	p, err := r.states(ctx, positive)
	if err != nil {
		return conditioning{}, err
	}
	chunks := len(p)
	var n [][]float32
	if guided {
		if n, err = r.states(ctx, negative); err != nil {
			return conditioning{}, err
		}
		chunks = max(len(p), len(n))
		if n, err = r.fill(ctx, n, chunks); err != nil {
			return conditioning{}, err
		}
	}
	p, err = r.fill(ctx, p, chunks)
	return conditioning{joined(p), joined(n), int64(chunks * r.encoder.length)}, err
}

// states returns the chunks of a text.
func (r reader) states(ctx context.Context, text string) ([][]float32, error) {
	if known, ok := r.known[text]; ok {
		return known, nil
	}
	read, err := r.encoder.read(text, r.plain)
	if err != nil {
		return nil, err
	}
	var chunks [][]float32
	for _, c := range read.List {
		s, err := r.encoder.encode(ctx, c)
		if err != nil {
			return nil, err
		}
		chunks = append(chunks, s)
	}
	r.known[text] = chunks
	return chunks, nil
}

// fill appends chunks of no words.
func (r reader) fill(ctx context.Context, chunks [][]float32, count int) ([][]float32, error) {
	if len(chunks) == count {
		return chunks, nil
	}
	empty, err := r.encoder.encode(ctx, r.encoder.tokenizer.Empty())
	if err != nil {
		return nil, err
	}
	chunks = chunks[:len(chunks):len(chunks)]
	for len(chunks) < count {
		chunks = append(chunks, empty)
	}
	return chunks, nil
}

// joined concatenates chunks along the sequence; a single one is shared.
func joined(chunks [][]float32) []float32 {
	if len(chunks) == 1 {
		return chunks[0]
	}
	var all []float32
	for _, c := range chunks {
		all = append(all, c...)
	}
	return all
}
