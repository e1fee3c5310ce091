package text

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/easelbot/easel/moderation"
)

// Words are what the operator has decided. Each is a word or a phrase in any language; case, accents and spelling tricks make
// no difference.
type Words struct {
	Allow  []string // our lexicon stops none of these; sexual_minors and Block still do
	Review []string // held for a moderator
	Block  []string // refused
}

// A Judge screens prompts. It does not change, and may be used by many at once.
type Judge struct {
	known   *vocabulary
	common  map[string]bool
	phrases map[wordID][]phrase // by their first word
	terms   map[string]termID
	rules   []rule
}

// The terms that have a meaning of their own.
const (
	termHarmless = "harmless"       // whole phrases that only sound bad
	termNot      = "not"            // what follows is denied
	termAllowed  = "operator.allow" // the operator's
	termHeld     = "operator.review"
	termBlocked  = "operator.block"
)

type termID int32

// New makes a judge that also knows the operator's words. It fails if one of them has neither letters nor digits.
func New(words Words) (*Judge, error) {
	lex, err := builtIn()
	if err != nil {
		return nil, fmt.Errorf("the built-in lexicon is broken: %w", err)
	}
	return compile(lex, words)
}

func compile(lex *lexicon, words Words) (*Judge, error) {
	j := &Judge{known: newVocabulary(), common: lex.common, phrases: map[wordID][]phrase{}, terms: map[string]termID{}}
	for _, term := range []string{termHarmless, termNot, termAllowed, termHeld, termBlocked} {
		j.term(term)
	}
	if err := j.addTerms(lex.terms, false); err != nil {
		return nil, fmt.Errorf("the built-in lexicon is broken: %w", err)
	}
	if err := j.addTerms(lex.other, true); err != nil {
		return nil, fmt.Errorf("the built-in lexicon is broken: %w", err)
	}
	if err := j.addOperator(words); err != nil {
		return nil, err
	}
	if err := j.addRules(lex.rules); err != nil {
		return nil, fmt.Errorf("the built-in lexicon is broken: %w", err)
	}
	return j, nil
}

// addTerms adds lists of phrases in the notation of the lexicon.
func (j *Judge) addTerms(terms map[string]string, foreign bool) error {
	for _, term := range slices.Sorted(maps.Keys(terms)) {
		phrases, err := expand(terms[term])
		if err != nil {
			return fmt.Errorf("term %s: %w", term, err)
		}
		for _, text := range phrases {
			j.add(term, text, foreign)
		}
	}
	return nil
}

// add makes a phrase one of a term, and reports whether there was anything in it.
func (j *Judge) add(term, text string, foreign bool) bool {
	words := j.known.phrase(text)
	if len(words) == 0 {
		return false
	}
	id := j.term(term)
	j.phrases[words[0]] = append(j.phrases[words[0]], phrase{words, id, foreign})
	return true
}

func (j *Judge) term(name string) termID {
	id, ok := j.terms[name]
	if !ok {
		id = termID(len(j.terms))
		j.terms[name] = id
	}
	return id
}

func (j *Judge) addOperator(words Words) error {
	for _, list := range []struct {
		key, term string
		words     []string
	}{
		{"moderation.allow", termAllowed, words.Allow},
		{"moderation.review", termHeld, words.Review},
		{"moderation.block", termBlocked, words.Block},
	} {
		for _, word := range list.words {
			if !j.add(list.term, word, false) {
				return fmt.Errorf("%s: %q holds no word; write a word or a phrase", list.key, word)
			}
		}
	}
	return nil
}

func (j *Judge) addRules(entries []named) error {
	entries = append([]named{
		{entry{If: termBlocked, Block: 1}, "operator/block", moderation.Custom},
		{entry{If: termHeld, Review: 1}, "operator/review", moderation.Custom},
	}, entries...)
	for _, e := range entries {
		r, err := j.rule(e)
		if err != nil {
			return fmt.Errorf("rule %s: %w", e.name, err)
		}
		j.rules = append(j.rules, r)
		j.markAlone(r)
	}
	return nil
}

// markAlone notes the words that a rule stops wherever they stand. Those of other languages are left out: parted or backwards,
// too many are English words ("setup").
func (j *Judge) markAlone(r rule) {
	if len(r.parts) > 1 {
		return
	}
	for first, phrases := range j.phrases {
		for _, p := range phrases {
			if len(p.words) == 1 && !p.foreign && slices.Contains(r.parts[0].terms, p.term) {
				j.known.info[first].alone = true
			}
		}
	}
}

// rule finds the terms that an entry names.
func (j *Judge) rule(e named) (rule, error) {
	r := rule{name: e.name, category: e.category, within: e.Within, action: moderation.Block, score: e.Block}
	r.strict, r.operator = e.category == moderation.SexualMinors, e.category == moderation.Custom
	if e.Review > 0 {
		r.action, r.score = moderation.Review, e.Review
	}
	if r.score <= 0 || r.score > 1 || e.Block > 0 && e.Review > 0 {
		return r, fmt.Errorf("it needs either block or review, a score above 0 and up to 1")
	}
	joint := "&"
	if r.ordered = strings.Contains(e.If, ">"); r.ordered {
		joint = ">"
	}
	for text := range strings.SplitSeq(e.If, joint) {
		text, negative := strings.CutPrefix(strings.TrimSpace(text), "~")
		terms, err := j.named(text)
		if err != nil {
			return r, err
		}
		r.parts = append(r.parts, part{terms, negative})
	}
	var err error
	if e.Unless != "" {
		r.unless, err = j.named(e.Unless)
	}
	return r, err
}

// named finds "a|b". The operator's terms may be empty, ours may not.
func (j *Judge) named(terms string) ([]termID, error) {
	var ids []termID
	for name := range strings.SplitSeq(terms, "|") {
		name = strings.TrimSpace(name)
		if _, ok := j.terms[name]; !ok && !strings.HasPrefix(name, "operator.") {
			return nil, fmt.Errorf("there is no term %q", name)
		}
		ids = append(ids, j.term(name))
	}
	return ids, nil
}
