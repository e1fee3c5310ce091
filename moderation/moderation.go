// Package moderation says what may be painted and shown. Words are screened before, pictures inspected after;
// both give a [Verdict], which explains itself to moderators in full and to the member politely. The judges themselves are the
// packages text and image.
package moderation

import (
	"fmt"
	"slices"
)

// An Action is what is to happen. A greater one is stricter.
type Action int

// The actions.
const (
	Allow  Action = iota
	Review        // a moderator must look at it first
	Block
)

// String is the action's name in JSON and on the command line.
func (a Action) String() string { return [...]string{"allow", "review", "block"}[a] }

// A Category is a kind of harm.
type Category string

// The categories, by the names they have everywhere.
const (
	Sexual       Category = "sexual"
	SexualMinors Category = "sexual_minors"
	Hate         Category = "hate"
	Harassment   Category = "harassment"
	Violence     Category = "violence"
	SelfHarm     Category = "self_harm"
	Dangerous    Category = "dangerous"
	Illicit      Category = "illicit"
	Deception    Category = "deception"
	Custom       Category = "custom" // the operator's own words
)

// A Verdict is what a judge found. The zero Verdict allows.
type Verdict struct {
	Action  Action
	Scores  map[Category]float64 // 0 to 1; what is not named scored 0
	Reasons []Reason
}

// A Reason is for moderators: what made the verdict what it is.
type Reason struct {
	Rule     string   `json:"rule"` // "lexicon/sexual/…", "opennsfw"
	Category Category `json:"category"`
	Span     string   `json:"span,omitempty"` // the words, as they were written
	Score    float64  `json:"score"`
}

// Join is the stricter of two verdicts, with the reasons of both, each once.
func (v Verdict) Join(w Verdict) Verdict {
	joined := Verdict{Action: max(v.Action, w.Action), Reasons: slices.Clone(v.Reasons)}
	for _, r := range w.Reasons {
		if !slices.Contains(joined.Reasons, r) {
			joined.Reasons = append(joined.Reasons, r)
		}
	}
	if len(v.Scores)+len(w.Scores) > 0 {
		joined.Scores = map[Category]float64{}
	}
	for _, scores := range []map[Category]float64{v.Scores, w.Scores} {
		for category, score := range scores {
			joined.Scores[category] = max(joined.Scores[category], score)
		}
	}
	return joined
}

// Polite tells the member why, in one sentence without the words themselves; empty when the verdict allows. noun is what was
// judged: "prompt", "picture".
func (v Verdict) Polite(noun string) string {
	about := about[v.category()]
	switch v.Action {
	case Block:
		return fmt.Sprintf("Sorry, this %s was refused because it seems to %s.", noun, about)
	case Review:
		return fmt.Sprintf("Sorry, this %s may %s and would need a moderator's approval, which cannot be asked for here yet.", noun, about)
	}
	return ""
}

// about says for each category what a prompt or a picture seems to do.
var about = map[Category]string{
	Sexual:       "be sexual",
	SexualMinors: "break the rule that protects children",
	Hate:         "attack or belittle a group of people",
	Harassment:   "insult or threaten someone",
	Violence:     "be cruel or bloody",
	SelfHarm:     "be about hurting oneself (if that is how you feel, please talk to someone you trust or to a local helpline)",
	Dangerous:    "help to do great harm",
	Illicit:      "be about something illegal",
	Deception:    "deceive people about somebody or something real",
	Custom:       "touch a subject this place has ruled out",
	"":           "break a rule of this place",
}

// category is the one the member is told of: the gravest, then the surest.
func (v Verdict) category() Category {
	if _, ok := v.Scores[SexualMinors]; ok {
		return SexualMinors
	}
	var worst Category
	for category, score := range v.Scores {
		if score > v.Scores[worst] || score == v.Scores[worst] && category < worst {
			worst = category
		}
	}
	return worst
}
