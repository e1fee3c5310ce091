package text

import (
	"reflect"
	"strings"
	"testing"

	"github.com/easelbot/easel/moderation"
)

// FuzzScreen holds what is true of any text: a verdict that is the same each time and whose spans were written.
func FuzzScreen(f *testing.F) {
	for _, disguise := range disguises {
		f.Add(disguise("naked")+" man", disguise("gore"))
	}
	f.Add("*\xff $@!. \x00裸·体 (a:-1) %6", "ked ::1")
	j := newJudge(f, Words{Allow: []string{"orgasm"}, Review: []string{"zeppelin"}, Block: []string{"moonbase alpha"}})
	f.Fuzz(func(t *testing.T, prompt, negative string) {
		v := j.Screen(prompt, negative)
		if again := j.Screen(prompt, negative); !reflect.DeepEqual(v, again) {
			t.Fatalf("judged twice: %v, then %v", v, again)
		}
		if (v.Action == moderation.Allow) != (len(v.Reasons) == 0) || len(v.Reasons) < min(len(v.Scores), 1) {
			t.Fatalf("%v with the reasons %v", v.Action, v.Reasons)
		}
		for _, r := range v.Reasons {
			if !strings.Contains(prompt, r.Span) && !strings.Contains(negative, r.Span) {
				t.Fatalf("the span %q of %s was not written", r.Span, r.Rule)
			}
			if r.Score <= 0 || r.Score > 1 {
				t.Fatalf("score %v", r.Score)
			}
		}
	})
}
