package web

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/imagine"
)

// hostile is a prompt that would like to be more than text.
const hostile = "</script><img src=x onerror=alert(1)> \u2028event: message\r\ndata: {}\n\n<b>fox"

// waitingCase is a case that nobody has decided.
func waitingCase(id string, author bot.Person) bot.CaseMessage {
	return bot.CaseMessage{
		Case: id, Title: "2 of 4 pictures", Author: author, Channel: general.Channel, At: time.UnixMilli(1_700_000_000_000),
		Prompt: hostile, Reasons: []string{"violence: own/review, 0.80"}, Status: "Waiting for a moderator",
		Buttons: []bot.Button{{Action: "reveal", Label: "Show pictures"}, {Action: "approve", Label: "Approve"}, {Action: "reject", Label: "Reject"}},
	}
}

func decidedCase(id string, author bot.Person) bot.CaseMessage {
	m := waitingCase(id, author)
	m.Status, m.Decided, m.Buttons = "Rejected by Mo", true, nil
	return m
}

// caseIn is the case in a message.
func caseIn(t *testing.T, m Message) (c bot.CaseMessage) {
	t.Helper()
	if err := json.Unmarshal(m.Case, &c); err != nil || m.Kind != "case" || !m.Private || m.Author.Name != "Easel" {
		t.Fatalf("no case in %s: %v", mustJSON(t, m), err)
	}
	return c
}

func TestCaseMessages(t *testing.T) {
	h := newHouse(t)
	if id, err := h.PostCase(t.Context(), general, "", waitingCase("01C", bot.Person{})); id != "" || err != nil {
		t.Errorf("before anybody came: %q, %v", id, err)
	}
	owner, other := h.owner(t), h.visitor(t)
	waiting, decided := waitingCase("01C", other.me), decidedCase("01C", other.me)
	if _, err := h.Post(t.Context(), general, jobMessage("01C", other.me, "held")); err != nil { // of the same name
		t.Fatal(err)
	}
	elsewhere := general
	elsewhere.Tenant = "elsewhere"
	for _, step := range []struct {
		name  string
		do    func() error
		moves bool
		want  bot.CaseMessage
	}{
		{"post", func() error { return posted(t.Context(), h, general, waiting, "01C") }, true, waiting},
		{"post again", func() error { return posted(t.Context(), h, general, waiting, "01C") }, false, waiting},
		{"post another tenant's", func() error { return posted(t.Context(), h, elsewhere, waitingCase("01D", other.me), "") }, false, waiting},
		{"show the same", func() error { return h.ShowCase(t.Context(), general, "01C", waiting) }, false, waiting},
		{"show decided", func() error { return h.ShowCase(t.Context(), general, "01C", decided) }, true, decided},
		{"post what is decided", func() error { return posted(t.Context(), h, general, waiting, "01C") }, false, decided},
	} {
		_, before := owner.history()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		list, after := owner.history()
		if (after > before) != step.moves {
			t.Errorf("%s: from revision %d to %d", step.name, before, after)
		}
		if got := caseIn(t, list[len(list)-1]); len(list) != 2 || mustJSON(t, got) != mustJSON(t, step.want) {
			t.Errorf("%s: of %d messages the last is %+v", step.name, len(list), got)
		}
	}
	if list, _ := other.history(); len(list) != 1 || list[0].Kind != "job" || !strings.Contains(string(list[0].Job), `"held"`) {
		t.Errorf("somebody else sees %+v", list)
	}
	if err := h.ShowCase(t.Context(), general, "01E", decided); err == nil || !strings.Contains(err.Error(), "case 01E") {
		t.Errorf("a case that was never posted: %v", err)
	}
}

// posted posts a case and wants this ID of its message.
func posted(ctx context.Context, h *house, place bot.Place, m bot.CaseMessage, want string) error {
	id, err := h.PostCase(ctx, place, "", m)
	if err == nil && id != want {
		err = fmt.Errorf("its ID is %q, want %q", id, want)
	}
	return err
}

// The stream brings a case to its owner, as it comes and as it is decided, and to nobody else.
func TestCasesInTheStream(t *testing.T) {
	h := newHouse(t)
	owner, other := h.owner(t), h.visitor(t)
	mine, theirs := owner.listen(""), other.listen("")
	if err := posted(t.Context(), h, general, waitingCase("01C", other.me), "01C"); err != nil {
		t.Fatal(err)
	}
	if c := caseIn(t, mine.until("message").message(t)); c.Prompt != hostile || len(c.Buttons) != 3 {
		t.Errorf("it comes as %+v", c)
	}
	if err := h.ShowCase(t.Context(), general, "01C", decidedCase("01C", other.me)); err != nil {
		t.Fatal(err)
	}
	if c := caseIn(t, mine.until("message").message(t)); !c.Decided || len(c.Buttons) != 0 {
		t.Errorf("it changes to %+v", c)
	}
	other.say("k", "after it")
	if first := theirs.until("message").message(t); first.Text != "after it" {
		t.Errorf("somebody else hears of %+v", first)
	}
}

func TestTheOwnerModerates(t *testing.T) {
	h := newHouse(t)
	owner, other := h.owner(t), h.visitor(t)
	held := bot.Picture{Job: "01J", Index: 2, Seed: 7, Width: 128, Height: 128, Alt: "Held picture 3 of 4"}
	h.talk.press = func(a bot.Action) (bot.Reply, error) {
		switch {
		case !a.Moderator:
			return bot.Reply{}, &bot.Error{Code: "not_yours", Text: "Only moderators can do that."}
		case a.Job != "01C":
			return bot.Reply{}, &bot.Error{Code: "gone", Text: "That is not here."}
		case a.Name == "reveal":
			return bot.Reply{Sealed: []bot.Picture{held}}, nil
		}
		return bot.Reply{}, nil
	}
	for _, test := range []struct {
		who          *visitor
		name, action string
		status       int
		want         string
	}{
		{owner, "01C", "approve", http.StatusOK, `{}`},
		{owner, "01C", "reveal", http.StatusOK, `"sealed":[{"job":"01J","index":2,"seed":7,"width":128,"height":128,"alt":"Held picture 3 of 4"}]`},
		{owner, "01X", "approve", http.StatusNotFound, `"gone"`},
		{other, "01C", "approve", http.StatusForbidden, `"not_yours"`},
		{other, "01C", "reveal", http.StatusForbidden, `"not_yours"`},
	} {
		a := test.who.send("POST", "/api/actions", fmt.Sprintf(`{"key":"k","job":%q,"action":%q,"index":0,"moderator":true}`, test.name, test.action))
		if a.status != test.status || !strings.Contains(string(a.body), test.want) {
			t.Errorf("%s of %s: %d %s, want %d with %s", test.action, test.name, a.status, a.body, test.status, test.want)
		}
	}
}

// seal puts a held picture of a job into the gallery.
func (h *house) seal(t *testing.T, job string, index int, tenant string, file []byte) {
	t.Helper()
	name, err := h.gallery.Keep(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	err = h.db.Write(t.Context(), func(tx *sql.Tx) error {
		return h.gallery.Put(t.Context(), tx, gallery.Entry{
			Job: job, Index: index, Tenant: tenant, Channel: general.Channel, Owner: "ada", Visibility: gallery.InChannel,
			Request: imagine.Request{Prompt: "a red fox", Width: 1, Height: 1, Count: 4, Seed: 41, Sampler: "ddim", Steps: 1},
			Width:   1, Height: 1, Held: name, Verdict: "review", Created: time.Now(),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSealedPictures(t *testing.T) {
	h := newHouse(t)
	owner, other, stranger := h.owner(t), h.visitor(t), h.visitor(t)
	stranger.client.Jar = nil
	files := map[int][]byte{1: []byte("\x89PNG the one"), 3: []byte("\x89PNG the other")}
	for index, file := range files {
		h.seal(t, "01J", index, general.Tenant, file)
	}
	h.seal(t, "01K", 0, "elsewhere", []byte("\x89PNG far away"))
	h.hang(t, "01SEEN", other.me, gallery.InChannel, []byte("\x89PNG for all"))

	for index, file := range files {
		a := owner.send("GET", fmt.Sprintf("/sealed/01J/%d.png", index), "")
		if a.status != http.StatusOK || string(a.body) != string(file) {
			t.Errorf("picture %d: %d %q", index, a.status, a.body)
		}
		if a.header.Get("Content-Type") != "image/png" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("ETag") != "" {
			t.Errorf("picture %d: %v", index, a.header)
		}
	}
	type request struct {
		who          *visitor
		method, path string
		status       int
	}
	for _, r := range []request{
		{other, "GET", "/sealed/01J/1.png", http.StatusNotFound},
		{stranger, "GET", "/sealed/01J/1.png", http.StatusNotFound},
		{other, "HEAD", "/sealed/01J/1.png", http.StatusNotFound},
		{owner, "HEAD", "/sealed/01J/1.png", http.StatusOK},
		{owner, "GET", "/sealed/01J/0.png", http.StatusNotFound},
		{owner, "GET", "/sealed/01J/1.jpg", http.StatusNotFound},
		{owner, "GET", "/sealed/01J/-1.png", http.StatusNotFound},
		{owner, "GET", "/sealed/01K/0.png", http.StatusNotFound},
		{owner, "GET", "/sealed/01SEEN/1.png", http.StatusNotFound},
		{owner, "GET", "/pictures/01J/1.png", http.StatusNotFound},
		{owner, "POST", "/sealed/01J/1.png", http.StatusMethodNotAllowed},
	} {
		a := r.who.send(r.method, r.path, "")
		if a.status != r.status || r.status != http.StatusOK && a.header.Get("Content-Type") == "image/png" {
			t.Errorf("%s %s: %d %q, want %d", r.method, r.path, a.status, a.body, r.status)
		}
	}
	hidden, missing := other.send("GET", "/sealed/01J/1.png", ""), other.send("GET", "/sealed/01NONE/1.png", "")
	if string(hidden.body) != string(missing.body) {
		t.Errorf("what may not be seen is %q, what is not there %q", hidden.body, missing.body)
	}

	err := h.db.Write(t.Context(), func(tx *sql.Tx) error { return h.gallery.Release(t.Context(), tx, "01J") })
	if err != nil {
		t.Fatal(err)
	}
	if a := owner.send("GET", "/sealed/01J/1.png", ""); a.status != http.StatusNotFound {
		t.Errorf("once it is approved: %d", a.status)
	}
	if a := other.send("GET", "/pictures/01J/1.png", ""); a.status != http.StatusOK {
		t.Errorf("once it is approved, among the others: %d", a.status)
	}
}

// The message of a job or case is found by the index, however many messages there are.
func TestMessagesAreFoundByTheIndex(t *testing.T) {
	var plan struct {
		id, parent, unused int
		detail             string
	}
	h := newHouse(t)
	err := h.db.Reader().QueryRowContext(t.Context(), `EXPLAIN QUERY PLAN SELECT body FROM web_messages WHERE `+about, kindCase, "01C").
		Scan(&plan.id, &plan.parent, &plan.unused, &plan.detail)
	if err != nil || !strings.Contains(plan.detail, "web_messages_job") {
		t.Errorf("the plan is %q, %v", plan.detail, err)
	}
}

// TestTheOwnerIsWhoActsFirst, not who comes first: a program that looks in owns nothing. Whoever follows an owner gets the cases.
func TestTheOwnerIsWhoActsFirst(t *testing.T) {
	h := newHouse(t)
	h.visitor(t) // who only looks
	ada, bob := h.owner(t), h.visitor(t)
	owner := func() string {
		t.Helper()
		p, _, err := Owner(t.Context(), h.db)
		if err != nil {
			t.Fatal(err)
		}
		return p.ID
	}
	if owner() != ada.me.ID {
		t.Errorf("the owner is %q, want ada", owner())
	}
	for _, id := range []string{"01C", "01D"} {
		if err := posted(t.Context(), h, general, waitingCase(id, bob.me), id); err != nil {
			t.Fatal(err)
		}
	}
	name := `{"name":"Bob"}`
	bob.send("POST", "/api/session", name)
	if owner() != ada.me.ID {
		t.Error("the second to act took the channel over")
	}
	if err := Disown(t.Context(), h.db); err != nil || owner() != "" {
		t.Fatalf("disowned, it is %q's, %v", owner(), err)
	}
	_, before := bob.history()
	bob.send("POST", "/api/session", name)
	mine, after := bob.history()
	theirs, _ := ada.history()
	if owner() != bob.me.ID || len(mine) != 2 || len(theirs) != 0 || after <= before {
		t.Errorf("the owner is %q; bob sees %d cases, ada %d", owner(), len(mine), len(theirs))
	}
}
