package discord

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
)

// interaction answers what somebody did.
func (a *Adapter) interaction(ctx context.Context, talk Conversation, i *discordgo.Interaction) {
	if i == nil || !snowflake(i.ID) || !snowflake(i.ChannelID) || i.Token == "" {
		a.options.Log.Warn("Discord sent an interaction that cannot be read")
		return
	}
	who, ok := asker(i)
	if !ok {
		return
	}
	a.tokens.put(i.ChannelID, who.ID, i.Token)
	switch data := i.Data.(type) {
	case discordgo.ApplicationCommandInteractionData:
		if problem := mayPost(i); problem != "" {
			a.answer(ctx, i, say(problem), nil)
			return
		}
		c := commandOf(i, who, data)
		a.ask(ctx, i, func(ctx context.Context) callback {
			reply, err := talk.Do(ctx, c)
			return a.worded(reply, err, deferEphemeral)
		})
	case discordgo.MessageComponentInteractionData:
		b, ok := parseButton(data.CustomID)
		if !ok {
			a.answer(ctx, i, say("This button is from another version of Easel. Use /imagine to begin anew."), nil)
			return
		}
		action := bot.Action{Key: i.ID, Place: placeOf(i, who), Person: who, Name: b.action, Job: b.job, Index: b.index}
		a.ask(ctx, i, func(ctx context.Context) callback { return a.press(ctx, talk, action) })
	default:
		a.options.Log.Warn("Discord sent an interaction of an unknown kind", "type", int(i.Type))
	}
}

// press presses a button and makes the answer to it.
func (a *Adapter) press(ctx context.Context, talk Conversation, action bot.Action) callback {
	var reply bot.Reply
	var err error
	if action.Moderator, err = a.moderates(ctx, action.Place); err == nil {
		reply, err = talk.Press(ctx, action)
	}
	if err == nil && len(reply.Sealed) > 0 {
		return a.reveal(ctx, action.Place.Tenant, reply.Sealed)
	}
	return a.worded(reply, err, deferUpdate)
}

// asker is who did it: a member in a server, a user in direct messages.
func asker(i *discordgo.Interaction) (bot.Person, bool) {
	switch {
	case i.Member != nil && i.Member.User != nil:
		return bot.Person{ID: i.Member.User.ID, Name: i.Member.DisplayName()}, snowflake(i.Member.User.ID)
	case i.User != nil:
		return bot.Person{ID: i.User.ID, Name: i.User.DisplayName()}, snowflake(i.User.ID)
	}
	return bot.Person{}, false
}

// placeOf is where it was done. Direct messages are a tenant of their own for each person.
func placeOf(i *discordgo.Interaction, who bot.Person) bot.Place {
	tenant := i.GuildID
	if tenant == "" {
		tenant = "dm:" + who.ID
	}
	return bot.Place{Platform: "discord", Tenant: tenant, Channel: i.ChannelID, Visibility: gallery.InChannel}
}

func commandOf(i *discordgo.Interaction, who bot.Person, data discordgo.ApplicationCommandInteractionData) bot.Command {
	c := bot.Command{Key: i.ID, Place: placeOf(i, who), Person: who, Name: data.Name, Options: map[string]string{}}
	for _, o := range data.Options {
		if o == nil {
			continue
		}
		if value := valueOf(o.Value); o.Name == "prompt" {
			c.Text = value
		} else {
			c.Options[o.Name] = value
		}
	}
	return c
}

// valueOf writes a value as it would be typed.
func valueOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// mayPost says what the bot lacks in the channel. Discord sends its permissions with every interaction; none at all
// means that they were left out.
func mayPost(i *discordgo.Interaction) string {
	have := i.AppPermissions
	if i.Context == discordgo.InteractionContextPrivateChannel {
		return "Easel cannot post in this conversation. Use /imagine in a server, or in a direct message to Easel."
	}
	if have == 0 || have&discordgo.PermissionAdministrator != 0 {
		return ""
	}
	var lacks []string
	for _, p := range []struct {
		bits int64
		name string
	}{
		{discordgo.PermissionViewChannel, "View Channel"},
		{discordgo.PermissionSendMessages | discordgo.PermissionSendMessagesInThreads, "Send Messages"},
		{discordgo.PermissionAttachFiles, "Attach Files"},
	} {
		if have&p.bits == 0 {
			lacks = append(lacks, p.name)
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return "Easel may not post pictures here. Ask an administrator to give it in this channel: " + strings.Join(lacks, ", ") + "."
}
