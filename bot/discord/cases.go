package discord

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/easelbot/easel/bot"
)

// PostCase posts a case of the review channel's own server there and returns "channel:message"; "" for all others. Where it
// stood in another channel before, it loses its buttons.
func (a *Adapter) PostCase(ctx context.Context, place bot.Place, old string, m bot.CaseMessage) (id string, err error) {
	channel, err := a.deskOf(ctx, place)
	if err != nil {
		return "", err
	}
	if before, _, _ := strings.Cut(old, ":"); old != "" && before == channel {
		if err := a.editCase(ctx, old, m); err == nil || !missing(err) {
			return old, err
		}
	} else if old != "" {
		a.leave(ctx, old, m)
	}
	if channel == "" {
		return "", nil
	}
	body, files := drawCase(m)
	body.Nonce, body.Enforce = nonce(m.Case), true
	id, err = a.send(ctx, channel, body, files)
	if err != nil {
		return "", fmt.Errorf("posting case %s: %w", m.Case, helpful(channel, err))
	}
	return channel + ":" + id, nil
}

// deskOf is the channel where a place's cases are decided, or "".
func (a *Adapter) deskOf(ctx context.Context, place bot.Place) (string, error) {
	channel := a.options.ReviewChannel
	if channel == "" || !snowflake(place.Tenant) {
		return "", nil
	}
	home, err := a.home(ctx)
	if err == nil && place.Tenant != home {
		a.options.Log.Warn("a case waits for `easel review` alone: it came up in another server than that of the review channel", "server", place.Tenant)
		return "", nil
	}
	return channel, err
}

// leave takes the buttons from a case in a channel that is the review channel no more, as far as that can be done.
func (a *Adapter) leave(ctx context.Context, old string, m bot.CaseMessage) {
	m.Buttons, m.Status = nil, "Decided elsewhere: the review channel is another one now"
	if err := a.editCase(ctx, old, m); err != nil && !missing(err) {
		a.options.Log.Warn("a case in an earlier review channel could not be edited", "case", m.Case, "error", err)
	}
}

// ShowCase edits a case's message. A message that somebody removed stays so.
func (a *Adapter) ShowCase(ctx context.Context, _ bot.Place, id string, m bot.CaseMessage) error {
	if err := a.editCase(ctx, id, m); err != nil && !missing(err) {
		return err
	}
	return nil
}

func (a *Adapter) editCase(ctx context.Context, id string, m bot.CaseMessage) error {
	channel, message, _ := strings.Cut(id, ":")
	body, files := drawCase(m)
	if err := a.call(ctx, edit(bot.Place{Channel: channel}, message, body, files), nil); err != nil {
		return fmt.Errorf("showing case %s: %w", m.Case, helpful(channel, err))
	}
	return nil
}

// missing tells whether a message, or its channel, is not there any more.
func missing(err error) bool {
	c := code(err)
	return c == discordgo.ErrCodeUnknownMessage || c == discordgo.ErrCodeUnknownChannel
}

// home is the server of the review channel. It is asked for when it is needed first, so that Easel starts without it.
func (a *Adapter) home(ctx context.Context) (guild string, err error) {
	if known := a.guild.Load(); known != nil {
		return *known, nil
	}
	channel := a.options.ReviewChannel
	var found struct {
		Guild string `json:"guild_id"`
	}
	err = a.call(ctx, request{method: http.MethodGet, path: "channels/" + channel, bucket: "GET channels/" + channel}, &found)
	if err != nil {
		return "", fmt.Errorf("asking Discord about the review channel: %w", helpful(channel, err))
	}
	if found.Guild == "" {
		return "", fmt.Errorf("channel %s (discord.review_channel) is in no server; name a text channel of your server", channel)
	}
	a.guild.Store(&found.Guild)
	return found.Guild, nil
}

// helpful says what to do about a review channel that Discord keeps from us.
func helpful(channel string, err error) error {
	if !unseen(err) {
		return err
	}
	return fmt.Errorf("the bot cannot post in channel %s (discord.review_channel); correct the ID, or give the bot's role View Channel, "+
		"Send Messages and Attach Files there, and invite the bot if it is not in that server: %w", channel, err)
}

// moderates tells whether a press at a place is a moderator's: one in the review channel itself.
func (a *Adapter) moderates(ctx context.Context, place bot.Place) (bool, error) {
	if a.options.ReviewChannel == "" || place.Channel != a.options.ReviewChannel {
		return false, nil
	}
	home, err := a.home(ctx)
	return err == nil && place.Tenant == home, err
}

// reveal is an answer with held pictures in it.
func (a *Adapter) reveal(ctx context.Context, tenant string, held []bot.Picture) callback {
	n := newNote("Held, and shown to you alone.")
	if err := a.unseal(ctx, tenant, held, n); err != nil {
		a.options.Log.Error("held pictures were not shown", "error", err)
		return say(sorry)
	}
	if len(n.files) == 0 { // decided since
		return say("These pictures are no longer held.")
	}
	return callback{Type: int(discordgo.InteractionResponseChannelMessageWithSource), Data: n}
}

// unseal puts the held pictures of a tenant into a note.
func (a *Adapter) unseal(ctx context.Context, tenant string, held []bot.Picture, n *note) error {
	files, err := a.options.Pictures.Sealed(ctx, tenant, held[0].Job)
	if err != nil {
		return err
	}
	for _, p := range held {
		if content := files[p.Index]; content != nil {
			if err := n.add(p, content); err != nil {
				return err
			}
		}
	}
	return nil
}

// The parts of a case's message, in units of UTF-16. Together with who and where they stay below maxContent.
const (
	maxCasePrompt   = 1000
	maxCaseNegative = 300
	maxReason       = 100
	maxReasons      = 3
	maxStatus       = 100
)

// drawCase draws a case. What is too long for a message comes with it as a text file, for nobody can decide on what they
// cannot read.
func drawCase(m bot.CaseMessage) (message, []*discordgo.File) {
	body := message{
		Content: caseContent(m), Components: rows(bot.Message{Job: m.Case, Buttons: m.Buttons}), Mentions: nobody, Flags: noEmbeds,
		enclosure: enclosure{Attachments: []attachment{}},
	}
	if units(escape(m.Prompt)) > maxCasePrompt || units(escape(m.Negative)) > maxCaseNegative || !showsAll(m.Reasons) {
		text := fmt.Sprintf("Prompt\n%s\n\nWithout\n%s\n\nReasons\n%s\n", m.Prompt, m.Negative, strings.Join(m.Reasons, "\n"))
		body.enclose("case-"+m.Case+".txt", "text/plain; charset=utf-8", "The whole prompt and the reasons", []byte(text))
	}
	return body, body.files
}

func showsAll(reasons []string) bool {
	for _, r := range reasons {
		if units(escape(r)) > maxReason {
			return false
		}
	}
	return len(reasons) <= maxReasons
}

func caseContent(m bot.CaseMessage) string {
	title := escapeTo(m.Title, maxStatus)
	if !m.Decided {
		title += " for review"
	}
	head := "**" + title + "** by " + person(m.Author.ID, m.Author.Name)
	if snowflake(m.Channel) {
		head += " in <#" + m.Channel + ">"
	}
	lines := []string{head, "**Prompt** " + escapeTo(m.Prompt, maxCasePrompt)}
	if m.Negative != "" {
		lines = append(lines, "**Without** "+escapeTo(m.Negative, maxCaseNegative))
	}
	for _, r := range m.Reasons[:min(len(m.Reasons), maxReasons)] {
		lines = append(lines, "- "+escapeTo(r, maxReason))
	}
	return strings.Join(append(lines, "-# "+escapeTo(m.Status, maxStatus)), "\n")
}
