package text

import "unicode"

// A passage is a text cut into pieces. A piece is a run of letters and digits, or one character of a script that does without
// spaces. What stands between pieces is a gap.
type passage struct {
	text   string
	glyphs []glyph
	at     []int // the piece of each glyph; in a gap, the piece that follows
	pieces []piece
	side   int // the byte where the negative prompt begins
}

type piece struct {
	first, last int  // glyphs, last excluded
	clause      int  // pieces of one clause share it
	word        int  // pieces of one word share it, as far as spaces tell
	spaces      int  // how many spaces stand before it
	broken      bool // something other than spaces stands before it
}

func (p piece) single() bool { return p.last-p.first == 1 }

// cut finds the pieces.
func cut(text string, side int) *passage {
	p := &passage{text: text, glyphs: glyphs(text), side: side}
	hideSyntax(p.glyphs)
	admitSigns(p.glyphs)
	p.at = make([]int, len(p.glyphs)+1)
	next := piece{}
	for i := 0; i < len(p.glyphs); {
		g := p.glyphs[i]
		if !g.word() {
			p.at[i] = len(p.pieces)
			next.gap(g)
			i++
			continue
		}
		next.first, next.last = i, p.end(i)
		for ; i < next.last; i++ {
			p.at[i] = len(p.pieces)
		}
		next.word = p.wordOf(next)
		p.pieces = append(p.pieces, next)
		next = piece{clause: next.clause}
	}
	p.at[len(p.glyphs)] = len(p.pieces)
	return p
}

// wordOf numbers words: those between spaces, a row of single letters, a character that is a word.
func (p *passage) wordOf(next piece) int {
	if len(p.pieces) == 0 {
		return 0
	}
	last := p.pieces[len(p.pieces)-1]
	if solid(p.glyphs[next.first].r) || next.spaces > 0 && (!next.single() || !last.single()) {
		return last.word + 1
	}
	return last.word
}

// gap notes a glyph that stands before the piece.
func (p *piece) gap(g glyph) {
	switch {
	case g.kind == space:
		p.spaces++
	case g.r == hidden:
	default:
		p.broken = true
	}
	switch g.r {
	case ',', ';', '.', '!', '?', '，', '。', '、', '|':
		p.clause++
	}
}

// end is where the piece that begins at glyph i ends.
func (p *passage) end(i int) int {
	if solid(p.glyphs[i].r) {
		return i + 1
	}
	for i < len(p.glyphs) && p.glyphs[i].word() && !solid(p.glyphs[i].r) {
		i++
	}
	return i
}

// span is the text from one piece to another, as it was written. It never crosses into the negative prompt.
func (p *passage) span(from, to int) string {
	start, end := p.bytes(from, to)
	if start < p.side {
		end = min(end, p.side)
	}
	return p.text[start:end]
}

// bytes is where pieces stand in the text, with the signs at both ends that are there for a letter.
func (p *passage) bytes(from, to int) (start, end int) {
	first, last := p.pieces[from].first, p.pieces[to-1].last
	for first > 0 && letterSign(p.glyphs[first-1]) {
		first--
	}
	for last < len(p.glyphs) && letterSign(p.glyphs[last]) {
		last++
	}
	return p.glyphs[first].start, p.glyphs[last-1].end
}

func letterSign(g glyph) bool {
	return g.kind == sign && (g.r == '*' || g.r == '@' || g.r == '$')
}

// negative reports whether a piece belongs to the negative prompt.
func (p *passage) negative(piece int) bool {
	return p.glyphs[p.pieces[piece].first].start >= p.side
}

// hideSyntax turns what steers the model and is not read as words into signs: weights (":1.3)", "::-0.5") and BREAK.
func hideSyntax(all []glyph) {
	for i := range all {
		switch {
		case all[i].r == ':':
			hide(all[i:weight(all, i)])
		case all[i].r == 'b' && all[i].upper && keyword(all, i, "break"):
			hide(all[i : i+5])
		}
	}
}

// admitSigns makes a word of signs that stand for letters a word: "@$$".
func admitSigns(all []glyph) {
	for i := 0; i < len(all); {
		end := i
		for end < len(all) && all[end].kind == sign && stands(all[end].r) != "" {
			end++
		}
		free := (i == 0 || all[i-1].kind == space) && (end == len(all) || all[end].kind == space)
		for k := i; k < end && free && end-i >= 3; k++ {
			all[k].kind = digit
		}
		i = end + 1
	}
}

func hide(all []glyph) {
	for i := range all {
		all[i].kind = sign
	}
}

// weight is where the weight that begins at a colon ends; i if there is none.
func weight(all []glyph, i int) int {
	end := i
	for end < len(all) && all[end].r == ':' {
		end++
	}
	digits := false
	for ; end < len(all) && (all[end].kind == digit || all[end].r == '.' || all[end].r == '-'); end++ {
		digits = digits || all[end].kind == digit
	}
	if !digits || end < len(all) && all[end].kind == letter {
		return i
	}
	return end
}

// keyword reports whether a word in capitals stands alone at glyph i.
func keyword(all []glyph, i int, word string) bool {
	if i > 0 && all[i-1].word() || i+len(word) < len(all) && all[i+len(word)].word() {
		return false
	}
	for k, r := range word {
		if i+k >= len(all) || all[i+k].r != r || !all[i+k].upper {
			return false
		}
	}
	return true
}

// digits reports whether glyphs of a piece are all digits.
func digits(all []glyph) bool {
	for _, g := range all {
		if g.kind != digit && !unicode.IsDigit(g.r) {
			return false
		}
	}
	return true
}
