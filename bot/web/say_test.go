package web

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/bot"
)

func TestChat(t *testing.T) {
	h := newHouse(t)
	v, other := h.visitor(t), h.visitor(t)
	first := v.say("1", " hello\u202e <b>all</b> ")
	if again := v.say("1", "hello once more"); again != first {
		t.Errorf("the same key again is message %d, want %d", again, first)
	}
	if theirs := other.say("1", "me too"); theirs == first {
		t.Error("two people share a key")
	}
	list, _ := other.history()
	if len(list) != 2 {
		t.Fatalf("%d messages, want 2", len(list))
	}
	m := list[0]
	if m.ID != first || m.Kind != "chat" || m.Text != "hello <b>all</b>" || *m.Author != v.me || m.Private || time.Since(m.At) > time.Minute {
		t.Errorf("message %+v", m)
	}
}

func TestCommands(t *testing.T) {
	v := newHouse(t).visitor(t)
	var got bot.Command
	var answer bot.Reply
	v.house.talk.do = func(c bot.Command) (bot.Reply, error) { got = c; return answer, nil }
	for _, test := range []struct {
		line, name, text string
		answer           bot.Reply
		status           int
		body             string
	}{
		{"/imagine a red fox --count 2", "imagine", "a red fox --count 2", bot.Reply{Job: "01J"}, 202, `{"job":"01J"}`},
		{" /Imagine\n two\nlines ", "imagine", "two\nlines", bot.Reply{Job: "01J"}, 202, `{"job":"01J"}`},
		{"/help", "help", "", bot.Reply{Notice: "Type <this>."}, 200, `{"notice":"Type \u003cthis\u003e."}`},
		{"/", "", "", bot.Reply{}, 200, `{}`},
	} {
		answer = test.answer
		a := v.send("POST", "/api/commands", fmt.Sprintf(`{"key":"k1","text":%q,"of":"a later page"}`, test.line))
		if a.status != test.status || string(a.body) != test.body {
			t.Errorf("%q: %d %s, want %d %s", test.line, a.status, a.body, test.status, test.body)
		}
		want := bot.Command{Key: v.me.ID + ":k1", Place: general, Person: v.me, Name: test.name, Text: test.text}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %+v, want %+v", test.line, got, want)
		}
	}
}

func TestActions(t *testing.T) {
	h := newHouse(t)
	h.owner(t)
	v := h.visitor(t)
	var got bot.Action
	v.house.talk.press = func(a bot.Action) (bot.Reply, error) {
		got = a
		return bot.Reply{Details: []bot.Detail{{Name: "Seed", Value: "7"}}}, nil
	}
	a := v.send("POST", "/api/actions", `{"key":"k1","job":"01J","action":"details","index":2}`)
	if want := `{"details":[{"name":"Seed","value":"7"}]}`; a.status != http.StatusOK || string(a.body) != want {
		t.Errorf("%d %s, want 200 %s", a.status, a.body, want)
	}
	want := bot.Action{Key: v.me.ID + ":k1", Place: general, Person: v.me, Name: "details", Job: "01J", Index: 2}
	if got != want {
		t.Errorf("action %+v, want %+v", got, want)
	}
}

// Whatever the conversation returns has its status, and only what is for the member is told.
func TestErrors(t *testing.T) {
	v := newHouse(t).owner(t)
	var err error
	v.house.talk.do = func(bot.Command) (bot.Reply, error) { return bot.Reply{}, err }
	for code, status := range map[string]int{
		"command": 400, "option": 400, "prompt": 400, "refused": 403, "not_yours": 403, "gone": 404, "too_late": 409,
		"limited": 429, "busy": 503, "disk_full": 503, "failed": 500, "unheard of": 500,
	} {
		err = fmt.Errorf("wrapped: %w", &bot.Error{Code: code, Text: "A sentence.", Option: "size", Retry: 1500 * time.Millisecond})
		a := v.send("POST", "/api/commands", `{"key":"k","text":"/imagine"}`)
		want := problem{Code: code, Message: "A sentence.", Option: "size", RetryAfter: 2}
		if p := problemOf(t, a); a.status != status || p != want || a.header.Get("Retry-After") != "2" {
			t.Errorf("%s: %d %+v, want %d %+v", code, a.status, p, status, want)
		}
	}
	if v.house.logs.Len() > 0 {
		t.Errorf("what is the member's was logged: %s", v.house.logs)
	}
}

func TestErrorsForTheLog(t *testing.T) {
	v := newHouse(t).visitor(t)
	v.house.talk.do = func(bot.Command) (bot.Reply, error) { return bot.Reply{}, errBroken }
	a := v.send("POST", "/api/commands", `{"key":"k","text":"/imagine a private prompt"}`)
	if p := problemOf(t, a); a.status != http.StatusInternalServerError || p.Code != "failed" || strings.Contains(p.Message, "lever") {
		t.Errorf("%d %+v", a.status, p)
	}
	if log := v.house.logs.String(); !strings.Contains(log, errBroken.Error()) || strings.Contains(log, "private prompt") {
		t.Errorf("log %s", log)
	}
}

func TestChatHasAPace(t *testing.T) {
	v := newHouse(t).visitor(t)
	v.house.talk.pace = &bot.Error{Code: "limited", Text: "Wait a moment.", Retry: 3 * time.Second}
	a := v.send("POST", "/api/commands", `{"key":"k","text":"hello"}`)
	if p := problemOf(t, a); a.status != http.StatusTooManyRequests || p.Code != "limited" {
		t.Errorf("%d %+v, want 429 limited", a.status, p)
	}
}

func TestErrorOfFullDisk(t *testing.T) {
	v := newHouse(t).visitor(t)
	v.house.talk.do = func(bot.Command) (bot.Reply, error) { return bot.Reply{}, errors.Join(errBroken, errFullDisk) }
	a := v.send("POST", "/api/commands", `{"key":"k","text":"/imagine"}`)
	if p := problemOf(t, a); a.status != http.StatusServiceUnavailable || p.Code != "disk_full" {
		t.Errorf("%d %+v, want 503 disk_full", a.status, p)
	}
}

func TestBadRequests(t *testing.T) {
	v := newHouse(t).visitor(t)
	errHeard := errors.New("the conversation heard it") // which would be the status 500
	v.house.talk.do = func(bot.Command) (bot.Reply, error) { return bot.Reply{}, errHeard }
	v.house.talk.press = func(bot.Action) (bot.Reply, error) { return bot.Reply{}, errHeard }
	for _, test := range []struct{ method, path, body, kind, code string }{
		{"POST", "/api/commands", `{"key":"k","text":"` + strings.Repeat("x", 5000) + `"}`, "", "option"},
		{"POST", "/api/commands", `{"key":"k","text":" \u202e "}`, "", "option"},
		{"POST", "/api/commands", `{"key":"k","text":"a ` + refuse + `"}`, "", "refused"},
		{"POST", "/api/commands", `{"text":"/imagine"}`, "", "request"},
		{"POST", "/api/commands", `{"key":"a b","text":"/imagine"}`, "", "request"},
		{"POST", "/api/commands", `{"key":"` + strings.Repeat("k", 65) + `","text":"/imagine"}`, "", "request"},
		{"POST", "/api/commands", `{"key":"k","text":"/imagine"`, "", "request"},
		{"POST", "/api/commands", `{"key":"k","text":"/imagine"} {}`, "", "request"},
		{"POST", "/api/commands", `{"key":"k","text":7}`, "", "request"},
		{"POST", "/api/commands", `[]`, "", "request"},
		{"POST", "/api/commands", `{"key":"k","text":"` + strings.Repeat("x", maxBody) + `"}`, "", "too_large"},
		{"POST", "/api/commands", `key=k&text=/imagine`, "application/x-www-form-urlencoded", "type"},
		{"POST", "/api/commands", `{"key":"k","text":"/imagine"}`, "text/plain", "type"},
		{"POST", "/api/actions", `{"key":"k","index":"one"}`, "", "request"},
		{"POST", "/api/actions", `{"key":"k","index":1e99}`, "", "request"},
		{"POST", "/api/actions", `{"job":"j"}`, "", "request"},
		{"GET", "/api/commands", "", "", "method"},
		{"DELETE", "/api/session", "", "", "method"},
		{"POST", "/api/events", "", "", "method"},
		{"POST", "/", "", "", "method"},
		{"GET", "/api/", "", "", "not_found"},
		{"GET", "/api/messages?before=x", "", "", "request"},
		{"GET", "/api/messages?before=-1", "", "", "request"},
		{"GET", "/api/messages?before=99999999999999999999", "", "", "request"},
		{"GET", "/api/messages?limit=0", "", "", "request"},
	} {
		headers := []string{}
		if test.kind != "" {
			headers = []string{"Content-Type", test.kind}
		}
		a := v.send(test.method, test.path, test.body, headers...)
		if p := problemOf(t, a); a.status != statuses[test.code] || p.Code != test.code || p.Message == "" {
			t.Errorf("%s %s %.50s: %d %+v, want %s", test.method, test.path, test.body, a.status, p, test.code)
		}
		if allow := a.header.Get("Allow"); (allow != "") != (test.code == "method") {
			t.Errorf("%s %s: Allow %q", test.method, test.path, allow)
		}
	}
	if list, _ := v.history(); len(list) > 0 {
		t.Errorf("there are messages: %+v", list)
	}
}
