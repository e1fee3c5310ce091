package generator

import (
	"context"
	"errors"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/generator/prompt/syntax"
)

// maxChunks is how many chunks of a prompt are read at most; with longer ones attention to each word is thin, and calls are slow.
const maxChunks = 8

// chunksOf returns how many chunks a prompt may have: one, where the denoiser's graph fixes how many tokens it attends to.
func chunksOf(f *model.Folder) int {
	states, _ := f.Signature(model.UNet).Input("encoder_hidden_states")
	if states.Fits([]int64{2, int64(2 * f.Texts[0].Tokenizer.MaxLength), int64(f.Denoiser.CrossWidth)}) {
		return maxChunks
	}
	return 1
}

// length is how many tokens a chunk has.
func (k *kit) length() int { return k.folder.Texts[0].Tokenizer.MaxLength }

// tokenise reads a prompt whose wildcards are resolved with the tokenizer of encoder i; plain text has no notation and is a single chunk.
func (k *kit) tokenise(i int, text string, plain bool) (prompt.Chunks, error) {
	t := k.tokenizers[i]
	if plain {
		tokens, err := t.Encode(text)
		return prompt.Chunks{List: []prompt.Chunk{{IDs: tokens.IDs}}, Cut: tokens.Cut}, err
	}
	pieces, err := syntax.Parse(text)
	if err != nil {
		return prompt.Chunks{}, err
	}
	return t.Chunk(pieces, k.most)
}

// tokeniseAll reads it with the tokenizers of all encoders, which give equally many chunks, count.
func (k *kit) tokeniseAll(text string, plain bool) (lists [][]prompt.Chunk, count int, err error) {
	for i := range k.tokenizers {
		read, err := k.tokenise(i, text, plain)
		if err != nil {
			return nil, 0, err
		}
		lists = append(lists, read.List)
		count = max(count, len(read.List))
	}
	for i, t := range k.tokenizers {
		for len(lists[i]) < count {
			lists[i] = append(lists[i], t.Empty())
		}
	}
	return lists, count, nil
}

// count returns how many chunks a text has.
func (k *kit) count(text string, plain bool) (int, error) {
	_, n, err := k.tokeniseAll(text, plain)
	return n, err
}

// A textReader is a model's text encoders, one or two, which read the same text. It is safe for concurrent use.
type textReader struct {
	kit      *kit
	encoders []*textEncoder
	length   int           // tokens of a chunk
	width    int           // numbers a token, of all encoders side by side
	pooled   int           // numbers of the pooled embedding, 0 if the denoiser takes none
	turn     chan struct{} // holds one: texts are encoded one at a time, for the loop needs the processor
}

func (k *kit) openTexts(o Options) (*textReader, error) {
	t := &textReader{kit: k, length: k.length(), width: k.folder.Denoiser.CrossWidth, pooled: k.folder.Denoiser.Pooled, turn: make(chan struct{}, 1)}
	for _, text := range k.folder.Texts {
		e, err := openText(k.folder, text, o)
		if err != nil {
			return nil, errors.Join(err, t.close())
		}
		t.encoders = append(t.encoders, e)
	}
	return t, nil
}

func (t *textReader) close() error {
	var errs []error
	for _, e := range t.encoders {
		errs = append(errs, e.close())
	}
	return errors.Join(errs...)
}

// A reading is a text as the denoiser attends to it.
type reading struct {
	chunks [][]float32 // states of each, length x width
	pooled []float32   // of the first, or nil
	zero   bool        // they are all zeros
}

// read encodes a text whose wildcards are resolved.
func (t *textReader) read(ctx context.Context, text string, plain bool, skip int) (reading, error) {
	lists, count, err := t.kit.tokeniseAll(text, plain)
	if err != nil {
		return reading{}, err
	}
	var r reading
	for c := range count {
		states, pooled, err := t.encode(ctx, skip, func(i int) prompt.Chunk { return lists[i][c] })
		if err != nil {
			return reading{}, err
		}
		if c == 0 {
			r.pooled = pooled
		}
		r.chunks = append(r.chunks, states)
	}
	return r, nil
}

func (t *textReader) empty(i int) prompt.Chunk { return t.kit.tokenizers[i].Empty() }

// blank returns the states of a chunk of no words.
func (t *textReader) blank(ctx context.Context, skip int) ([]float32, error) {
	states, _, err := t.encode(ctx, skip, t.empty)
	return states, err
}

// nothing is a text that stands for no states at all.
func (t *textReader) nothing() reading {
	return reading{[][]float32{make([]float32, t.length*t.width)}, make([]float32, t.pooled), true}
}

// encode runs every encoder on its chunk and lays their states side by side, token by token.
func (t *textReader) encode(ctx context.Context, skip int, chunk func(encoder int) prompt.Chunk) (states, pooled []float32, err error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if len(t.encoders) == 1 {
		return t.encoders[0].encode(ctx, chunk(0), skip)
	}
	states = make([]float32, t.length*t.width)
	from := 0
	for i, e := range t.encoders {
		s, p, err := e.encode(ctx, chunk(i), skip)
		if err != nil {
			return nil, nil, err
		}
		if p != nil {
			pooled = p
		}
		for token := range t.length {
			copy(states[token*t.width+from:], s[token*e.text.Width:(token+1)*e.text.Width])
		}
		from += e.text.Width
	}
	return states, pooled, nil
}
