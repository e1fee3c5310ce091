package text

import (
	"slices"

	"github.com/easelbot/easel/moderation"
)

// A rule stops what has all its parts near each other.
type rule struct {
	name     string
	category moderation.Category
	parts    []part
	ordered  bool
	within   int // words from the first to the last; 0: anywhere
	unless   []termID
	strict   bool // what is denied or allowed counts as well
	operator bool // what sounds bad only and what is denied counts as well
	action   moderation.Action
	score    float64
}

// A part of a rule is met by any of its terms.
type part struct {
	terms    []termID
	negative bool // in the negative prompt
}

// A hit is where a rule found what it looks for, in pieces.
type hit struct{ from, to int }

// excused is how near, in words, an excusing term must be.
const excused = 6

// tries is how many occurrences are tried as the first of a rule that looks anywhere. What one does not find, a second may,
// which does not overlap it; more would find nothing new and cost the square of the length.
const tries = 4

// apply returns the first place that a rule stops.
func (r *rule) apply(f *findings) (hit, bool) {
	failed := 0
	for _, term := range r.parts[0].terms {
		for _, o := range f.byTerm[term] {
			if !r.counts(f, o, r.parts[0]) {
				continue
			}
			h, ok := r.complete(f, o)
			if ok && !r.excused(f, h) {
				return h, true
			}
			if failed++; !ok && r.within == 0 && failed >= tries {
				return hit{}, false
			}
		}
	}
	return hit{}, false
}

// counts reports whether an occurrence is one that a part of the rule means.
func (r *rule) counts(f *findings, o occurrence, p part) bool {
	switch {
	case f.negative(o.from) != p.negative:
		return false
	case r.strict:
		return !o.harmless
	case r.operator:
		return r.action == moderation.Block || !o.allowed
	}
	return !o.harmless && !o.allowed && !o.denied
}

// complete looks for the other parts around the first.
func (r *rule) complete(f *findings, first occurrence) (hit, bool) {
	h, last := hit{first.from, first.to}, first
	for _, p := range r.parts[1:] {
		o, ok := r.nearest(f, p, last)
		if !ok {
			return h, false
		}
		last = o
		if !p.negative {
			h = hit{min(h.from, o.from), max(h.to, o.to)}
		}
	}
	span := h.occurrence(f)
	return h, r.within == 0 || span.end-span.at <= r.within
}

// nearest is the occurrence of a part that is nearest to another and does not overlap it. Anywhere, the first will do.
func (r *rule) nearest(f *findings, p part, to occurrence) (best occurrence, ok bool) {
	least := 0
	for _, term := range p.terms {
		for _, o := range around(f.byTerm[term], to, r.within) {
			d := max(o.from-to.to, to.from-o.to)
			if d < 0 || ok && d >= least || r.ordered && o.from < to.to || !r.counts(f, o, p) {
				continue
			}
			best, ok, least = o, true, d
			if r.within == 0 {
				return best, ok
			}
		}
	}
	return best, ok
}

// around is the part of a list that begins within so many words of an occurrence; all of it for 0.
func around(list []occurrence, o occurrence, within int) []occurrence {
	if within == 0 {
		return list
	}
	byWord := func(o occurrence, word int) int { return o.at - word }
	first, _ := slices.BinarySearchFunc(list, o.at-within, byWord)
	last, _ := slices.BinarySearchFunc(list, o.end+within, byWord)
	return list[first:last]
}

// excused reports whether a term that excuses is near.
func (r *rule) excused(f *findings, h hit) bool {
	for _, term := range r.unless {
		for _, o := range around(f.byTerm[term], h.occurrence(f), excused) {
			if !o.disguise {
				return true
			}
		}
	}
	return false
}

func (h hit) occurrence(f *findings) occurrence {
	return occurrence{from: h.from, to: h.to, at: f.pieces[h.from].word, end: f.pieces[h.to-1].word + 1}
}
