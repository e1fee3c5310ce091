package bot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/store"
)

var held = review.Case{
	ID: "case", Job: "job", Subject: review.Prompt, Platform: "web", Tenant: "local", Channel: "general", Owner: "ada", OwnerName: "Ada",
	Prompt: "a *lighthouse*", Opened: time.UnixMilli(0),
	Reasons: []moderation.Reason{{Rule: "custom/review", Category: moderation.Custom, Span: "lighthouse", Score: 1}, {Rule: "opennsfw", Category: moderation.Sexual, Score: 0.625}},
}

func TestRenderCase(t *testing.T) {
	pictures, decided := held, held
	pictures.Subject = review.Pictures
	decided.Decision, decided.ByName = review.Reject, "Mo"
	entries := []gallery.Entry{{Index: 0, Blob: "seen"}, {Index: 1, Held: "held"}, {Index: 2, Held: "held"}}
	tests := []struct {
		c                      review.Case
		title, status, buttons string
	}{
		{held, "A prompt", "Waiting for a moderator", "[approve reject]"},
		{pictures, "2 of 3 pictures", "Waiting for a moderator", "[reveal approve reject]"},
		{decided, "A prompt", "Rejected by Mo", "[]"},
	}
	for _, tt := range tests {
		m := renderCase(tt.c, entries)
		buttons := []string{}
		for _, b := range m.Buttons {
			buttons = append(buttons, b.Action)
		}
		if m.Title != tt.title || m.Status != tt.status || fmt.Sprint(buttons) != tt.buttons || m.Prompt != held.Prompt || m.Author.Name != "Ada" {
			t.Errorf("drawn is %+v, want %+v", m, tt)
		}
		if got := fmt.Sprint(m.Reasons); got != `[custom: custom/review, "lighthouse", 1.00 sexual: opennsfw, 0.62]` {
			t.Errorf("the reasons are %s", got)
		}
	}
}

func TestOnlyModeratorsDecide(t *testing.T) {
	for _, name := range []string{"approve", "reject", "reveal"} {
		s := &saga{held: held}
		b, _ := newBot(t, s)
		_, err := b.Press(t.Context(), Action{Place: place, Person: Person{ID: "bob"}, Name: name, Job: "case"})
		if told := new(Error); !errors.As(err, &told) || told.Code != "not_yours" || s.done != "" || s.whose != (review.Scope{}) {
			t.Errorf("%s: %v, and it did %q", name, err, s.done)
		}
	}
}

func TestDeciding(t *testing.T) {
	press := Action{Place: place, Person: Person{ID: "mo", Name: "Mo"}, Name: "approve", Job: "case", Moderator: true}
	home := review.Scope{Platform: "web", Tenant: "local"}
	s := &saga{held: held}
	b, _ := newBot(t, s)
	if _, err := b.Press(t.Context(), press); err != nil || s.done != "approve case by web:mo" || s.whose != home {
		t.Errorf("it did %q for %v, %v", s.done, s.whose, err)
	}
	s.err, s.held.Decision, s.held.ByName = review.ErrDecided, review.Reject, "Max"
	if _, err := b.Press(t.Context(), press); err == nil || err.Error() != "That is decided: rejected by Max." {
		t.Errorf("who is late is told %v", err)
	}
	s.err = review.ErrNotFound
	if told := new(Error); !errors.As(second(b.Press(t.Context(), press)), &told) || told.Code != "gone" {
		t.Errorf("a case of another tenant: %v", told)
	}
}

func second(_ Reply, err error) error { return err }

// TestReveal lists what is held, and after the decision nothing.
func TestReveal(t *testing.T) {
	s := &saga{held: held}
	s.held.Subject = review.Pictures
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "easel.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	g, err := gallery.Open(db, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	blob := strings.Repeat("a", 64)
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		entry := gallery.Entry{
			Job: "job", Tenant: "local", Channel: "general", Owner: "ada", Visibility: gallery.InChannel,
			Request: imagine.Request{Count: 2, Seed: 7}, Width: 128, Height: 128, Verdict: "review",
		}
		seen := entry
		entry.Index, entry.Held, seen.Blob = 1, blob, blob
		return g.Put(t.Context(), tx, seen, entry)
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &Bot{saga: s, gallery: g}
	press := Action{Place: place, Person: Person{ID: "mo"}, Name: "reveal", Job: "case", Moderator: true}
	reply, err := b.Press(t.Context(), press)
	want := []Picture{{Job: "job", Index: 1, Seed: 8, Width: 128, Height: 128, Alt: "Held picture 2 of 2"}}
	if err != nil || !reflect.DeepEqual(reply.Sealed, want) {
		t.Errorf("revealed are %+v, %v", reply.Sealed, err)
	}
	s.held.Decision, s.held.ByName = review.Approve, "Max"
	if reply, err := b.Press(t.Context(), press); err == nil || err.Error() != "That is decided: approved by Max." || reply.Sealed != nil {
		t.Errorf("after the decision: %+v, %v", reply, err)
	}
}

// caseChannel is a platform that keeps the cases it is given.
type caseChannel struct {
	Channel
	place Place
	shown string
}

func (c *caseChannel) PostCase(_ context.Context, p Place, _ string, m CaseMessage) (string, error) {
	c.place = p
	return "posted " + m.Case, nil
}

func (c *caseChannel) ShowCase(_ context.Context, _ Place, id string, m CaseMessage) error {
	c.shown = id + ": " + m.Status
	return nil
}

func TestCasesGoToTheirPlatform(t *testing.T) {
	c := &caseChannel{}
	b := &Bot{channels: map[string]Channel{"web": c}}
	if id, err := b.PostCase(t.Context(), held); err != nil || id != "posted case" || c.place.Channel != "general" {
		t.Errorf("posted as %q at %v, %v", id, c.place, err)
	}
	decided := held
	decided.Message, decided.Decision, decided.ByName = "there", review.Approve, "Mo"
	if err := b.ShowCase(t.Context(), decided); err != nil || c.shown != "there: Approved by Mo" {
		t.Errorf("shown is %q, %v", c.shown, err)
	}
	elsewhere := held
	elsewhere.Platform = "discord"
	if id, err := b.PostCase(t.Context(), elsewhere); err != nil || id != "" {
		t.Errorf("on a platform that is not there: %q, %v", id, err)
	}
}
