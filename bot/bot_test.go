package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/ratelimit"
	"github.com/easelbot/easel/store"
)

type planner struct{}

func (planner) Models() []string { return []string{"builtin", "sd15"} }
func (planner) Defaults(model string) (imagine.Request, error) {
	r := plain()
	r.Model = model
	if model != "" && model != "builtin" && model != "sd15" {
		return r, imagine.Invalid("model", "there is no model %q here", model)
	}
	return r, nil
}
func (planner) Check(r imagine.Request) error { return r.Validate() }
func (planner) Calls(r imagine.Request) int   { return r.Steps }

// plain is what the default model proposes.
func plain() imagine.Request {
	return imagine.Request{Width: 128, Height: 128, Count: 1, Steps: 20, Guidance: 3, Sampler: "ddim"}
}

// saga remembers the last order and answers with what it is told to.
type saga struct {
	order jobs.Order
	job   jobs.Job
	held  review.Case
	whose review.Scope
	err   error
	done  string
}

func (s *saga) Submit(_ context.Context, o jobs.Order) (jobs.Job, error) {
	s.order = o
	return s.job, s.err
}

func (s *saga) Job(context.Context, jobs.Place, jobs.Person, string) (jobs.Job, error) {
	return s.job, s.err
}

func (s *saga) Cancel(_ context.Context, _ jobs.Place, who jobs.Person, id string) error {
	s.done = "cancel " + id + " by " + who.ID
	return s.err
}

func (s *saga) Delete(_ context.Context, _ jobs.Place, who jobs.Person, id string) error {
	s.done = "delete " + id + " by " + who.ID
	return s.err
}

func (s *saga) Case(_ context.Context, whose review.Scope, _ string) (review.Case, error) {
	s.whose = whose
	return s.held, nil
}

func (s *saga) Decide(_ context.Context, whose review.Scope, id string, d review.Decision, by review.Moderator) error {
	s.whose, s.done = whose, fmt.Sprintf("%s %s by %s", d, id, by.ID)
	return s.err
}

func newBot(t *testing.T, s *saga) (*Bot, *bytes.Buffer) {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "easel.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	g, err := gallery.Open(db, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	return New(s, g, planner{}, nil, slog.New(slog.NewTextHandler(&log, nil))), &log
}

var place = Place{Platform: "web", Tenant: "local", Channel: "general"}

func TestImagineBecomesAnOrder(t *testing.T) {
	s := &saga{job: jobs.Job{ID: "j"}}
	b, _ := newBot(t, s)
	reply, err := b.Do(t.Context(), Command{Key: "k", Place: place, Person: Person{ID: "ada"}, Name: "imagine", Text: "a fox --seed 7"})
	if err != nil || reply.Job != "j" {
		t.Fatalf("got %+v, %v", reply, err)
	}
	want := jobs.Order{Key: "k", Place: place, Owner: Person{ID: "ada"}, Kind: jobs.Imagine, Ask: jobs.Ask{Prompt: "a fox", Count: ptr(4), Seed: ptr[int64](7)}}
	if !reflect.DeepEqual(s.order, want) {
		t.Errorf("ordered %+v\nwant %+v", s.order, want)
	}
}

func TestButtonsBecomeOrders(t *testing.T) {
	kinds := map[string]jobs.Kind{"upscale": jobs.Pick, "vary": jobs.Vary, "reroll": jobs.Reroll}
	for name, kind := range kinds {
		s := &saga{job: jobs.Job{ID: "new"}}
		b, _ := newBot(t, s)
		reply, err := b.Press(t.Context(), Action{Key: "k", Place: place, Person: Person{ID: "bob"}, Name: name, Job: "old", Index: 2})
		index := 2
		if kind == jobs.Reroll {
			index = 0
		}
		want := jobs.Order{Key: "k", Place: place, Owner: Person{ID: "bob"}, Kind: kind, Parent: &gallery.Parent{Job: "old", Index: index}}
		if err != nil || reply.Job != "new" || !reflect.DeepEqual(s.order, want) {
			t.Errorf("%s: ordered %+v, %v\nwant %+v", name, s.order, err, want)
		}
	}
	for _, name := range []string{"cancel", "delete"} {
		s := &saga{}
		b, _ := newBot(t, s)
		if _, err := b.Press(t.Context(), Action{Place: place, Person: Person{ID: "bob"}, Name: name, Job: "old"}); err != nil || s.done != name+" old by bob" {
			t.Errorf("%s did %q, %v", name, s.done, err)
		}
	}
}

func TestErrorsAreToldInWords(t *testing.T) {
	blocked := moderation.Verdict{Action: moderation.Block, Scores: map[moderation.Category]float64{moderation.Hate: 1}}
	tests := []struct {
		err    error
		code   string
		logged bool
	}{
		{imagine.Invalid("prompt", "it is empty"), "prompt", false},
		{fmt.Errorf("checking: %w", imagine.Invalid("steps", "it is 0")), "option", false},
		{&jobs.RefusedError{Verdict: blocked}, "refused", false},
		{&ratelimit.DeniedError{Scope: "person", Retry: 40 * time.Second, Cost: 1, Burst: 4}, "limited", false},
		{jobs.ErrBusy, "busy", false},
		{jobs.ErrTooMany, "busy", false},
		{jobs.ErrNotYours, "not_yours", false},
		{jobs.ErrTooLate, "too_late", false},
		{jobs.ErrNotFound, "gone", false},
		{gallery.ErrNotFound, "gone", false},
		{jobs.ErrFull, "disk_full", true},
		{errors.New("open /var/lib/easel/easel.db: input/output error"), "failed", true},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			b, log := newBot(t, &saga{err: tt.err})
			_, err := b.Do(t.Context(), Command{Place: place, Name: "imagine", Text: "a fox"})
			var told *Error
			if !errors.As(err, &told) || told.Code != tt.code || told.Text == "" || !errors.Is(err, tt.err) && told.cause != nil && tt.logged {
				t.Fatalf("told %v, want code %s", err, tt.code)
			}
			if strings.Contains(told.Text, "/var") {
				t.Errorf("the member reads %q", told.Text)
			}
			if logged := log.Len() > 0; logged != tt.logged {
				t.Errorf("logged: %q", log)
			}
		})
	}
	b, _ := newBot(t, &saga{})
	for _, name := range []string{"paint", "", strings.Repeat("x", 5000)} {
		var told *Error
		if _, err := b.Do(t.Context(), Command{Name: name}); !errors.As(err, &told) || told.Code != "command" || len(told.Text) > 200 {
			t.Errorf("command %.20q: %v", name, err)
		}
	}
	var told *Error
	if _, err := b.Press(t.Context(), Action{Name: "explode"}); !errors.As(err, &told) || told.Code != "gone" {
		t.Errorf("an unknown button: %v", err)
	}
}

func made(state jobs.State, kind jobs.Kind, count int) (jobs.Job, []gallery.Entry) {
	j := jobs.Job{
		ID: "01J", Kind: kind, State: state, Owner: Person{ID: "ada", Name: "Ada"}, Took: 1234 * time.Millisecond, Reason: "why",
		Request: plain(),
	}
	j.Request.Prompt, j.Request.Count, j.Request.Seed = "a fox", count, 7
	var entries []gallery.Entry
	if state == jobs.Done || state == jobs.Delivering {
		for k := range count {
			entries = append(entries, gallery.Entry{Job: j.ID, Index: k, Request: j.Request, Blob: "b", Width: 128, Height: 128})
		}
	}
	return j, entries
}

func labels(m Message) string {
	var list []string
	for _, b := range m.Buttons {
		list = append(list, b.Label)
	}
	return strings.Join(list, " ")
}

func TestRender(t *testing.T) {
	tests := []struct {
		name    string
		state   jobs.State
		kind    jobs.Kind
		count   int
		status  string
		buttons string
	}{
		{"waiting", jobs.Queued, jobs.Imagine, 4, "Waiting", "Cancel"},
		{"painting", jobs.Running, jobs.Imagine, 4, "Painting", "Cancel"},
		{"four", jobs.Done, jobs.Imagine, 4, "4 pictures in 1.2 s", "U1 U2 U3 U4 V1 V2 V3 V4 Reroll Details Delete"},
		{"on its way", jobs.Delivering, jobs.Vary, 2, "2 pictures in 1.2 s", "U1 U2 V1 V2 Reroll Details Delete"},
		{"one", jobs.Done, jobs.Imagine, 1, "1 picture in 1.2 s", "Vary Reroll Details Delete"},
		{"picked", jobs.Done, jobs.Pick, 1, "", "Vary Details Delete"},
		{"failed", jobs.Failed, jobs.Imagine, 4, "why", "Try again Delete"},
		{"cancelled", jobs.Cancelled, jobs.Imagine, 4, "why", "Try again Delete"},
		{"refused", jobs.Refused, jobs.Imagine, 4, "why", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, entries := made(tt.state, tt.kind, tt.count)
			m := render(j, entries, plain())
			if m.Status != tt.status || labels(m) != tt.buttons || m.State == string(jobs.Delivering) || m.Large != (len(entries) == 1) {
				t.Errorf("status %q, buttons %q, state %s, large %v", m.Status, labels(m), m.State, m.Large)
			}
			for k, p := range m.Pictures {
				if p.Seed != int64(7+k) || !strings.HasPrefix(p.Alt, "AI picture") || !strings.HasSuffix(p.Alt, ": a fox") {
					t.Errorf("picture %d: %+v", k, p)
				}
			}
			for _, b := range m.Buttons {
				if own := b.Action == "cancel" || b.Action == "delete"; own != b.Owner || b.Help == "" {
					t.Errorf("button %+v", b)
				}
			}
		})
	}
}

func TestAWithheldPictureHasAVeilAndNoButtons(t *testing.T) {
	j, entries := made(jobs.Done, jobs.Imagine, 4)
	entries[1].Blob = ""
	m := render(j, entries, plain())
	if !m.Pictures[1].Veiled || strings.Contains(m.Pictures[1].Alt, "fox") || labels(m) != "U1 U3 U4 V1 V3 V4 Reroll Details Delete" {
		t.Errorf("%+v, buttons %s", m.Pictures[1], labels(m))
	}
	if m.Status != "3 pictures in 1.2 s; 1 withheld by moderation" {
		t.Errorf("status %q", m.Status)
	}
}

// TestOptionsReadBack: what a message says was asked for can be typed to ask for it again.
func TestOptionsReadBack(t *testing.T) {
	j, _ := made(jobs.Done, jobs.Imagine, 2)
	j.Request.Negative, j.Request.Width, j.Request.Height = `fog "and" rain`, 64, 256
	j.Request.Steps, j.Request.Guidance, j.Request.Sampler = 30, 1.5, "euler"
	text := optionsOf(j, plain())
	ask, err := Parse("a fox " + text)
	if err != nil {
		t.Fatal(err)
	}
	seed := j.Request.Seed
	ask.Seed = &seed
	want := j.Request
	want.Negative = "fog 'and' rain"
	if got := jobs.Plan(plain(), ask); !reflect.DeepEqual(got, want) {
		t.Errorf("%q reads as %+v\nwant %+v", text, got, want)
	}
	j, _ = made(jobs.Done, jobs.Imagine, 4)
	if text := optionsOf(j, plain()); text != "" {
		t.Errorf("nothing was asked for beside the prompt, and it says %q", text)
	}
}

func TestDetails(t *testing.T) {
	j, _ := made(jobs.Done, jobs.Vary, 4)
	j.Request.Prompt = "the fox's den"
	j.Request.Path = []imagine.Variation{{Seed: 100, Strength: 0.5}}
	j.Request.Variation = imagine.Variation{Seed: 200, Strength: 0.2}
	b, _ := newBot(t, &saga{job: j})
	reply, err := b.Press(t.Context(), Action{Place: place, Name: "details", Job: j.ID})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range reply.Details {
		got[d.Name] = d.Value
	}
	want := map[string]string{
		"Prompt": "the fox's den", "Seed": "7", "Variation": "0.5 towards 100, then 0.2 towards 200 to 203", "Size": "128x128",
		"Sampler": "ddim", "Steps": "20", "Guidance scale": "3", "Model": "", "Credits": "0", "Job": "01J",
		"Command line": `easel imagine --prompt 'the fox'\''s den' --count 4 --seed 7 --size 128x128 --sampler ddim --steps 20 --guidance 3` +
			` --variation-seed 100 --variation-strength 0.5 --variation-seed 200 --variation-strength 0.2`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestPickingHasAPace(t *testing.T) {
	b, _ := newBot(t, &saga{job: jobs.Job{ID: "new"}})
	var err error
	for range 50 {
		if _, err = b.Press(t.Context(), Action{Place: place, Person: Person{ID: "bob"}, Name: "upscale", Job: "old"}); err != nil {
			break
		}
	}
	var told *Error
	if !errors.As(err, &told) || told.Code != "limited" || told.Retry <= 0 {
		t.Fatalf("fifty at once: %v", err)
	}
	if _, err := b.Press(t.Context(), Action{Place: place, Person: Person{ID: "ada"}, Name: "upscale", Job: "old"}); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}
