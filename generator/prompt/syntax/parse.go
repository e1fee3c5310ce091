package syntax

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What brackets without a number do.
const (
	roundWeight  = 1.1
	squareWeight = 1 / 1.1
)

// Parse reads a prompt. There is at least one piece; neighbours differ in weight, unless one is a break. The error is an
// [*Error].
func Parse(text string) ([]Piece, error) {
	p := parser{text: text}
	for p.at < len(text) {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	return p.finish()
}

// A parser has read text up to at. Brackets are kept as the number of pieces before them: what closes one changes the
// pieces since.
type parser struct {
	text          string
	at            int
	pieces        []Piece
	round, square []int
}

// next reads one bracket, escape, weight or run of text.
func (p *parser) next() error {
	rest := p.text[p.at:]
	switch c := rest[0]; {
	case c == '\\':
		p.escape(rest)
	case c == '(':
		p.round = append(p.round, len(p.pieces))
		p.at++
	case c == '[':
		p.square = append(p.square, len(p.pieces))
		p.at++
	case c == ')' && len(p.round) > 0:
		p.at++
		p.multiply(pop(&p.round), roundWeight)
	case c == ']' && len(p.square) > 0:
		p.at++
		p.multiply(pop(&p.square), squareWeight)
	case c == ':' && len(p.round) > 0:
		return p.colon(rest)
	case strings.IndexByte(`)]:`, c) >= 0:
		p.run(rest[:1])
	default:
		if i := strings.IndexAny(rest, `\()[]:`); i > 0 {
			rest = rest[:i]
		}
		p.run(rest)
	}
	return nil
}

func pop(stack *[]int) int {
	last := len(*stack) - 1
	top := (*stack)[last]
	*stack = (*stack)[:last]
	return top
}

// escape reads a backslash and the character it protects; alone it stands for nothing.
func (p *parser) escape(rest string) {
	if len(rest) > 1 && strings.IndexByte(`\()[]{}|`, rest[1]) >= 0 {
		p.add(Piece{Text: rest[1:2], Weight: 1}, 2)
		return
	}
	p.add(Piece{Weight: 1}, 1)
}

// add appends a piece that ends n bytes on.
func (p *parser) add(piece Piece, n int) {
	if len(p.pieces) > 0 {
		piece.Start = p.pieces[len(p.pieces)-1].End
	}
	p.at += n
	piece.End = p.at
	p.pieces = append(p.pieces, piece)
}

// multiply weighs the pieces since a bracket, the last of which takes the closing bracket.
func (p *parser) multiply(from int, weight float64) {
	for i := from; i < len(p.pieces); i++ {
		p.pieces[i].Weight *= weight
	}
	if n := len(p.pieces); n > 0 {
		p.pieces[n-1].End = p.at
	}
}

var closing = regexp.MustCompile(`^:[\s\v\p{Z}]*([+-]?[.\d]+)[\s\v\p{Z}]*\)`)

// colon reads ":1.3)"; a colon that is none of those is text. A round bracket is open.
func (p *parser) colon(rest string) error {
	m := closing.FindStringSubmatchIndex(rest)
	if m == nil {
		p.run(rest[:1])
		return nil
	}
	number := rest[m[2]:m[3]]
	weight, err := strconv.ParseFloat(number, 64)
	switch {
	case math.Abs(weight) > MaxWeight:
		return wrong(p.text, p.at+m[2], "%s is too large a weight; take one up to %d, and 0.5 to 1.5 for pictures that hold together", number, MaxWeight)
	case err != nil:
		return wrong(p.text, p.at+m[2], `%q is not a number; write a weight as in (word:1.3), or \( and \) for brackets that are only text`, number)
	}
	p.at += m[1]
	p.multiply(pop(&p.round), weight)
	return nil
}

const breakWord = "BREAK"

// run adds text, which may hold breaks. The blanks around a break belong to it.
func (p *parser) run(text string) {
	for {
		i := findBreak(text)
		if i < 0 {
			p.add(Piece{Text: text, Weight: 1}, len(text))
			return
		}
		before := strings.TrimRightFunc(text[:i], unicode.IsSpace)
		after := strings.TrimLeftFunc(text[i+len(breakWord):], unicode.IsSpace)
		p.add(Piece{Text: before, Weight: 1}, len(before))
		p.add(Piece{Weight: 1, Break: true}, len(text)-len(before)-len(after))
		text = after
	}
}

// findBreak returns where the first BREAK is that is a word of its own, or -1.
func findBreak(text string) int {
	for from := 0; ; {
		i := strings.Index(text[from:], breakWord)
		if i < 0 {
			return -1
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(breakWord):])
		if !inWord(before) && !inWord(after) {
			return i
		}
		from = i + len(breakWord)
	}
}

func inWord(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsNumber(c) }

// finish weighs what is still open, and joins neighbours of one weight.
func (p *parser) finish() ([]Piece, error) {
	for _, from := range p.round {
		p.multiply(from, roundWeight)
	}
	for _, from := range p.square {
		p.multiply(from, squareWeight)
	}
	if len(p.pieces) == 0 {
		p.pieces = []Piece{{Weight: 1}}
	}
	p.pieces[len(p.pieces)-1].End = len(p.text)
	joined := p.pieces[:1]
	for _, next := range p.pieces[1:] {
		last := &joined[len(joined)-1]
		if last.Weight == next.Weight && !last.Break && !next.Break {
			last.Text += next.Text
			last.End = next.End
			continue
		}
		joined = append(joined, next)
	}
	return joined, p.check(joined)
}

func (p *parser) check(pieces []Piece) error {
	for _, piece := range pieces {
		if math.Abs(piece.Weight) > MaxWeight {
			return wrong(p.text, piece.Start, "the brackets around this multiply to a weight of %.4g; take some away, it may be up to %d", piece.Weight, MaxWeight)
		}
	}
	return nil
}
