package text

import (
	"fmt"
	"slices"
	"strings"
)

// expand writes out the notation of the lexicon: "(big|huge|) tit(s|)" becomes each combination, and "torture+" the word with
// its regular English endings. Phrases stand between commas and line ends; what follows a # on a line is a comment.
func expand(list string) ([]string, error) {
	var all []string
	for line := range strings.Lines(list) {
		line, _, _ = strings.Cut(line, "#")
		for phrase := range strings.SplitSeq(line, ",") {
			if phrase = strings.TrimSpace(phrase); phrase == "" {
				continue
			}
			forms, err := alternatives(phrase)
			if err != nil {
				return nil, err
			}
			for _, form := range forms {
				all = append(all, inflect(form)...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// alternatives writes out the innermost bracket of a phrase, then the others in each result, which may repeat itself.
func alternatives(phrase string) ([]string, error) {
	end := strings.IndexByte(phrase, ')')
	open := strings.LastIndexByte(phrase[:max(end, 0)], '(')
	if end < 0 && !strings.Contains(phrase, "(") {
		return []string{phrase}, nil
	}
	if end < 0 || open < 0 {
		return nil, fmt.Errorf("%q: a bracket is left open", phrase)
	}
	var all []string
	for choice := range strings.SplitSeq(phrase[open+1:end], "|") {
		forms, err := alternatives(phrase[:open] + choice + phrase[end+1:])
		if err != nil {
			return nil, err
		}
		all = append(all, forms...)
	}
	return all, nil
}

// inflect writes out the first + of a phrase: the word alone, with -s, -ed and -ing.
func inflect(phrase string) []string {
	stem, rest, found := strings.Cut(phrase, "+")
	if !found {
		return []string{phrase}
	}
	all := []string{stem + rest}
	cut := strings.TrimSuffix(stem, "e")
	for _, ending := range []string{"ed", "ing"} {
		all = append(all, cut+ending+rest)
	}
	switch {
	case strings.HasSuffix(stem, "sh") || strings.HasSuffix(stem, "ch") || strings.HasSuffix(stem, "s") || strings.HasSuffix(stem, "x"):
		return append(all, stem+"es"+rest)
	default:
		return append(all, stem+"s"+rest)
	}
}

// A phrase is a sequence of known words that belongs to a term.
type phrase struct {
	words   []wordID
	term    termID
	foreign bool // in another language than English
}

// words cuts a phrase of the lexicon or of the operator as a prompt is cut.
func (v *vocabulary) phrase(text string) []wordID {
	p := cut(text, len(text))
	ids := make([]wordID, len(p.pieces))
	for i, piece := range p.pieces {
		var b strings.Builder
		for _, g := range p.glyphs[piece.first:piece.last] {
			b.WriteRune(g.r)
		}
		ids[i] = v.add(b.String())
	}
	return ids
}
