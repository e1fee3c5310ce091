package jobs_test

import (
	"testing"

	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/moderation"
)

// TestScreenSeesWhatIsPainted: wildcards are judged as they were drawn, and notation hides nothing.
func TestScreenSeesWhatIsPainted(t *testing.T) {
	drawn := map[moderation.Action]int{}
	for seed := range int64(40) {
		v, err := jobs.Screen(judge{}, imagine.Request{Prompt: "a {red|for{bid|got}den} fox", Count: 1, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		drawn[v.Action]++
	}
	if drawn[moderation.Allow] == 0 || drawn[moderation.Block] == 0 {
		t.Errorf("of 40 seeds %v", drawn)
	}
	tests := []struct {
		prompt string
		plain  bool
		want   moderation.Action
	}{
		{"a fox", false, moderation.Allow},
		{"for(bidd)en", false, moderation.Block},
		{"for(bidd:1.2)en", false, moderation.Block},
		{`forbi\dden`, false, moderation.Block},
		{"[for]bidden", false, moderation.Block},
		{"for(bidd)en", true, moderation.Allow}, // which a model reads with its brackets
		{"{forbidden|forbidden} fox", false, moderation.Block},
	}
	for _, tt := range tests {
		v, err := jobs.Screen(judge{}, imagine.Request{Prompt: tt.prompt, Plain: tt.plain, Count: 1})
		if err != nil || v.Action != tt.want {
			t.Errorf("%q, plain %v: %v, %v", tt.prompt, tt.plain, v.Action, err)
		}
	}
	// of four pictures one choice is enough
	if v, err := jobs.Screen(judge{}, imagine.Request{Prompt: "{a|b|c|forbidden}", Count: 64}); err != nil || v.Action != moderation.Block {
		t.Errorf("of 64 pictures none is refused: %v, %v", v.Action, err)
	}
	if _, err := jobs.Screen(judge{}, imagine.Request{Prompt: "{a|b", Count: 1}); err == nil {
		t.Error("a brace that is never closed is no error")
	}
}
