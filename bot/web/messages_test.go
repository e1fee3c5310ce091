package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/easelbot/easel/bot"
)

func TestJobMessages(t *testing.T) {
	h := newHouse(t)
	v := h.visitor(t)
	queued := jobMessage("01J", v.me, "queued")
	for range 2 { // after a crash it is posted again
		if id, err := h.Post(t.Context(), general, queued); id != "01J" || err != nil {
			t.Fatalf("Post: %q, %v", id, err)
		}
	}
	list, posted := v.history()
	if len(list) != 1 || list[0].Kind != "job" || *list[0].Author != v.me || !list[0].At.Equal(queued.At) {
		t.Fatalf("messages %+v", list)
	}
	var shown bot.Message
	if err := json.Unmarshal(list[0].Job, &shown); err != nil || shown.State != "queued" || shown.Prompt != "a red fox" {
		t.Errorf("job %s, %v", list[0].Job, err)
	}

	for _, step := range []struct {
		name  string
		do    func() error
		moves bool // it changes what is seen
	}{
		{"show the same", func() error { return h.Show(t.Context(), general, "01J", queued) }, false},
		{"show done", func() error { return h.Show(t.Context(), general, "01J", jobMessage("01J", v.me, "done")) }, true},
		{"show done again", func() error { return h.Show(t.Context(), general, "01J", jobMessage("01J", v.me, "done")) }, false},
		{"remove", func() error { return h.Remove(t.Context(), general, "01J") }, true},
		{"remove again", func() error { return h.Remove(t.Context(), general, "01J") }, false},
		{"show what was removed", func() error { return h.Show(t.Context(), general, "01J", queued) }, false},
		{"post what was removed", func() error { _, err := h.Post(t.Context(), general, queued); return err }, false},
	} {
		before, err := h.revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if after, _ := h.revision(t.Context()); (after > before) != step.moves {
			t.Errorf("%s: from revision %d to %d", step.name, before, after)
		}
	}
	if list, _ := v.history(); len(list) != 0 {
		t.Errorf("what was removed is still there: %+v", list)
	}
	changes, err := h.since(t.Context(), v.me.ID, posted, 10)
	if err != nil || len(changes) != 1 {
		t.Fatalf("changes %+v, %v", changes, err)
	}
	if got, want := mustJSON(t, changes[0]), fmt.Sprintf(`{"id":%d,"rev":%d,"deleted":true}`, changes[0].ID, changes[0].Rev); got != want {
		t.Errorf("a tombstone is %s, want %s", got, want)
	}
}

func mustJSON(t *testing.T, value any) string {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestUnknownJob(t *testing.T) {
	h := newHouse(t)
	for name, err := range map[string]error{
		"Show":   h.Show(t.Context(), general, "01K", bot.Message{}),
		"Remove": h.Remove(t.Context(), general, "01K"),
	} {
		if err == nil || !strings.Contains(err.Error(), "01K") {
			t.Errorf("%s of a job that was never posted: %v", name, err)
		}
	}
}

func TestTell(t *testing.T) {
	h := newHouse(t)
	v, other := h.visitor(t), h.visitor(t)
	for range 2 {
		if err := h.Tell(t.Context(), "job:01J", general, v.me, "Your picture was refused."); err != nil {
			t.Fatal(err)
		}
	}
	list, _ := v.history()
	if len(list) != 1 || list[0].Kind != "notice" || !list[0].Private || list[0].Text != "Your picture was refused." || list[0].Author.Name != "Easel" {
		t.Errorf("messages %+v", list)
	}
	if list, _ := other.history(); len(list) != 0 {
		t.Errorf("somebody else reads %+v", list)
	}
}

func TestHistoryPages(t *testing.T) {
	v := newHouse(t).visitor(t)
	const count = 7
	for i := range count {
		v.say(fmt.Sprint(i), fmt.Sprint(i))
	}
	var texts []string
	before := ""
	for {
		var page struct {
			Messages []Message
			Cursor   int64
			More     bool
		}
		v.get("/api/messages?limit=3"+before, &page)
		if page.Cursor != count {
			t.Errorf("cursor %d, want %d", page.Cursor, count)
		}
		for i := range page.Messages {
			texts = append(texts, page.Messages[len(page.Messages)-1-i].Text)
		}
		if !page.More {
			break
		}
		before = fmt.Sprint("&before=", page.Messages[0].ID)
	}
	if got, want := strings.Join(texts, ""), "6543210"; got != want {
		t.Errorf("backwards %s, want %s", got, want)
	}
}
