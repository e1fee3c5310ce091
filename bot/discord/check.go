package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/bwmarrin/discordgo"
)

// A Finding is one thing that [Examine] looked at.
type Finding struct {
	Name string // "discord", "discord app", "discord guild", "discord cases"
	OK   bool
	Text string // what was found, or what is wrong and what to do
}

// examinePatience is how long Discord may take to answer one question.
const examinePatience = 10 * time.Second

// Examine asks Discord whether the token is good, of which application it is, and whether the bot sees the server that the options
// name and the moderators' channel ("": there is none). It posts and changes nothing, opens no gateway, and where one thing being wrong
// makes the next senseless it stops. What Discord refuses is told in words of our own: no finding holds a token.
func Examine(ctx context.Context, o Options, reviewChannel string) []Finding {
	a, bot, err := meet(ctx, o)
	if err != nil {
		return []Finding{{"discord", false, err.Error()}}
	}
	defer a.tasks.cancel()
	defer a.session.Client.CloseIdleConnections()
	findings := []Finding{{"discord", true, fmt.Sprintf("the token is that of %q", bot)}, found("discord app")(a.findApp(ctx, o.AppID))}
	if o.GuildID != "" {
		findings = append(findings, found("discord guild")(a.findGuild(ctx)))
	}
	return append(findings, found("discord cases")(a.findChannel(ctx, reviewChannel)))
}

// found makes a finding of what was found or went wrong.
func found(name string) func(text string, err error) Finding {
	return func(text string, err error) Finding {
		if err != nil {
			return Finding{name, false, err.Error()}
		}
		return Finding{name, true, text}
	}
}

// meet opens an adapter and asks for the bot's name.
func meet(ctx context.Context, o Options) (a *Adapter, name string, err error) {
	ctx, cancel := context.WithTimeout(ctx, examinePatience)
	defer cancel()
	a, err = Open(ctx, o)
	var me struct {
		Username string `json:"username"`
	}
	if err == nil {
		err = a.call(ctx, request{method: http.MethodGet, path: "users/@me", bucket: "me"}, &me)
	}
	if status(err) == http.StatusUnauthorized {
		return nil, "", errors.New("discord refuses the token; press Reset Token on the bot's page of the developer portal, and set EASEL_DISCORD_TOKEN to the new one")
	}
	return a, me.Username, plainly(err)
}

// look makes a request that takes no longer than examinePatience.
func (a *Adapter) look(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, examinePatience)
	defer cancel()
	return a.call(ctx, request{method: http.MethodGet, path: path, bucket: path}, into)
}

// plainly leaves out what Discord wrote beside the status, for who knows what that is.
func plainly(err error) error {
	if s := status(err); s != 0 {
		return fmt.Errorf("discord answers %d %s (its code %d); try again, and look at discord.api_url if one is set", s, http.StatusText(s), code(err))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("discord does not answer within %v; see to the network", examinePatience)
	}
	return err
}

// unseen tells whether Discord says that something is not there, or not for this bot.
func unseen(err error) bool {
	return slices.Contains([]int{http.StatusForbidden, http.StatusNotFound}, status(err))
}

// findApp compares the application with the one that was named, if one was.
func (a *Adapter) findApp(ctx context.Context, named string) (string, error) {
	var app struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	if err := a.look(ctx, "oauth2/applications/@me", &app); err != nil {
		return "", plainly(err)
	}
	a.options.AppID = app.ID // which is right in an invitation, whatever was named
	if named != "" && named != app.ID {
		return "", fmt.Errorf("discord.app_id is %s, and the token belongs to %q, which is %s; leave discord.app_id out, or take the token of the other application",
			named, app.Name, app.ID)
	}
	return fmt.Sprintf("%q, %s", app.Name, app.ID), nil
}

func (a *Adapter) findGuild(ctx context.Context) (string, error) {
	var guild struct {
		Name string `json:"name"`
	}
	id := a.options.GuildID
	err := a.look(ctx, "guilds/"+id, &guild)
	if unseen(err) {
		return "", fmt.Errorf("the bot is not in server %s (discord.guild_id); correct the ID, or invite it, as easel register does: %s", id, a.Invite())
	}
	return fmt.Sprintf("the bot is in %q; commands are registered there alone", guild.Name), plainly(err)
}

// silent are kinds of channels that hold no messages of their own: categories, directories, forums and media.
var silent = []discordgo.ChannelType{discordgo.ChannelTypeGuildCategory, 14, discordgo.ChannelTypeGuildForum, discordgo.ChannelTypeGuildMedia}

func (a *Adapter) findChannel(ctx context.Context, id string) (string, error) {
	if id == "" {
		return "no moderators' channel is named (discord.review_channel): cases wait for easel review list", nil
	}
	var channel struct {
		Name  string                `json:"name"`
		Type  discordgo.ChannelType `json:"type"`
		Guild string                `json:"guild_id"`
	}
	err := a.look(ctx, "channels/"+id, &channel)
	switch {
	case unseen(err):
		return "", fmt.Errorf("the bot does not see channel %s (discord.review_channel); correct the ID, or give the bot's role View Channel, Send Messages and Attach Files there", id)
	case err == nil && slices.Contains(silent, channel.Type):
		return "", fmt.Errorf("%q (discord.review_channel) is no channel for messages; name a text channel", channel.Name)
	case err != nil:
		return "", plainly(err)
	case channel.Guild == "":
		return "", fmt.Errorf("channel %s (discord.review_channel) is in no server; name a text channel of your server", id)
	case a.options.GuildID != "" && channel.Guild != a.options.GuildID:
		return "", fmt.Errorf("%q (discord.review_channel) is in server %s, and the commands are in %s (discord.guild_id): no case would come there", channel.Name, channel.Guild, a.options.GuildID)
	}
	return fmt.Sprintf("moderators are asked in %q, about what comes up in its server (%s)", channel.Name, channel.Guild), nil
}
