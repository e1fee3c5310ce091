// Package text judges prompts by rules: what people write, whatever way they spell it, against a lexicon by category.
//
// # How a prompt is read
//
// [Judge.Screen] folds the prompt into glyphs: NFKC, lower case, without accents and escapes, each with the Latin letter it
// looks like. It cuts them into pieces at everything that is neither letter nor digit; weights and BREAK, which steer the model, part
// words and are not read. From every piece a walker then follows a trie of all words that the rules know, trying for each
// glyph what it may stand for: itself, a look-alike, the letter of a digit or sign (h3r0), a hidden one (h*ro), one of many
// (heeero), and gaps skipped (h.e.r.o, he🌸ro, h e r o). So the vocabulary decides what a disguise means, and a disguise on a
// harmless word finds nothing. Words end where pieces end: there is no "ass" in "bass". Backwards, rot13, base64, hexadecimal
// and binary are undone where the result is words.
//
// # How it is judged
//
// The files of lexicon/ list terms (words and phrases) and rules: a term that stops alone, or several near each other (a group of
// people and vermin), unless another is near (a wound and a museum). Three things excuse an occurrence: it is part of a harmless phrase
// (naked mole rat), it is denied in the same clause (no blood), or the operator allows it. Operator's words go through the
// same walker, so they are found in disguise too. The operator's Block wins over Allow, and Allow over Review and our
// lexicon.
//
// What a negative prompt names is not asked for and not judged, with three exceptions: a word begun in the prompt and ended
// there, the rules of sexual_minors that look at it (a child in the one, clothes in the other), and a negative prompt with a
// weight below zero, which asks after all and is judged as part of the prompt.
//
// sexual_minors blocks whatever is allowed or denied.
//
// # What it does not do
//
// Rules know words, not meanings: a cruel scene told in harmless words passes here, and is for a classifier and for the judge
// of pictures. docs/moderation.md has the figures.
//
// Time and memory are linear in the length of the prompt, whatever it says.
package text

import (
	"strings"

	"github.com/easelbot/easel/moderation"
)

// mostReasons is how many reasons a verdict lists; more tell a moderator nothing new.
const mostReasons = 16

// Screen judges a prompt and its negative prompt, both as they were written, in any length, valid UTF-8 or not. The same words
// always have the same verdict. Scores are the rules' own, in 0 to 1; a reason's span is part of the prompt or of the
// negative prompt.
func (j *Judge) Screen(prompt, negative string) moderation.Verdict {
	text, side := prompt, len(prompt)
	if negative != "" {
		text += "\n" + negative
		if asksAfterAll(negative) {
			side = len(text)
		}
	}
	v := j.judge(cut(text, side), "")
	asked := text[:side] // the negative prompt too, where it asks
	for _, s := range j.secrets(asked) {
		v = v.Join(j.judge(cut(s.plain, len(s.plain)), asked[s.start:s.end]))
	}
	if len(v.Reasons) > mostReasons {
		v.Reasons = v.Reasons[:mostReasons]
	}
	return v
}

// asksAfterAll reports whether a negative prompt holds a weight below zero.
func asksAfterAll(negative string) bool {
	return strings.Contains(strings.ReplaceAll(negative, " ", ""), ":-")
}

// judge applies every rule to a passage. span stands for all of it where it was decoded from something else.
func (j *Judge) judge(p *passage, span string) moderation.Verdict {
	var v moderation.Verdict
	f := j.find(p)
	if f.empty() {
		return v
	}
	for i := range j.rules {
		r := &j.rules[i]
		h, ok := r.apply(f)
		if !ok {
			continue
		}
		reason := moderation.Reason{Rule: r.name, Category: r.category, Span: span, Score: r.score}
		if span == "" {
			reason.Span = p.span(h.from, h.to)
		}
		v = v.Join(moderation.Verdict{
			Action: r.action, Scores: map[moderation.Category]float64{r.category: r.score}, Reasons: []moderation.Reason{reason},
		})
	}
	return v
}
