package generator

import (
	"context"
	"errors"
	"fmt"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

// A textEncoder turns a prompt into the states that the denoiser attends to. It is safe for concurrent use.
type textEncoder struct {
	session   *inference.Session
	tokenizer *prompt.Tokenizer
	length    int           // tokens
	width     int           // numbers a token
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
	return &textEncoder{session, tokenizer, f.Tokenizer.MaxLength, f.Denoiser.CrossWidth, make(chan struct{}, 1)}, nil
}

func (t *textEncoder) close() error {
	return errors.Join(t.session.Close(), t.tokenizer.Close())
}

// encode returns the states of one prompt, length x width.
func (t *textEncoder) encode(ctx context.Context, text string) ([]float32, error) {
	tokens, err := t.tokenizer.Encode(text)
	if err != nil {
		return nil, err
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	states := make([]float32, t.length*t.width)
	l, w := int64(t.length), int64(t.width)
	err = t.session.Run(ctx,
		map[string]inference.Tensor{"input_ids": inference.Int64(tokens.IDs, 1, l)},
		map[string]inference.Tensor{"last_hidden_state": inference.Float32(states, 1, l, w)})
	return states, err
}

// encode encodes a job's texts.
func (e *Engine) encode(ctx context.Context, j *job) error {
	j.tokens = int64(e.text.length)
	var err error
	if j.positive, err = e.text.encode(ctx, j.request.Prompt); err == nil && j.guided() {
		j.negative, err = e.text.encode(ctx, j.request.Negative)
	}
	switch {
	case errors.Is(err, inference.ErrClosed), errors.Is(err, prompt.ErrClosed):
		return ErrClosed
	case errors.Is(err, prompt.ErrNUL), errors.Is(err, prompt.ErrUTF8):
		return imagine.Invalid("prompt", "%v", err)
	case err != nil && ctx.Err() == nil:
		return fmt.Errorf("the text encoder failed: %w", err)
	}
	return err
}
