package text

// A belief says whether a disguised word counts: perhaps, if it is part of a longer phrase.
type belief int

const (
	no belief = iota
	perhaps
	yes
)

// plausible says how far to believe that the word that ends before glyph i was meant. Words of one or two letters are in
// everything; most letters of a word must be there.
func (w *walker) plausible(i int, p trail, known word) belief {
	n := known.length
	switch {
	case n < 3 || n-p.guessed < 2 || p.guessed > (n+1)/2:
		return no
	case p.guessed > p.stars && (n < 4 || p.guessed > 1 || p.gaps > 0):
		return no
	case p.guessed+p.gaps > 0 && 2*p.real < n:
		return no // f1.4
	case p.real == 0 && !w.signs(i):
		return perhaps // 455
	case p.gaps == 0:
		return yes
	}
	return w.parted(w.from, w.until(i), p, known)
}

// signs reports whether the word that ends before glyph i is written with a sign such as @ or $.
func (w *walker) signs(i int) bool {
	for k := w.pieces[w.from].first; k < i; k++ {
		if g := w.glyphs[k]; g.kind != letter && (g.r < '0' || g.r > '9') {
			return true
		}
	}
	return false
}

// parted judges a word with gaps in it: "s e x", "s.e.x", "na-ked", "na ked". Letters one by one are enough for a long word; a
// short one must be all there is between its neighbours, or there would be one in "g.l.a.s.s". A word parted by spaces counts
// if the rules stop it alone and not all parts are words themselves ("the rapist").
func (w *walker) parted(from, to int, p trail, known word) belief {
	singles, everyday := true, true
	for k := from; k < to && k < len(w.pieces); k++ {
		singles = singles && w.pieces[k].single()
		everyday = everyday && w.everyday(k)
	}
	switch {
	case singles && (known.length >= 5 || w.leftEnd(from) && w.rightEnd(to)), p.spaces == 0 && !singles:
		return yes
	case singles:
		return perhaps
	case p.guessed == 0 && known.alone && known.length >= 5 && to-from <= 3 && !everyday && p.gaps <= 2 && w.together(from, to):
		return yes
	}
	return no
}

// together reports whether pieces are of one clause, and the first is no "'s".
func (w *walker) together(from, to int) bool {
	first := w.pieces[from]
	return first.clause == w.pieces[to-1].clause && (!first.single() || first.spaces > 0 || from == 0)
}

// everyday reports whether a piece is a word by itself, a common one or one that the rules know.
func (w *walker) everyday(k int) bool {
	for _, r := range w.found[k] {
		if r.to == k+1 && !r.disguise {
			return true
		}
	}
	piece := w.pieces[k]
	var buf [12]byte
	b := buf[:0]
	for _, g := range w.glyphs[piece.first:min(piece.last, piece.first+12)] {
		b = append(b, byte(min(g.r, 127)))
	}
	return w.common[string(b)]
}

// leftEnd reports whether a row of single letters begins at a piece; an article may stand before it.
func (w *walker) leftEnd(k int) bool {
	if k == 0 || !w.pieces[k-1].single() || w.wider(k, k+1) {
		return true
	}
	article := w.glyphs[w.pieces[k-1].first].r
	return (article == 'a' || article == 'i') && (k == 1 || !w.pieces[k-2].single())
}

func (w *walker) rightEnd(k int) bool {
	return k == len(w.pieces) || !w.pieces[k].single() || w.wider(k, k-1)
}

// wider reports whether the gap before a piece is wider than that before another.
func (w *walker) wider(k, other int) bool {
	a, b := w.pieces[k], w.pieces[other]
	return a.spaces > b.spaces || a.spaces == b.spaces && a.broken && !b.broken
}
