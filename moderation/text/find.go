package text

import "slices"

// An occurrence is a term found in a passage.
type occurrence struct {
	from, to int // pieces
	at, end  int // the first word and the one after the last
	disguise bool
	denied   bool // "no blood"
	harmless bool // part of a harmless phrase, or of a harmless word that is written in pieces
	allowed  bool // by the operator
}

// findings are the occurrences of each term in one passage, in the order of the text.
type findings struct {
	*passage
	byTerm [][]occurrence
}

func (f *findings) empty() bool {
	return !slices.ContainsFunc(f.byTerm, func(list []occurrence) bool { return len(list) > 0 })
}

// find reads a passage.
func (j *Judge) find(p *passage) *findings {
	f := &findings{passage: p, byTerm: make([][]occurrence, len(j.terms))}
	readings := j.known.read(p, j.common)
	for i, turned := range j.turned(p) {
		readings[i] = append(readings[i], turned...)
	}
	for i := range readings {
		for _, r := range readings[i] {
			for _, ph := range j.phrases[r.word] {
				if r.doubtful && len(ph.words) == 1 {
					continue
				}
				f.match(readings, occurrence{from: i, to: r.to, disguise: r.disguise}, ph, 1)
			}
		}
	}
	f.excuse(j.terms[termHarmless], j.terms[termAllowed], j.terms[termNot])
	return f
}

// match follows a phrase of which n words are read.
func (f *findings) match(readings [][]reading, o occurrence, ph phrase, n int) {
	if n == len(ph.words) {
		o.at, o.end = f.pieces[o.from].word, f.pieces[o.to-1].word+1
		f.byTerm[ph.term] = append(f.byTerm[ph.term], o)
		return
	}
	if o.to >= len(readings) {
		return
	}
	for _, r := range readings[o.to] {
		if r.word == ph.words[n] {
			f.match(readings, occurrence{from: o.from, to: r.to, disguise: o.disguise || r.disguise}, ph, n+1)
		}
	}
}

// excuse marks what is denied, harmless or allowed where it stands.
func (f *findings) excuse(harmless, allowed, not termID) {
	for _, list := range f.byTerm {
		for i := range list {
			o := &list[i]
			o.harmless = covered(*o, f.byTerm[harmless])
			o.allowed = covered(*o, f.byTerm[allowed])
			o.denied = f.denied(*o, f.byTerm[not])
		}
	}
}

// longest is how many pieces before an occurrence a phrase that covers it may begin.
const longest = 32

func covered(o occurrence, by []occurrence) bool {
	for _, a := range by[after(by, o.from-longest):after(by, o.from+1)] {
		if a.to >= o.to {
			return true
		}
	}
	return false
}

// after is the index of the first occurrence that begins at a piece or later.
func after(list []occurrence, piece int) int {
	i, _ := slices.BinarySearchFunc(list, piece, func(o occurrence, piece int) int { return o.from - piece })
	return i
}

// reach is how many pieces after a "no" it still denies.
const reach = 4

// denied reports whether a "no" stands before an occurrence in the same clause.
func (f *findings) denied(o occurrence, nots []occurrence) bool {
	for _, n := range nots[after(nots, o.from-reach):after(nots, o.from)] {
		if n.to <= o.from && f.pieces[n.from].clause == f.pieces[o.from].clause {
			return true
		}
	}
	return false
}
