package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/store"
)

// A Desk is where moderators decide cases. It needs no running saga: what follows from a decision is written into the
// outbox, and the server acts on it within two seconds, or when it starts.
type Desk struct {
	Store   *store.DB
	Gallery *gallery.Gallery
	Now     func() time.Time
}

// open opens a case of a job within a transaction, and has it posted.
func open(ctx context.Context, tx *sql.Tx, j Job, subject review.Subject, v moderation.Verdict, now time.Time) error {
	c := caseOf(j, subject, v, now)
	if err := review.Open(ctx, tx, c); err != nil {
		return err
	}
	return put(ctx, tx, now, j, j.State, row{effect: postCase, about: c.ID})
}

func caseOf(j Job, subject review.Subject, v moderation.Verdict, now time.Time) review.Case {
	return review.Case{
		ID: ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String(), Job: j.ID, Subject: subject,
		Platform: j.Place.Platform, Tenant: j.Place.Tenant, Channel: j.Place.Channel, Owner: j.Owner.ID, OwnerName: j.Owner.Name,
		Prompt: j.Request.Prompt, Negative: j.Request.Negative, Reasons: v.Reasons, Opened: now,
	}
}

const (
	promptRejected   = "A moderator did not approve your prompt \u201c%s\u201d. Your credits were given back."
	picturesRejected = "A moderator did not approve what was painted for \u201c%s\u201d."
)

// begins is so much of a prompt that its owner knows which one it is.
func begins(prompt string) string {
	const most = 60
	if r := []rune(prompt); len(r) > most {
		return string(r[:most]) + "…"
	}
	return prompt
}

// Decide decides a scope's case once, with everything that follows. Its errors are review.ErrNotFound and
// review.ErrDecided, beside those of the store.
func (d *Desk) Decide(ctx context.Context, s review.Scope, id string, decision review.Decision, by review.Moderator) error {
	if decision != review.Approve && decision != review.Reject {
		return fmt.Errorf("a moderator cannot decide %q", decision)
	}
	c, err := review.Get(ctx, d.Store, s, id)
	if err != nil {
		return err
	}
	return d.Store.Write(ctx, func(tx *sql.Tx) error {
		if err := review.Decide(ctx, tx, id, decision, by, d.Now()); err != nil {
			return err
		}
		j, err := oneJob(ctx, tx, `id = $1`, c.Job)
		if err != nil {
			return err
		}
		if err := put(ctx, tx, d.Now(), j, j.State, row{effect: showCase, about: id}); err != nil {
			return err
		}
		if c.Subject == review.Prompt {
			return d.prompt(ctx, tx, j, decision)
		}
		return d.pictures(ctx, tx, j, c, decision)
	})
}

func (d *Desk) prompt(ctx context.Context, tx *sql.Tx, j Job, decision review.Decision) error {
	if decision == review.Approve {
		if err := move(ctx, tx, j.ID, change{from: []State{Held}, to: Queued}); err != nil {
			return err
		}
		return put(ctx, tx, d.Now(), j, Queued, row{effect: show}, row{effect: resume})
	}
	err := move(ctx, tx, j.ID, change{
		from: []State{Held}, to: Refused,
		set: `, finished = $3, reason = $4`, args: []any{d.Now().UnixMilli(), fmt.Sprintf(promptRejected, begins(j.Request.Prompt))},
	})
	if err != nil {
		return err
	}
	return put(ctx, tx, d.Now(), j, Refused, row{effect: refund, amount: j.Credits}, row{effect: remove}, row{effect: tell})
}

func (d *Desk) pictures(ctx context.Context, tx *sql.Tx, j Job, c review.Case, decision review.Decision) error {
	effects := []row{{effect: show}}
	if decision == review.Approve {
		if err := d.Gallery.Release(ctx, tx, j.ID); err != nil {
			return err
		}
	} else {
		visible, err := d.Gallery.Discard(ctx, tx, j.ID)
		if err != nil {
			return err
		}
		reason := fmt.Sprintf(picturesRejected, begins(j.Request.Prompt))
		if visible == 0 {
			reason += " Your credits were given back."
			effects = append(effects, row{effect: refund, amount: j.Credits})
		}
		if _, err := tx.ExecContext(ctx, `UPDATE jobs SET reason = $1 WHERE id = $2`, reason, j.ID); err != nil {
			return err
		}
		effects = append(effects, row{effect: tell})
	}
	return put(ctx, tx, d.Now(), j, State("case:"+c.ID), effects...)
}

// Decide is [Desk.Decide], at once.
func (s *Saga) Decide(ctx context.Context, whose review.Scope, id string, decision review.Decision, by review.Moderator) error {
	defer s.stir()
	return (&Desk{Store: s.Store, Gallery: s.Gallery, Now: s.Now}).Decide(ctx, whose, id, decision, by)
}

// Case returns a scope's case, or review.ErrNotFound.
func (s *Saga) Case(ctx context.Context, whose review.Scope, id string) (review.Case, error) {
	return review.Get(ctx, s.Store, whose, id)
}

// withdraw closes a job's cases within a transaction, since its owner no longer wants what they are about.
func (s *Saga) withdraw(ctx context.Context, tx *sql.Tx, j Job) error {
	by := review.Moderator{ID: j.Place.Platform + ":" + j.Owner.ID, Name: j.Owner.Name}
	closed, err := review.Withdraw(ctx, tx, j.ID, by, s.Now())
	for _, id := range closed {
		if err == nil {
			err = put(ctx, tx, s.Now(), j, j.State, row{effect: showCase, about: id})
		}
	}
	return err
}
