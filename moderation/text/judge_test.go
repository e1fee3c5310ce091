package text

import (
	"strings"
	"testing"

	"github.com/easelbot/easel/moderation"
)

func newJudge(tb testing.TB, words Words) *Judge {
	tb.Helper()
	j, err := New(words)
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

func TestOperatorsWords(t *testing.T) {
	j := newJudge(t, Words{
		Allow:  []string{"nude", "Größenwahn", "dragon fruit", "loli"},
		Review: []string{"fruit", "politics", "选举"},
		Block:  []string{"Moonbase Alpha", "größenwahn", "cake", "nude beach"},
	})
	tests := []struct {
		prompt string
		want   moderation.Action
		rule   string
	}{
		{"a nude on a rock", moderation.Allow, ""},
		{"a n.u.d.e on a rock", moderation.Allow, ""},
		{"a naked man", moderation.Block, "lexicon/sexual/nudity"},
		{"the MOONBASE, alpha", moderation.Block, "operator/block"},
		{"the m00nbase 4lpha", moderation.Block, "operator/block"},
		{"moonbases alphabetically", moderation.Allow, ""},
		{"grossenwahn", moderation.Allow, ""}, // ß is a letter of its own
		{"GRÖßENWAHN", moderation.Block, "operator/block"},
		{"a naked cake", moderation.Block, "operator/block"}, // harmless for us
		{"no cake", moderation.Block, "operator/block"},      // denied for us
		{"a nude beach", moderation.Block, "operator/block"},
		{"a bowl of fruit", moderation.Review, "operator/review"},
		{"a bowl of dragon fruit", moderation.Allow, ""},
		{"明天的选举", moderation.Review, "operator/review"},
		{"loli", moderation.Block, "lexicon/sexual_minors/abuse"},
	}
	for _, tt := range tests {
		v := j.Screen(tt.prompt, "")
		if v.Action != tt.want || tt.rule != "" && v.Reasons[0].Rule != tt.rule {
			t.Errorf("%q: got %v %v, want %v by %q", tt.prompt, v.Action, v.Reasons, tt.want, tt.rule)
		}
	}
}

func TestEmptyWordsAreRefused(t *testing.T) {
	for _, words := range []Words{{Allow: []string{" "}}, {Review: []string{"ok", "!!"}}, {Block: []string{""}}} {
		if _, err := New(words); err == nil || !strings.Contains(err.Error(), "holds no word") {
			t.Errorf("New(%q): got %v, want an error", words, err)
		}
	}
}

func TestNegativePrompt(t *testing.T) {
	j := newJudge(t, Words{Block: []string{"zeppelin"}})
	tests := []struct {
		name, prompt, negative string
		want                   moderation.Category // none: allowed
	}{
		{"what it names is not asked for", "a fox", "nude, nsfw, gore, zeppelin", ""},
		{"nor with a child in the picture", "a child with a kite", "nude, nsfw", ""},
		{"a word begun here and ended there", "a fox, na", "ked", moderation.Sexual},
		{"a weight below zero", "a fox", "(nude:-1.5)", moderation.Sexual},
		{"such a weight without words to stop", "a fox", "(tree:-1.5)", ""},
		{"clothes kept from a child", "a child on a bed", "clothes", moderation.SexualMinors},
		{"clothes kept from a doll", "a doll on a bed", "clothes", ""},
		{"an age that is not to be", "a nude", "adult", moderation.SexualMinors},
		{"a child that is not to be", "a nude", "child", moderation.SexualMinors},
	}
	for _, tt := range tests {
		v := j.Screen(tt.prompt, tt.negative)
		_, found := v.Scores[tt.want]
		if stopped := v.Action != moderation.Allow; stopped != (tt.want != "") || stopped && !found {
			t.Errorf("%s: Screen(%q, %q): got %v %v, want %q", tt.name, tt.prompt, tt.negative, v.Action, v.Reasons, tt.want)
		}
	}
}

// TestMinorsWinOverEverything pairs each kind of age with each kind of nakedness, plain, denied, allowed and far apart.
func TestMinorsWinOverEverything(t *testing.T) {
	j := newJudge(t, Words{Allow: []string{"nude", "naked", "child", "children", "sexual", "desnuda", "裸体"}})
	far := strings.Repeat(" trees", 80)
	for _, age := range []string{"a child", "children", "a toddler", "16 year old", "16yo", "age 12", "a schoolgirl", "ch1ld", "c h i l d", "una niña", "小女孩", "девочка", "ein Mädchen"} {
		for _, what := range []string{"nude", "n4ked", "sexual", "desnuda", "裸体", "голая", "nackt", "no nudity", "not naked"} {
			for _, prompt := range []string{age + " " + what, what + ", " + age, age + far + " " + what} {
				v := j.Screen(prompt, "")
				if v.Action != moderation.Block || v.Scores[moderation.SexualMinors] == 0 {
					t.Errorf("%q: got %v %v", prompt, v.Action, v.Scores)
				}
			}
		}
		if v := j.Screen(age+" with a kite", ""); v.Action != moderation.Allow {
			t.Errorf("%q alone is stopped: %v", age, v.Reasons)
		}
	}
}

func TestDenial(t *testing.T) {
	j := newJudge(t, Words{})
	tests := []struct {
		prompt string
		want   moderation.Action
	}{
		{"a battle with no blood and no gore", moderation.Allow},
		{"a logo without any text or gore", moderation.Allow},
		{"no trees, gore", moderation.Block},
		{"no text. naked", moderation.Block},
		{"not a single tree for miles around, and naked", moderation.Block},
		{"no clothes", moderation.Block}, // the phrase itself
	}
	for _, tt := range tests {
		if v := j.Screen(tt.prompt, ""); v.Action != tt.want {
			t.Errorf("%q: got %v %v, want %v", tt.prompt, v.Action, v.Reasons, tt.want)
		}
	}
}

func TestSpansAreAsWritten(t *testing.T) {
	j := newJudge(t, Words{})
	tests := []struct{ prompt, want string }{
		{"a N.A.K.E.D man", "N.A.K.E.D"},
		{"a ｎａｋｅｄ man", "ｎａｋｅｄ"},
		{"a n%61ked man", "n%61ked"},
		{"a *rgasm", "*rgasm"},
		{"it says bmFrZWQ= there", "bmFrZWQ="},
		{"裸体的人", "裸体"},
		{"immigrants drawn as rats", "immigrants drawn as rats"},
	}
	for _, tt := range tests {
		v := j.Screen(tt.prompt, "")
		if len(v.Reasons) == 0 || v.Reasons[0].Span != tt.want {
			t.Errorf("%q: got %v, want the span %q", tt.prompt, v.Reasons, tt.want)
		}
	}
}
