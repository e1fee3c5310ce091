package slack

import (
	"context"
	"errors"
	"fmt"

	"github.com/easelbot/easel/bot"
)

// PostCase posts a case to the review channel, once in this process. A case of another workspace is not posted.
func (a *Adapter) PostCase(ctx context.Context, place bot.Place, m bot.CaseMessage) (id string, err error) {
	channel := a.options.ReviewChannel
	if ours, err := a.reviewed(ctx, place.Tenant); err != nil || !ours {
		return "", err
	}
	d := a.dossiers.of(m.Case)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.id != "" {
		return d.id, nil
	}
	channel, ts, err := a.api.PostMessageContext(ctx, channel, drawnCase(m).options()...)
	if err != nil {
		return "", fmt.Errorf("posting a case to slack: %w", a.reviewError(err))
	}
	d.id = messageID(channel, ts)
	return d.id, nil
}

// ShowCase makes a case show how it was decided, and takes away what its moderators were shown. A message that is not there
// any more stays so.
func (a *Adapter) ShowCase(ctx context.Context, _ bot.Place, id string, m bot.CaseMessage) error {
	channel, ts, ok := parseMessageID(id)
	if !ok {
		return fmt.Errorf("showing a case in slack: %q is no message's ID", id)
	}
	d := a.dossiers.of(m.Case)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.id = id
	var hidden error
	if m.Decided {
		hidden = a.conceal(ctx, d)
	}
	_, _, _, err := a.api.UpdateMessageContext(ctx, channel, ts, drawnCase(m).options()...)
	if gone(err) && !closed(err) {
		a.log.Info("a case's message is not in slack any more", "case", m.Case, "error", redacted(err))
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("showing a case in slack: %w", a.reviewError(err))
	}
	return errors.Join(hidden, err)
}

// reviewed tells whether the cases of a workspace are posted: those of the bot's own, where there is a review channel.
func (a *Adapter) reviewed(ctx context.Context, tenant string) (bool, error) {
	if a.options.ReviewChannel == "" {
		return false, nil
	}
	own, err := a.ownTeam(ctx)
	return err == nil && own == tenant, err
}

// moderates tells whether a button that was pressed in a channel, about something of a place, was pressed by a moderator.
// The two differ where a message stands elsewhere than its job.
func (a *Adapter) moderates(ctx context.Context, p bot.Place, channel string) (bool, error) {
	if channel != a.options.ReviewChannel || p.Channel != channel {
		return false, nil
	}
	return a.reviewed(ctx, p.Tenant)
}

// ownTeam is the bot's own workspace. It is asked for once.
func (a *Adapter) ownTeam(ctx context.Context) (string, error) {
	if team := a.team.Load(); team != nil {
		return *team, nil
	}
	me, err := a.api.AuthTestContext(ctx)
	if err != nil {
		return "", fmt.Errorf("asking slack for the bot's workspace: %w", redacted(err))
	}
	a.team.Store(&me.TeamID)
	return me.TeamID, nil
}

// reviewError tells the operator what to do about the review channel.
func (a *Adapter) reviewError(err error) error {
	channel := a.options.ReviewChannel
	switch {
	case code(err) == "is_archived":
		return fmt.Errorf("the review channel %s is archived; unarchive it, or name another as slack.review_channel: %w", channel, redacted(err))
	case closed(err):
		return fmt.Errorf("the bot cannot write in the review channel %s; invite it there (/invite @easel), or correct slack.review_channel: %w", channel, redacted(err))
	case code(err) == "missing_scope":
		return fmt.Errorf(`the bot token lacks the scope chat:write; add it on the app's page "OAuth & Permissions" and install the app again: %w`, redacted(err))
	}
	return redacted(err)
}
