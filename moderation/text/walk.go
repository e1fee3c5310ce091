package text

import (
	"slices"
	"strings"
)

// A reading is a word that can be read from one piece of a passage up to another.
type reading struct {
	to       int // the piece after the last
	word     wordID
	disguise bool
	doubtful bool // it counts only as part of a longer phrase
}

// effort bounds the steps spent on the readings that begin at one place, so that the time grows with the length of a text
// only, whatever it says. An ordinary word takes about ten.
const effort = 120

// A walker follows a passage through the vocabulary, letter by letter, trying what each character may stand for.
type walker struct {
	*passage
	*vocabulary
	common map[string]bool
	found  [][]reading // by piece
	from   int
	steps  int
}

// A trail is what a walker has read so far.
type trail struct {
	at       node
	last     rune
	letters  int
	guessed  int // letters that a sign such as * hides
	stars    int // of those, written as *
	real     int // letters that were written as letters
	spaces   int // gaps with a space in them
	gaps     int
	disguise bool
}

// read finds all readings of a passage, by the piece they begin with.
func (v *vocabulary) read(p *passage, common map[string]bool) [][]reading {
	w := &walker{passage: p, vocabulary: v, common: common, found: make([][]reading, len(p.pieces))}
	for i, piece := range slices.Backward(p.pieces) { // parted words ask what their later parts are
		w.from = i
		w.begin(piece.first)
		if !digits(p.glyphs[piece.first : piece.first+1]) {
			continue
		}
		if k := piece.first + w.leadingDigits(piece); k < piece.last {
			w.begin(k) // 18porn
		}
	}
	for i, g := range p.glyphs {
		if w.startsWithSign(i, g) {
			w.from = min(p.at[i], len(p.pieces)-1)
			w.begin(i)
		}
	}
	return w.found
}

func (w *walker) begin(g int) {
	w.steps = effort
	w.step(g, trail{})
}

func (w *walker) leadingDigits(p piece) (n int) {
	for n < p.last-p.first && w.glyphs[p.first+n].kind == digit {
		n++
	}
	return n
}

// startsWithSign reports whether a word may begin with the sign at i: "*ussy", "$ex".
func (w *walker) startsWithSign(i int, g glyph) bool {
	if g.kind != sign || len(w.pieces) == 0 || i+1 >= len(w.glyphs) || i > 0 && w.glyphs[i-1].kind != space {
		return false
	}
	return (g.r == '*' || stands(g.r) != "") && w.glyphs[i+1].kind != space
}

// step reads on from glyph i.
func (w *walker) step(i int, p trail) {
	if w.steps--; w.steps < 0 {
		return
	}
	if p.letters > 0 && w.ends(i, p) {
		w.emit(i, p)
	}
	if i >= len(w.glyphs) {
		return
	}
	g := w.glyphs[i]
	if g.word() {
		w.stepWord(i, g, p)
		return
	}
	if g.kind == sign && w.inGap(i) {
		w.stepSign(i, g, p)
	}
	if p.letters > 0 {
		w.skipGap(i, p)
	}
}

// stepWord reads a letter or a digit as itself, as what it looks like and as what it stands for.
func (w *walker) stepWord(i int, g glyph, p trail) {
	q := p
	q.real++
	if g.kind == digit {
		q.real--
	}
	w.follow(i, g.r, q)
	if g.look != g.r {
		q.disguise = true
		w.follow(i, g.look, q)
	}
	q.disguise = true
	for _, r := range stands(g.r) {
		w.follow(i, r, q)
	}
	if g.upper && g.r == 'i' && i > 0 && w.glyphs[i-1].word() && !w.glyphs[i-1].upper {
		w.follow(i, 'l', q) // kiIl
	}
	if g.look == p.last && w.run(i) >= 3 {
		p.disguise = true
		w.step(i+1, p) // seeex
	}
}

// run is how often the glyph at i stands there in a row.
func (w *walker) run(i int) int {
	first, last := i, i
	for first > 0 && i-first < 3 && w.glyphs[first-1].look == w.glyphs[i].look {
		first--
	}
	for last+1 < len(w.glyphs) && last-i < 3 && w.glyphs[last+1].look == w.glyphs[i].look {
		last++
	}
	return last - first + 1
}

// inGap reports whether the sign at i belongs to a gap short enough to be letters: up to three signs, no space.
func (w *walker) inGap(i int) bool {
	first, last := i, i
	for first > 0 && w.glyphs[first-1].kind == sign && i-first < 4 {
		first--
	}
	for last+1 < len(w.glyphs) && w.glyphs[last+1].kind == sign && last-i < 4 {
		last++
	}
	return last-first < 3
}

// stepSign reads a sign as the letter it stands for, or as one that is to be guessed.
func (w *walker) stepSign(i int, g glyph, p trail) {
	p.disguise = true
	for _, r := range stands(g.r) {
		w.follow(i, r, p)
	}
	if p.guessed >= 3 || !w.guessable(i, g) {
		return
	}
	p.guessed++
	if g.r == '*' {
		p.stars++
	}
	for r := 'a'; r <= 'z'; r++ {
		w.follow(i, r, p)
	}
}

// guessable reports whether a sign can stand for any letter: a * anywhere, others within a word, but not those that bracket,
// quote and end words.
func (w *walker) guessable(i int, g glyph) bool {
	if g.r == '*' {
		return true
	}
	return i > 0 && w.glyphs[i-1].word() && i+1 < len(w.glyphs) && w.glyphs[i+1].word() && !strings.ContainsRune(brackets, g.r)
}

const brackets = "()[]{}<>\"'’‘“”,;:/\\|!" + string(hidden)

func (w *walker) follow(i int, r rune, p trail) {
	next, ok := w.child[edge{p.at, r}]
	if !ok {
		return
	}
	p.at, p.last, p.letters = next, r, p.letters+1
	w.step(i+1, p)
}

// skipGap reads on after the signs and spaces at i.
func (w *walker) skipGap(i int, p trail) {
	spaced := false
	for i < len(w.glyphs) && !w.glyphs[i].word() {
		spaced = spaced || w.glyphs[i].kind == space
		i++
	}
	if i == len(w.glyphs) {
		return
	}
	p.disguise = true
	p.gaps++
	if spaced {
		p.spaces++
	}
	w.step(i, p)
}

// ends reports whether a word may end before glyph i: at the end of a piece, or where only digits are left of it.
func (w *walker) ends(i int, p trail) bool {
	if i >= len(w.glyphs) || !w.glyphs[i].word() || !w.glyphs[i-1].word() && w.glyphs[i-1].kind == space {
		return true
	}
	if !w.glyphs[i-1].word() {
		return false
	}
	piece := w.pieces[w.at[i]]
	return i == piece.first || p.letters >= 4 && digits(w.glyphs[i:piece.last])
}

// emit notes the word that ends before glyph i, unless the disguise is one that harmless text wears too.
func (w *walker) emit(i int, p trail) {
	id := w.words[p.at]
	if id == 0 {
		return
	}
	r := reading{to: w.until(i), word: id, disguise: p.disguise}
	if p.disguise {
		belief := w.plausible(i, p, w.info[id])
		if belief == no {
			return
		}
		r.doubtful = belief == perhaps
	}
	for k, other := range w.found[w.from] {
		if other.to == r.to && other.word == id {
			w.found[w.from][k].disguise = other.disguise && r.disguise
			w.found[w.from][k].doubtful = other.doubtful && r.doubtful
			return
		}
	}
	w.found[w.from] = append(w.found[w.from], r)
}

// until is the piece after those of the word that ends before glyph i, which may be a sign.
func (w *walker) until(i int) int {
	if w.glyphs[i-1].word() {
		return w.at[i-1] + 1
	}
	return max(w.at[i-1], w.from+1)
}
