package generator

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/generator/prompt/syntax"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

// A conditioning is what the denoiser is told of one picture's texts.
type conditioning struct {
	positive, negative words // negative is empty without guidance, else as long as positive
	tokens             int64 // that they are of
}

// words are a text as the denoiser takes it.
type words struct {
	states []float32 // tokens x width
	pooled []float32 // nil for models that take none
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
	kit, err := e.kit(r)
	if err != nil {
		return "", "", err
	}
	p, err := kit.tokenise(0, positive, r.Plain)
	if err != nil {
		return "", "", err
	}
	n, err := kit.tokenise(0, negative, r.Plain)
	return p.Cut, n.Cut, err
}

// condition encodes the texts of a job's pictures.
func (t *textReader) condition(ctx context.Context, j *job) error {
	reader := reader{t, j.request, t.kit.folder.ZeroEmpty, j.readings}
	known := map[[2]string]conditioning{}
	j.texts = nil
	for k := range j.request.Count {
		positive, negative, err := syntax.Painted(j.request, k)
		if err != nil {
			return err
		}
		texts := [2]string{positive, negative}
		c, ok := known[texts]
		if !ok {
			if c, err = reader.condition(ctx, positive, negative, j.guided); err != nil {
				return readError(ctx, err)
			}
			known[texts] = c
		}
		j.texts = append(j.texts, c)
	}
	j.readings = nil
	return nil
}

func readError(ctx context.Context, err error) error {
	var invalid *imagine.InvalidError
	switch {
	case errors.As(err, &invalid):
		return err
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
	texts     *textReader
	request   imagine.Request
	zeroEmpty bool // see model.Folder
	known     map[read]reading
}

// A read is a text, and how many of the text encoder's last layers are left out for it. For the negative prompt none is, as in diffusers.
type read struct {
	text string
	skip int
}

// condition encodes a picture's texts and brings them to one length, the longer one's, with chunks of no words.
func (r reader) condition(ctx context.Context, positive, negative string, guided bool) (conditioning, error) {
	p, err := r.read(ctx, read{positive, r.request.ClipSkip})
	if err != nil {
		return conditioning{}, err
	}
	chunks := len(p.chunks)
	var n words
	if guided {
		against, err := r.readNegative(ctx, negative)
		if err != nil {
			return conditioning{}, err
		}
		chunks = max(chunks, len(against.chunks))
		if n, err = r.words(ctx, against, chunks, 0); err != nil {
			return conditioning{}, err
		}
	}
	w, err := r.words(ctx, p, chunks, r.request.ClipSkip)
	c := conditioning{w, n, int64(chunks * r.texts.length)}
	if err == nil && !c.finite() {
		err = errNotNumbers
	}
	return c, err
}

var errNotNumbers = errors.New("it gave values that are not numbers")

func (c conditioning) finite() bool {
	return !slices.ContainsFunc([][]float32{c.positive.states, c.positive.pooled, c.negative.states, c.negative.pooled},
		func(values []float32) bool { return !finite(values) })
}

func (r reader) readNegative(ctx context.Context, text string) (reading, error) {
	if text == "" && r.zeroEmpty {
		return r.texts.nothing(), nil
	}
	return r.read(ctx, read{text, 0})
}

func (r reader) read(ctx context.Context, what read) (reading, error) {
	if known, ok := r.known[what]; ok {
		return known, nil
	}
	states, err := r.texts.read(ctx, what.text, r.request.Plain, what.skip)
	if err == nil {
		r.known[what] = states
	}
	return states, err
}

// words joins a text's chunks along the sequence, with as many of no words behind them as are missing. A single chunk is shared.
func (r reader) words(ctx context.Context, read reading, count, skip int) (words, error) {
	if len(read.chunks) == 1 && count == 1 {
		return words{read.chunks[0], read.pooled}, nil
	}
	var all []float32
	for _, c := range read.chunks {
		all = append(all, c...)
	}
	if missing := count - len(read.chunks); missing > 0 {
		blank := read.chunks[0]
		if !read.zero {
			var err error
			if blank, err = r.texts.blank(ctx, skip); err != nil {
				return words{}, err
			}
		}
		all = append(all, slices.Repeat(blank, missing)...)
	}
	return words{all, read.pooled}, nil
}
