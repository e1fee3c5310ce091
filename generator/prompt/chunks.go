package prompt

import (
	"slices"
	"strings"

	"github.com/daulet/tokenizers"

	"github.com/easelbot/easel/generator/prompt/syntax"
)

// A Chunk is as much of a prompt as the text encoder takes at once.
type Chunk struct {
	IDs     []int64   // as many as the model's length
	Weights []float32 // one a token, 1 for marks and padding; nil if all are 1
}

// Chunks is a prompt of any length as the text encoder takes it.
type Chunks struct {
	List []Chunk // at least one
	Cut  string  // the end of the text, free of notation, which did not fit; usually ""
}

// commaRange is how far from a chunk's end a comma may be for what follows it to move to the next chunk.
const commaRange = 20

// Chunk tokenises the pieces of a prompt one by one and fills chunks with them, at most limit of them, 1 or more. A break
// begins a new chunk. Where a full chunk has a comma among its last 20 tokens, what comes after the comma moves to the next
// one, so that what belongs together is read together. In the last chunk that there may be, neither happens: it is
// filled, and what does not fit is cut. Errors are those of [Tokenizer.Encode].
func (t *Tokenizer) Chunk(pieces []syntax.Piece, limit int) (Chunks, error) {
	p := packer{room: t.length - t.marks, limit: limit, comma: t.comma, lastComma: -1}
	frame := t.empty
	for i, piece := range pieces {
		if piece.Break {
			p.end()
			continue
		}
		e, err := t.read(piece.Text)
		if err != nil {
			return Chunks{}, err
		}
		front, back := marks(e)
		if front < len(e.IDs) {
			frame = framing{numbers(e.IDs[:front]), numbers(e.IDs[len(e.IDs)-back:])}
		}
		for n := front; n < len(e.IDs)-back; n++ {
			if !p.add(token{int64(e.IDs[n]), float32(piece.Weight)}) {
				return Chunks{t.frame(p.finish(), frame), from(piece.Text, e.Offsets[n][0]) + texts(pieces[i+1:])}, nil
			}
		}
	}
	return Chunks{List: t.frame(p.finish(), frame)}, nil
}

// Empty returns the chunk of no words, which brings a prompt to the length of another.
func (t *Tokenizer) Empty() Chunk { return t.frame([][]token{nil}, t.empty)[0] }

// texts joins the words of pieces.
func texts(pieces []syntax.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.Text)
		if p.Break {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// A framing is the tokens that mark a text's start and end.
type framing struct{ front, back []int64 }

// marks counts the tokens at both ends that are marks; of a text without words all are in front.
func marks(e tokenizers.Encoding) (front, back int) {
	for front < len(e.IDs) && e.SpecialTokensMask[front] == 1 {
		front++
	}
	if front == len(e.IDs) {
		return front, 0
	}
	return front, marksAtEnd(e.SpecialTokensMask)
}

// frame marks and pads the tokens of each chunk.
func (t *Tokenizer) frame(chunks [][]token, f framing) []Chunk {
	list := make([]Chunk, len(chunks))
	for i, tokens := range chunks {
		around := f
		if len(tokens) == 0 {
			around = t.empty
		}
		ids := slices.Grow(slices.Clone(around.front), t.length)
		for _, token := range tokens {
			ids = append(ids, token.id)
		}
		ids = append(ids, around.back...)
		for len(ids) < t.length {
			ids = append(ids, t.pad)
		}
		list[i] = Chunk{ids, weights(tokens, len(around.front), t.length)}
	}
	return list
}

// weights returns those of a chunk whose tokens come after so many marks, nil if all are 1.
func weights(tokens []token, front, length int) []float32 {
	if !slices.ContainsFunc(tokens, func(t token) bool { return t.weight != 1 }) {
		return nil
	}
	w := slices.Repeat([]float32{1}, length)
	for i, t := range tokens {
		w[front+i] = t.weight
	}
	return w
}

type token struct {
	id     int64
	weight float32
}

// A packer fills chunks with tokens.
type packer struct {
	room, limit int
	comma       int64 // -1 if the vocabulary has none

	chunks    [][]token // that are full
	open      []token
	lastComma int // of the open chunk, or -1
}

// last reports whether the open chunk is the last that there may be.
func (p *packer) last() bool { return len(p.chunks) == p.limit-1 }

// add reports whether there was room for a token.
func (p *packer) add(t token) bool {
	full := len(p.open) == p.room
	switch {
	case full && p.last():
		return false
	case full && t.id != p.comma && p.lastComma >= 0 && len(p.open)-p.lastComma <= commaRange:
		tail := slices.Clone(p.open[p.lastComma+1:])
		p.open = p.open[:p.lastComma+1]
		p.end()
		p.open = tail
	case full:
		p.end()
	}
	if t.id == p.comma {
		p.lastComma = len(p.open)
	}
	p.open = append(p.open, t)
	return true
}

// end begins a new chunk, where there may be one.
func (p *packer) end() {
	if !p.last() {
		p.chunks, p.open, p.lastComma = append(p.chunks, p.open), nil, -1
	}
}

func (p *packer) finish() [][]token {
	if len(p.open) > 0 || len(p.chunks) == 0 {
		p.chunks = append(p.chunks, p.open)
	}
	return p.chunks
}
