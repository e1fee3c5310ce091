package discord

import (
	"context"
	"net/url"
	"strconv"

	"github.com/bwmarrin/discordgo"

	"github.com/easelbot/easel/bot"
)

// permissions are what the bot needs in a channel.
const permissions = discordgo.PermissionViewChannel | discordgo.PermissionSendMessages | discordgo.PermissionSendMessagesInThreads |
	discordgo.PermissionEmbedLinks | discordgo.PermissionAttachFiles | discordgo.PermissionReadMessageHistory

// Register makes Discord offer the bot's commands, as [Adapter.Run] does at its start.
func (a *Adapter) Register(ctx context.Context, hints []bot.Hint) error {
	return a.register(ctx, hints)
}

// Invite is the address that invites the bot to a server, with the permissions that it needs.
func (a *Adapter) Invite() string {
	query := url.Values{
		"client_id": {a.options.AppID}, "scope": {"bot applications.commands"}, "permissions": {strconv.FormatInt(permissions, 10)},
	}
	return "https://discord.com/oauth2/authorize?" + query.Encode()
}
