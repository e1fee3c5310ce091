package slack

import (
	"context"
	"errors"
	"fmt"

	api "github.com/slack-go/slack"

	"github.com/easelbot/easel/bot"
)

// PostCase posts a case to the review channel, once in this process. A case of another workspace is not posted. Where it
// stood in another channel before, it loses its buttons.
func (a *Adapter) PostCase(ctx context.Context, place bot.Place, old string, m bot.CaseMessage) (id string, err error) {
	ours, err := a.reviewed(ctx, place.Tenant)
	if err != nil {
		return "", err
	}
	channel := ""
	if ours {
		channel = a.options.ReviewChannel
	}
	d := a.dossiers.of(m.Case)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.id != "" {
		return d.id, nil
	}
	if before, _, _ := parseMessageID(old); old != "" && before == channel {
		if err := a.editCase(ctx, old, m); err == nil || !missing(err) {
			d.id = old
			return old, err
		}
	} else if old != "" {
		a.leave(ctx, old, m)
	}
	if channel == "" {
		return "", nil
	}
	channel, ts, err := a.api.PostMessageContext(ctx, channel, drawnCase(m).options()...)
	if err != nil {
		return "", fmt.Errorf("posting a case to slack: %w", a.reviewError(err))
	}
	d.id = messageID(channel, ts)
	return d.id, nil
}

func (a *Adapter) editCase(ctx context.Context, id string, m bot.CaseMessage) error {
	channel, ts, ok := parseMessageID(id)
	if !ok {
		return fmt.Errorf("showing a case in slack: %q is no message's ID", id)
	}
	if _, _, _, err := a.api.UpdateMessageContext(ctx, channel, ts, drawnCase(m).options()...); err != nil {
		return fmt.Errorf("showing a case in slack: %w", a.reviewError(err))
	}
	return nil
}

// missing tells whether a case's message is gone, where the channel is still the bot's to write in.
func missing(err error) bool { return gone(err) && !closed(err) }

// leave takes the buttons from a case in a channel that is the review channel no more, as far as that can be done.
func (a *Adapter) leave(ctx context.Context, old string, m bot.CaseMessage) {
	m.Buttons, m.Status = nil, "Decided elsewhere: the review channel is another one now"
	if err := a.editCase(ctx, old, m); err != nil && !gone(err) {
		a.log.Warn("a case in an earlier review channel could not be changed", "case", m.Case, "error", redacted(err))
	}
}

// only makes a case stand once. A crash between the post and the note of it doubles a message; who presses a button of the
// one that is not in the journal takes it away.
func (a *Adapter) only(ctx context.Context, id, message string) {
	d := a.dossiers.of(id)
	d.mu.Lock()
	double := d.id != "" && d.id != message
	d.mu.Unlock()
	if channel, ts, ok := parseMessageID(message); double && ok {
		if _, _, err := a.api.DeleteMessageContext(ctx, channel, ts); err != nil && !gone(err) {
			a.log.Warn("a case's second message could not be deleted", "case", id, "error", redacted(err))
		}
	}
}

// ShowCase makes a case show how it was decided, and takes away what its moderators were shown. A message that is not there
// any more stays so.
func (a *Adapter) ShowCase(ctx context.Context, _ bot.Place, id string, m bot.CaseMessage) error {
	d := a.dossiers.of(m.Case)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.id = id
	var hidden error
	if m.Decided {
		hidden = a.conceal(ctx, d)
	}
	err := a.editCase(ctx, id, m)
	if missing(err) {
		a.log.Info("a case's message is not in slack any more", "case", m.Case, "error", redacted(err))
		err = nil
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

// moderates tells whether a button that was pressed, about something of a place, was pressed by a moderator. The place and
// the channel differ where a message stands elsewhere than its job. Who is only a guest from another workspace, in a channel
// that is shared with theirs, is none.
func (a *Adapter) moderates(ctx context.Context, p bot.Place, in api.InteractionCallback) (bool, error) {
	channel := channelOf(in)
	if channel != a.options.ReviewChannel || p.Channel != channel {
		return false, nil
	}
	ours, err := a.reviewed(ctx, p.Tenant)
	return ours && (in.User.TeamID == "" || in.User.TeamID == p.Tenant), err
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
