package bot

import (
	"context"
	"fmt"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/jobs"
)

// A Bot is the journal's courier: it draws jobs and cases as messages and hands them to their platforms.
var _ jobs.Courier = (*Bot)(nil)

// Post implements [jobs.Courier].
func (b *Bot) Post(ctx context.Context, j jobs.Job) (string, error) {
	c, m, err := b.drawn(ctx, j)
	if err != nil {
		return "", err
	}
	return c.Post(ctx, j.Place, m)
}

// Show implements [jobs.Courier].
func (b *Bot) Show(ctx context.Context, j jobs.Job) error {
	c, m, err := b.drawn(ctx, j)
	if err != nil {
		return err
	}
	return c.Show(ctx, j.Place, j.Message, m)
}

// Remove implements [jobs.Courier].
func (b *Bot) Remove(ctx context.Context, j jobs.Job) error {
	c, err := b.channel(j)
	if err != nil {
		return err
	}
	return c.Remove(ctx, j.Place, j.Message)
}

// Tell implements [jobs.Courier].
func (b *Bot) Tell(ctx context.Context, j jobs.Job) error {
	c, err := b.channel(j)
	if err != nil {
		return err
	}
	return c.Tell(ctx, "job:"+j.ID, j.Place, j.Owner, j.Reason)
}

// Progress implements [jobs.Courier].
func (b *Bot) Progress(j jobs.Job, p jobs.Progress) {
	if c, err := b.channel(j); err == nil {
		c.Progress(j.Place, j.ID, p)
	}
}

// drawn returns a job's channel and its message.
func (b *Bot) drawn(ctx context.Context, j jobs.Job) (Channel, Message, error) {
	c, err := b.channel(j)
	if err != nil {
		return nil, Message{}, err
	}
	entries, err := b.gallery.OfJob(ctx, gallery.Scope{Tenant: j.Place.Tenant, Channel: j.Place.Channel, Viewer: j.Owner.ID}, j.ID)
	base, unknown := b.planner.Defaults(j.Request.Model)
	if unknown != nil {
		base = j.Request // of a model that is no longer here, whose own values nobody knows
	}
	return c, render(j, entries, base), err
}

func (b *Bot) channel(j jobs.Job) (Channel, error) {
	if c := b.channels[j.Place.Platform]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("job %s cannot be shown on %s: %w", j.ID, j.Place.Platform, errNoChannel)
}
