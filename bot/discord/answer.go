package discord

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/easelbot/easel/bot"
)

// A callback is the first answer to an interaction.
type callback struct {
	Type int   `json:"type"`
	Data *note `json:"data,omitempty"`
}

// A note is a message to one person.
type note struct {
	Content  string   `json:"content,omitempty"`
	Flags    int      `json:"flags,omitempty"`
	Mentions mentions `json:"allowed_mentions"`
	Nonce    string   `json:"nonce,omitempty"`
	Enforce  bool     `json:"enforce_nonce,omitempty"`
	enclosure
}

// mentions says who a message wakes: nobody.
type mentions struct {
	Parse []string `json:"parse"`
}

var nobody = mentions{Parse: []string{}}

const (
	ephemeral   = int(discordgo.MessageFlagsEphemeral)
	noEmbeds    = int(discordgo.MessageFlagsSuppressEmbeds)
	maxContent  = 2000            // characters of a message
	maxAnswer   = 3 * time.Second // from the interaction to the first answer
	tokenLife   = 15*time.Minute - 30*time.Second
	maxFollowup = 10 * time.Second
)

var (
	deferEphemeral = callback{Type: int(discordgo.InteractionResponseDeferredChannelMessageWithSource), Data: &note{Flags: ephemeral, Mentions: nobody}}
	deferUpdate    = callback{Type: int(discordgo.InteractionResponseDeferredMessageUpdate)}
)

// say is an answer in words, for one person.
func say(text string) callback {
	return callback{Type: int(discordgo.InteractionResponseChannelMessageWithSource), Data: newNote(escapeTo(text, maxContent))}
}

func newNote(content string) *note {
	return &note{Content: content, Flags: ephemeral | noEmbeds, Mentions: nobody}
}

// ask asks the conversation and answers with what f makes of it. A deferral comes first if that takes its time, or has
// files, which do.
func (a *Adapter) ask(ctx context.Context, i *discordgo.Interaction, f func(ctx context.Context) callback) {
	answered := make(chan callback, 1)
	began := a.guarded(func(ctx context.Context) {
		c := say(sorry)
		defer func() { answered <- c }() // also after a panic
		c = f(ctx)
	})
	if !began {
		a.answer(ctx, i, say("Easel is being restarted. Try again in a minute."), nil)
		return
	}
	late := time.NewTimer(a.patience)
	defer late.Stop()
	select {
	case c := <-answered:
		if c.Data != nil && len(c.Data.files) > 0 {
			answered <- c
			a.answer(ctx, i, deferEphemeral, answered)
			return
		}
		a.answer(ctx, i, c, nil)
	case <-late.C:
		a.answer(ctx, i, deferEphemeral, answered)
	}
}

const sorry = "Something went wrong on Easel's side. The operator can find it in the log; try again."

// worded is the answer that a reply makes; accepted is the one when it says nothing.
func (a *Adapter) worded(reply bot.Reply, err error, accepted callback) callback {
	var told *bot.Error
	switch {
	case errors.As(err, &told):
		return say(told.Text)
	case err != nil:
		a.options.Log.Error("a Discord command failed", "error", err)
		return say(sorry)
	case reply.Notice != "":
		return say(reply.Notice)
	case len(reply.Details) > 0:
		return callback{Type: int(discordgo.InteractionResponseChannelMessageWithSource), Data: newNote(details(reply.Details))}
	default:
		return accepted
	}
}

// details lists how a picture was made, one line each. The last line, the longest, is cut first.
func details(list []bot.Detail) string {
	var b strings.Builder
	for _, d := range list {
		head := "**" + escape(d.Name) + "** "
		room := maxContent - units(b.String()) - units(head) - 1
		if room < 10 {
			break
		}
		b.WriteString(head + escapeTo(d.Value, min(room, maxContent/3)) + "\n")
	}
	return strings.TrimSpace(b.String())
}

// answer gives the first answer. A deferral is resolved by the next; with none it disappears.
func (a *Adapter) answer(ctx context.Context, i *discordgo.Interaction, c callback, next <-chan callback) {
	quick, cancel := context.WithTimeout(ctx, maxAnswer)
	defer cancel()
	err := a.call(quick, request{method: http.MethodPost, path: "interactions/" + i.ID + "/" + i.Token + "/callback", body: c}, nil)
	switch {
	case code(err) == discordgo.ErrCodeInteractionHasAlreadyBeenAcknowledged:
		return // delivered twice
	case err != nil:
		a.options.Log.Warn("an answer to Discord failed", "interaction", i.ID, "error", err)
		return
	}
	if c.Type != deferEphemeral.Type {
		return
	}
	var words *note
	if next != nil {
		words = a.outcome(ctx, next)
	}
	err = a.resolve(ctx, i, words)
	if err == nil || status(err) == http.StatusNotFound {
		return
	}
	a.options.Log.Warn("a deferred answer to Discord failed", "interaction", i.ID, "error", err)
	if words != nil && len(words.files) > 0 {
		_ = a.resolve(ctx, i, newNote("The pictures could not be sent to Discord. Try again.")) // as good as it gets
	}
}

// outcome waits for what the conversation says in the end; nil: nothing.
func (a *Adapter) outcome(ctx context.Context, next <-chan callback) *note {
	select {
	case c := <-next:
		if c.Type == int(discordgo.InteractionResponseChannelMessageWithSource) {
			return c.Data
		}
		return nil
	case <-ctx.Done():
		return newNote(sorry)
	}
}

// resolve puts words in the place that a deferral holds, or gives the place up. Words outlive ctx; files, which take
// longer, do not.
func (a *Adapter) resolve(ctx context.Context, i *discordgo.Interaction, words *note) error {
	life, base := maxFollowup, context.WithoutCancel(ctx)
	r := request{method: http.MethodDelete, path: "webhooks/" + a.options.AppID + "/" + i.Token + "/messages/@original"}
	if words != nil {
		edited := *words
		edited.Flags = noEmbeds // who sees it was decided by the deferral
		r.method, r.body, r.files = http.MethodPatch, edited, words.files
	}
	if len(r.files) > 0 {
		life, base = requestTimeout, ctx
	}
	ctx, cancel := context.WithTimeout(base, life)
	defer cancel()
	return a.call(ctx, r, nil)
}
