package slack

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/jobs"
)

func TestCut(t *testing.T) {
	for _, test := range []struct {
		in    string
		limit int
		want  string
	}{
		{"", 3, ""}, {"fox", 3, "fox"}, {"foxes", 3, "fo…"}, {"fo xes", 4, "fo…"}, {"🦊🦊", 4, "🦊🦊"}, {"🦊🦊", 3, "🦊…"}, {"🦊a", 2, "…"},
	} {
		if got := cut(test.in, test.limit); got != test.want {
			t.Errorf("cut(%q, %d) = %q, want %q", test.in, test.limit, got, test.want)
		}
	}
}

func TestEscape(t *testing.T) {
	for _, s := range []string{"<!channel>", "a & b", "&lt;", "&amp;lt;", "<@U1>", ""} {
		if got := unescape(escape(s)); got != s || strings.ContainsAny(escape(s), "<>") {
			t.Errorf("%q becomes %q and then %q", s, escape(s), got)
		}
	}
}

func TestPress(t *testing.T) {
	for _, test := range []struct {
		id, value string
		want      press
		ok        bool
	}{
		{"e1:vary:2", "01J", press{"vary", 2, "01J", ""}, true},
		{"e1:vary:2", "01J@C1", press{"vary", 2, "01J", "C1"}, true},
		{"e2:vary:2", "01J", press{}, false},
		{"e1:vary:-1", "01J", press{}, false},
		{"e1:vary:2\n", "01J", press{}, false},
		{"e1:vary", "01J", press{}, false},
		{"e1:vary:2", "", press{}, false},
		{"e1:vary:2", "../etc", press{}, false},
	} {
		if got, ok := parsePress(test.id, test.value); got != test.want || ok != test.ok {
			t.Errorf("parsePress(%q, %q) = %+v, %v, want %+v, %v", test.id, test.value, got, ok, test.want, test.ok)
		}
	}
}

// The server's own checks hold a message of everything too long to Block Kit's limits.
func TestWhatIsTooLongIsCut(t *testing.T) {
	a, s := newAdapter(t)
	s.Processing(0)
	long := strings.Repeat("<&🦊 ", 5000)
	m := message(jobs.Done)
	m.Prompt, m.Status, m.Options, m.Author.Name = long, long, long, long
	m.Origin = &bot.Origin{Text: long}
	m.Pictures = append(m.Pictures, bot.Picture{Index: 2, Alt: long, Veiled: true})
	m.Pictures[0].Alt = long
	for i := range 60 {
		m.Buttons = append(m.Buttons, bot.Button{Action: "vary", Index: i, Label: long, Help: "Vary"})
	}
	l := &live{}
	if err := a.upload(t.Context(), here, l, message(jobs.Done)); err != nil {
		t.Fatal(err)
	}
	empty := bot.Message{Job: "01JOB", Pictures: []bot.Picture{{}}, Buttons: []bot.Button{{Action: "vary"}}}
	for i, w := range []words{
		drawn(m, "01JOB", l.files), drawn(empty, "01JOB", l.files), sentence(long), sentence(""),
		detailed([]bot.Detail{{Name: "Prompt", Value: long}, {Name: "Seed", Value: "7"}}),
	} {
		if _, _, err := a.api.PostMessageContext(t.Context(), here.Channel, w.options()...); err != nil {
			t.Errorf("message %d: Slack says %v", i, err)
		}
		if !utf8.ValidString(w.text) || strings.ContainsAny(w.text, "<>") {
			t.Errorf("message %d: the text is not escaped: %.80q", i, w.text)
		}
	}
}

func TestRedacted(t *testing.T) {
	cause := errors.New(`Post "https://hooks.slack.com/commands/T1/2/abc": xoxb-1-a refused, xoxe.xoxp-1-b and xapp-1-c too, wss://x/?ticket=1`)
	err := redacted(fmt.Errorf("posting: %w", cause))
	if got, want := err.Error(), `posting: Post "(redacted)": (redacted) refused, (redacted) and (redacted) too, (redacted)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !errors.Is(err, cause) || redacted(nil) != nil {
		t.Error("the cause is lost, or there is one where there was none")
	}
}

func TestDoors(t *testing.T) {
	now := time.Now()
	d := newDoors()
	d.keep(here, ada, "a", now)
	for i := range doorPosts + 1 {
		if got := d.take(here, ada, now); (got == "a") != (i < doorPosts) {
			t.Errorf("post %d goes to %q", i, got)
		}
	}
	d.keep(here, ada, "b", now)
	if d.take(here, ada, now.Add(doorLife)) != "" || d.take(here, bot.Person{ID: "U2"}, now) != "" {
		t.Error("a response URL is used too late or for somebody else")
	}
	a, err := Open(Options{BotToken: "xoxb-1", AppToken: "xapp-1", Pictures: shelf{}})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"https://hooks.slack.com/commands/1": true, "http://hooks.slack.com/1": false, "https://evil.example/": false,
		"https://hooks.slack.com.evil.example/": false, "https://x@evil.example/slack.com": false, "": false, "://": false,
	} {
		if a.isDoor(address) != want {
			t.Errorf("isDoor(%q) is not %v", address, want)
		}
	}
}

func TestSeenForgetsInTime(t *testing.T) {
	s, now := newSeen(), time.Now()
	if !s.first("a", now) || s.first("a", now.Add(remembered-1)) || !s.first("a", now.Add(remembered)) || len(s.order) != 1 {
		t.Error("a key is not remembered for as long as it should be")
	}
}

func TestLivesAreBounded(t *testing.T) {
	s := newLives()
	for i := range maxLives + 10 {
		job := fmt.Sprint(i)
		s.name("C:"+job, s.of(job))
	}
	if len(s.jobs) != maxLives || len(s.ids) != maxLives || len(s.order) != maxLives || s.named("C:0") != nil || s.named("C:1009") == nil {
		t.Errorf("%d jobs and %d messages are remembered, want the newest %d", len(s.jobs), len(s.ids), maxLives)
	}
}

func FuzzPress(f *testing.F) {
	f.Add("e1:vary:2", "01J@C1")
	f.Fuzz(func(t *testing.T, id, value string) {
		p, ok := parsePress(id, value)
		if ok && (p.index < 0 || p.index > 999 || p.action == "" || p.job == "" || len(p.job) > 64 || strings.ContainsAny(p.action+p.job+p.home, "/:@ \n")) {
			t.Errorf("parsePress(%q, %q) = %+v", id, value, p)
		}
	})
}

func FuzzPayload(f *testing.F) {
	f.Add(formType, "command=%2Fimagine&text=a&team_id=T1&channel_id=C1&user_id=U1&trigger_id=1")
	f.Add(formType, "payload="+url.QueryEscape(`{"type":"block_actions","actions":[{"type":"button","action_id":"e1:vary:1","value":"01J"}],"team":{"id":"T1"},"user":{"id":"U1"},"channel":{"id":"C1"},"message":{"blocks":[{"type":"image"}]}}`))
	f.Add(formType, "payload="+url.QueryEscape(`{"type":"block_actions","actions":[null]}`))
	f.Add("application/json", `{"type":"url_verification","challenge":"x"}`)
	f.Fuzz(func(t *testing.T, kind, body string) {
		p, err := readPayload(kind, []byte(body))
		if err != nil {
			return
		}
		if p.command != nil {
			if c, err := commandOf(*p.command, "id"); err == nil && (c.Key == "" || c.Place.Tenant == "" || c.Place.Channel == "" || c.Person.ID == "" || c.Name == "") {
				t.Errorf("an incomplete command was taken: %+v", c)
			}
		}
		if p.press != nil {
			if a, err := actionOf(*p.press, "id"); err == nil && (a.Key == "" || a.Place.Tenant == "" || a.Place.Channel == "" || a.Person.ID == "") {
				t.Errorf("an incomplete action was taken: %+v", a)
			}
		}
	})
}
