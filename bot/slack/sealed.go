package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	api "github.com/slack-go/slack"

	"github.com/easelbot/easel/bot"
)

// An exhibit is what one moderator was shown of a case.
type exhibit struct {
	to          string // the moderator's ID
	channel, ts string // of the direct message; empty: it was not sent
	files       []string
}

// A dossier is what this process knows of a case.
type dossier struct {
	mu       sync.Mutex // held while anything of it is changed, so that nothing is shown after the decision
	id       string     // of the message in the review channel; empty: not posted
	exhibits []*exhibit
}

// dossiers are those of the newest cases.
type dossiers struct {
	mu    sync.Mutex
	cases map[string]*dossier
	order []string // oldest first
}

func newDossiers() *dossiers { return &dossiers{cases: map[string]*dossier{}} }

// of returns what is known of a case, made when it is new.
func (s *dossiers) of(id string) *dossier {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.cases[id]; d != nil {
		return d
	}
	if len(s.order) >= maxLives {
		s.forget()
	}
	d := &dossier{}
	s.cases[id], s.order = d, append(s.order, id)
	return d
}

// forget forgets the oldest case of which no moderator was shown anything.
func (s *dossiers) forget() {
	for i, id := range s.order {
		d := s.cases[id]
		if d.mu.TryLock() {
			idle := len(d.exhibits) == 0
			d.mu.Unlock()
			if idle {
				delete(s.cases, id)
				s.order = slices.Delete(s.order, i, i+1)
				return
			}
		}
	}
}

const (
	toldRevealed = "The pictures are in your direct messages with Easel."
	toldUnheld   = "These pictures are not held any more."
	toldNoDirect = "Easel cannot send you the pictures as a direct message. The operator can find why in the log."
)

// reveal shows the held pictures of a case to the moderator who asked, in their direct messages, and tells them so. It ends
// while there is still time to answer.
func (a *Adapter) reveal(ctx context.Context, act bot.Action, heading string, held []bot.Picture) (bot.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, perEvent-patience)
	defer cancel()
	d := a.dossiers.of(act.Job)
	d.mu.Lock()
	defer d.mu.Unlock()
	told := bot.Reply{Notice: toldRevealed}
	if slices.ContainsFunc(d.exhibits, func(x *exhibit) bool { return x.to == act.Person.ID && x.ts != "" }) {
		return told, nil
	}
	files, err := a.options.Pictures.Sealed(ctx, act.Place.Tenant, held[0].Job)
	if err != nil {
		return bot.Reply{}, fmt.Errorf("reading held pictures: %w", err)
	}
	held = slices.DeleteFunc(slices.Clone(held), func(p bot.Picture) bool { return files[p.Index] == nil })
	if len(held) == 0 {
		return bot.Reply{}, &bot.Error{Code: "too_late", Text: toldUnheld} // the case was decided meanwhile
	}
	channel, err := a.direct(ctx, act.Person)
	if err == nil {
		err = a.show(ctx, d, act, channel, heading, held, files)
	}
	if unreachable(err) {
		a.log.Warn("a moderator cannot be shown held pictures in slack; give the app the scopes im:write and files:write, and a Messages tab", "case", act.Job, "error", redacted(err))
		return bot.Reply{}, &bot.Error{Code: "failed", Text: toldNoDirect}
	}
	if err != nil {
		return bot.Reply{}, fmt.Errorf("showing held pictures in slack: %w", err)
	}
	return told, nil
}

// show sends pictures to a moderator. Whatever came to Slack of it is in the dossier, also where it fails.
func (a *Adapter) show(ctx context.Context, d *dossier, act bot.Action, channel, heading string, held []bot.Picture, files map[int][]byte) error {
	x := &exhibit{to: act.Person.ID, channel: channel}
	d.exhibits = append(d.exhibits, x)
	ids := map[int]string{}
	var done []api.FileSummary
	for _, p := range held {
		id, err := a.transfer(ctx, fmt.Sprintf("easel-held-%d.png", p.Index+1), files[p.Index], p)
		if err != nil {
			return err
		}
		ids[p.Index] = id
		x.files = append(x.files, id)
		done = append(done, api.FileSummary{ID: id, Title: "Held picture"})
	}
	if err := a.finish(ctx, done); err != nil {
		return err
	}
	w := drawnExhibit(act.Job, heading, held, ids)
	return processed(ctx, func() (err error) {
		_, x.ts, err = a.api.PostMessageContext(ctx, channel, w.options()...)
		return err
	})
}

// conceal takes away what moderators were shown of a case. What cannot be deleted now stays in the dossier.
func (a *Adapter) conceal(ctx context.Context, d *dossier) error {
	var failed []error
	d.exhibits = slices.DeleteFunc(d.exhibits, func(x *exhibit) bool {
		err := a.withdraw(ctx, x)
		if err != nil {
			failed = append(failed, fmt.Errorf("deleting what a moderator was shown of a case in slack: %w", redacted(err)))
		}
		return err == nil
	})
	return errors.Join(failed...)
}

func (a *Adapter) withdraw(ctx context.Context, x *exhibit) error {
	if x.ts != "" {
		if _, _, err := a.api.DeleteMessageContext(ctx, x.channel, x.ts); err != nil && !gone(err) {
			return err
		}
		x.ts = ""
	}
	for len(x.files) > 0 {
		if err := a.erase(ctx, x.files[0]); err != nil {
			return err
		}
		x.files = x.files[1:]
	}
	return nil
}
