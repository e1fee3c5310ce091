package bot

import (
	"strings"
	"testing"

	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/jobs"
)

// TestWildcardsAreTold: each picture says which choice it shows, and Details say it too.
func TestWildcardsAreTold(t *testing.T) {
	r := imagine.Request{Prompt: "a {red|blue} fox", Count: 4, Seed: 7, Width: 128, Height: 128, Steps: 1, Sampler: "ddim"}
	s := &saga{job: jobs.Job{ID: "j", Request: r}}
	b, _ := newBot(t, s)
	reply, err := b.Press(t.Context(), Action{Place: place, Name: "details", Job: "j"})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, d := range reply.Details {
		told[d.Name] = d.Value
	}
	if told["Prompt"] != r.Prompt {
		t.Errorf("the prompt is told as %q", told["Prompt"])
	}
	for k, name := range []string{"Picture 1", "Picture 2", "Picture 3", "Picture 4"} {
		if want := painted(r, k); told[name] != want || strings.ContainsAny(want, "{|}") {
			t.Errorf("%s is %q, want %q", name, told[name], want)
		}
	}
}
