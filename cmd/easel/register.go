package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/bot/discord"
	"github.com/easelbot/easel/bot/slack"
	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
)

func registerCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "register",
		Short: "Register slash commands with Discord; print the invitation and Slack's manifest",
		Long: "With a Discord token, registers the slash commands and prints the address that invites the bot to a server.\n" +
			"Prints the manifest from which Slack makes the app: over HTTP if public_url is set, else over Socket Mode.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.load()
			if err != nil {
				return err
			}
			return register(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
	s.modelFlags(cmd)
	nameValues(cmd)
	return cmd
}

func register(ctx context.Context, c configs.Config, stdout io.Writer) error {
	var err error
	if c.Discord.Token != "" {
		err = registerDiscord(ctx, c, stdout)
	} else {
		fmt.Fprintln(stdout, "# Discord: set EASEL_DISCORD_TOKEN to the bot's token, and run this again.")
	}
	fmt.Fprintf(stdout, "\n# Slack: make an app from this manifest at https://api.slack.com/apps, install it, and set EASEL_SLACK_BOT_TOKEN.\n%s", slack.Manifest(c.PublicURL))
	return err
}

func registerDiscord(ctx context.Context, c configs.Config, stdout io.Writer) error {
	folders, err := openModels(c)
	if err != nil {
		return err
	}
	a, err := discord.Open(ctx, discord.Options{
		Token: c.Discord.Token, AppID: c.Discord.AppID, GuildID: c.Discord.GuildID, APIURL: c.Discord.APIURL, GatewayURL: c.Discord.GatewayURL,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "# Discord: this address invites the bot to a server:\n%s\n", a.Invite()) // first: in a server where it is not, it cannot register
	hints := bot.New(nil, nil, proposal(folders), nil, slog.New(slog.DiscardHandler)).Options()
	if err := a.Register(ctx, hints); err != nil {
		return err
	}
	where := "everywhere; it may take a while until people see them"
	if c.Discord.GuildID != "" {
		where = "in server " + c.Discord.GuildID
	}
	fmt.Fprintf(stdout, "# Discord: the commands are registered %s.\n", where)
	return nil
}

// proposal is what models propose, for who paints nothing.
type proposal []*model.Folder

func (p proposal) Models() []string {
	var names []string
	for _, f := range p {
		names = append(names, f.Name)
	}
	return names
}

func (p proposal) Defaults(string) (imagine.Request, error) { return generator.Defaults(p[0]), nil }
func (proposal) Check(r imagine.Request) error              { return r.Validate() }
func (proposal) Calls(r imagine.Request) int                { return r.Steps }
