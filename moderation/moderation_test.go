package moderation_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/easelbot/easel/moderation"
)

func one(action moderation.Action, category moderation.Category, score float64) moderation.Verdict {
	return moderation.Verdict{
		Action: action, Scores: map[moderation.Category]float64{category: score},
		Reasons: []moderation.Reason{{Rule: "rule/" + string(category), Category: category, Score: score}},
	}
}

func TestJoin(t *testing.T) {
	held := one(moderation.Review, moderation.Violence, 0.6)
	blocked := one(moderation.Block, moderation.Sexual, 0.9)
	bloodier := one(moderation.Review, moderation.Violence, 0.7)
	tests := []struct {
		name        string
		a, b        moderation.Verdict
		want        moderation.Action
		sexual, vio float64
		reasons     int
	}{
		{"nothing", moderation.Verdict{}, moderation.Verdict{}, moderation.Allow, 0, 0, 0},
		{"one", held, moderation.Verdict{}, moderation.Review, 0, 0.6, 1},
		{"the stricter", held, blocked, moderation.Block, 0.9, 0.6, 2},
		{"the higher score", held, bloodier, moderation.Review, 0, 0.7, 2},
	}
	for _, tt := range tests {
		for _, v := range []moderation.Verdict{tt.a.Join(tt.b), tt.b.Join(tt.a)} {
			if v.Action != tt.want || v.Scores[moderation.Sexual] != tt.sexual || v.Scores[moderation.Violence] != tt.vio || len(v.Reasons) != tt.reasons {
				t.Errorf("%s: got %+v", tt.name, v)
			}
		}
	}
	if want := one(moderation.Review, moderation.Violence, 0.6); !reflect.DeepEqual(held, want) {
		t.Errorf("joining changed a verdict: %+v", held)
	}
}

func TestPolite(t *testing.T) {
	tests := []struct {
		name string
		v    moderation.Verdict
		want []string
	}{
		{"block", one(moderation.Block, moderation.Sexual, 1), []string{"prompt was refused", "be sexual"}},
		{"review", one(moderation.Review, moderation.Hate, 1), []string{"moderator", "a group of people"}},
		{"self-harm", one(moderation.Block, moderation.SelfHarm, 1), []string{"helpline"}},
		{"the highest", one(moderation.Block, moderation.Hate, 0.5).Join(one(moderation.Block, moderation.Illicit, 0.9)), []string{"illegal"}},
		{"children first", one(moderation.Block, moderation.SexualMinors, 0.1).Join(one(moderation.Block, moderation.Sexual, 1)), []string{"protects children"}},
		{"no category", moderation.Verdict{Action: moderation.Block}, []string{"a rule of this place"}},
	}
	for _, tt := range tests {
		said := tt.v.Polite("prompt")
		for _, want := range tt.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: got %q, want %q in it", tt.name, said, want)
			}
		}
		if strings.Count(said, ".") != 1 || !strings.HasSuffix(said, ".") {
			t.Errorf("%s: not one sentence: %q", tt.name, said)
		}
	}
	if said := (moderation.Verdict{}).Polite("prompt"); said != "" {
		t.Errorf("an allowed prompt is told %q", said)
	}
}

func TestActionNames(t *testing.T) {
	for action, want := range map[moderation.Action]string{moderation.Allow: "allow", moderation.Review: "review", moderation.Block: "block"} {
		if got := action.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
