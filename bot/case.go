package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/review"
)

// A CaseMessage is what moderators see of something that waits for them, as it is now. Pictures are not in it: they are
// shown to who asks for them.
type CaseMessage struct {
	Case     string    `json:"case"` // ULID
	Title    string    `json:"title"`
	Author   Person    `json:"author"`  // who asked for it
	Channel  string    `json:"channel"` // where
	At       time.Time `json:"at"`
	Prompt   string    `json:"prompt"` // plain text, as it was typed: never render it as markup
	Negative string    `json:"negative,omitempty"`
	Reasons  []string  `json:"reasons"` // why it waits, one line each
	Status   string    `json:"status"`  // "Waiting", "Approved by Mo"
	Decided  bool      `json:"decided,omitempty"`
	Buttons  []Button  `json:"buttons,omitempty"`
}

// PostCase implements [jobs.Courier].
func (b *Bot) PostCase(ctx context.Context, c review.Case) (string, error) {
	channel := b.channels[c.Platform]
	if channel == nil {
		return "", nil // nobody moderates on a platform that is not configured
	}
	m, err := b.drawnCase(ctx, c)
	if err != nil {
		return "", err
	}
	return channel.PostCase(ctx, placeOf(c), c.Message, m)
}

// ShowCase implements [jobs.Courier].
func (b *Bot) ShowCase(ctx context.Context, c review.Case) error {
	channel := b.channels[c.Platform]
	if channel == nil {
		return fmt.Errorf("case %s cannot be shown on %s: %w", c.ID, c.Platform, errNoChannel)
	}
	m, err := b.drawnCase(ctx, c)
	if err != nil {
		return err
	}
	return channel.ShowCase(ctx, placeOf(c), c.Message, m)
}

func placeOf(c review.Case) Place {
	return Place{Platform: c.Platform, Tenant: c.Tenant, Channel: c.Channel, Visibility: gallery.InChannel}
}

func (b *Bot) drawnCase(ctx context.Context, c review.Case) (CaseMessage, error) {
	var entries []gallery.Entry
	var err error
	if c.Subject == review.Pictures {
		entries, err = b.gallery.OfJob(ctx, gallery.Scope{Tenant: c.Tenant, Channel: c.Channel, Viewer: c.Owner}, c.Job)
	}
	return renderCase(c, entries), err
}

// renderCase draws a case of which these are the job's pictures.
func renderCase(c review.Case, entries []gallery.Entry) CaseMessage {
	m := CaseMessage{
		Case: c.ID, Title: "A prompt", Author: Person{ID: c.Owner, Name: c.OwnerName}, Channel: c.Channel, At: c.Opened,
		Prompt: readable(c.Prompt), Negative: readable(c.Negative), Reasons: []string{}, Status: caseStatus(c), Decided: c.Decision != review.Undecided,
	}
	if c.Subject == review.Pictures {
		m.Title = "Pictures"
	}
	for _, r := range c.Reasons {
		m.Reasons = append(m.Reasons, reason(r))
	}
	if m.Decided {
		return m
	}
	if c.Subject == review.Pictures {
		m.Title = fmt.Sprintf("%d of %s", len(sealed(entries)), plural(len(entries), "picture"))
		m.Buttons = append(m.Buttons, Button{Action: "reveal", Label: "Show pictures", Help: "Show what is held, to you alone"})
	}
	m.Buttons = append(m.Buttons,
		Button{Action: "approve", Label: "Approve", Help: "Let it through"},
		Button{Action: "reject", Label: "Reject", Help: "Turn it down and tell who asked"})
	return m
}

func caseStatus(c review.Case) string {
	switch by := c.ByName; c.Decision {
	case review.Approve:
		return "Approved by " + by
	case review.Reject:
		return "Rejected by " + by
	case review.Withdrawn:
		return "Withdrawn by " + by
	default:
		return "Waiting for a moderator"
	}
}

// reason is one line that says why something waits: "violence: custom/review, \"stabs\", 0.80".
func reason(r moderation.Reason) string {
	parts := []string{r.Rule}
	if r.Span != "" {
		parts = append(parts, fmt.Sprintf("%q", r.Span))
	}
	return fmt.Sprintf("%s: %s, %.2f", r.Category, strings.Join(parts, ", "), r.Score)
}

// moderate answers the buttons of a case.
func (b *Bot) moderate(ctx context.Context, a Action) (Reply, error) {
	if !a.Moderator {
		return Reply{}, &Error{Code: "not_yours", Text: "Only moderators can do that."}
	}
	whose := review.Scope{Platform: a.Place.Platform, Tenant: a.Place.Tenant}
	if a.Name == "reveal" {
		return b.reveal(ctx, whose, a.Job)
	}
	by := review.Moderator{ID: a.Place.Platform + ":" + a.Person.ID, Name: a.Person.Name}
	err := b.saga.Decide(ctx, whose, a.Job, review.Decision(a.Name), by)
	if errors.Is(err, review.ErrDecided) {
		err = b.decidedBefore(ctx, whose, a, by)
	}
	return Reply{}, b.explain(err)
}

// decidedBefore is nothing to who pressed twice.
func (b *Bot) decidedBefore(ctx context.Context, whose review.Scope, a Action, by review.Moderator) error {
	c, err := b.saga.Case(ctx, whose, a.Job)
	if err == nil && c.By == by.ID && c.Decision == review.Decision(a.Name) {
		return nil
	}
	return b.decided(ctx, whose, a.Job)
}

// reveal lists what a case holds. That is for those who ask, since nobody should have to look.
func (b *Bot) reveal(ctx context.Context, whose review.Scope, id string) (Reply, error) {
	c, err := b.saga.Case(ctx, whose, id)
	if err != nil {
		return Reply{}, b.explain(err)
	}
	entries, err := b.gallery.OfJob(ctx, gallery.Scope{Tenant: c.Tenant, Channel: c.Channel, Viewer: c.Owner}, c.Job)
	if err != nil {
		return Reply{}, b.explain(err)
	}
	held := sealed(entries)
	switch {
	case c.Decision != review.Undecided:
		return Reply{}, b.explain(b.decided(ctx, whose, id))
	case len(held) == 0:
		return Reply{Notice: "There are no pictures in this case."}, nil
	}
	return Reply{Sealed: held}, nil
}

// sealed are those of a job's pictures that are held.
func sealed(entries []gallery.Entry) []Picture {
	var held []Picture
	for _, e := range entries {
		if e.Held == "" {
			continue
		}
		seed, _ := e.Request.Seeds(e.Index)
		held = append(held, Picture{
			Job: e.Job, Index: e.Index, Seed: seed, Width: e.Width, Height: e.Height,
			Alt: fmt.Sprintf("Held picture %d of %d", e.Index+1, len(entries)),
		})
	}
	return held
}

// decided says that somebody was quicker.
func (b *Bot) decided(ctx context.Context, whose review.Scope, id string) error {
	c, err := b.saga.Case(ctx, whose, id)
	if err != nil {
		return err
	}
	return &Error{Code: "too_late", Text: "That is decided: " + strings.ToLower(caseStatus(c)[:1]) + caseStatus(c)[1:] + ".", cause: review.ErrDecided}
}
