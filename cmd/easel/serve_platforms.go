package main

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/bot/discord"
	"github.com/easelbot/easel/bot/slack"
	"github.com/easelbot/easel/configs"
)

// A platform is an adapter beside the local channel.
type platform struct {
	name  string
	run   func(ctx context.Context, b *bot.Bot) error
	state func() error // nil while it is connected
	ended atomic.Bool  // for good, though it was not told to
}

// openPlatforms opens the adapters that the configuration names. Discord refuses a bad token at once, Slack when it runs.
func (h *house) openPlatforms(ctx context.Context, c configs.Config) (map[string]bot.Channel, error) {
	channels := map[string]bot.Channel{"web": h.channel}
	if c.Discord.Token != "" {
		a, err := discord.Open(ctx, discord.Options{
			Token: c.Discord.Token, AppID: c.Discord.AppID, GuildID: c.Discord.GuildID,
			APIURL: c.Discord.APIURL, GatewayURL: c.Discord.GatewayURL, Log: h.log.With("platform", "discord"), Pictures: h.gallery,
			ReviewChannel: c.Discord.ReviewChannel,
		})
		if err != nil {
			return nil, err
		}
		channels["discord"] = a
		h.platforms = append(h.platforms, &platform{name: "discord", run: func(ctx context.Context, b *bot.Bot) error { return a.Run(ctx, b) }, state: connected(a.Connected)})
	}
	if c.Slack.BotToken != "" {
		a, err := slack.Open(slack.Options{
			BotToken: c.Slack.BotToken, AppToken: c.Slack.AppToken, SigningSecret: c.Slack.SigningSecret,
			APIURL: c.Slack.APIURL, Log: h.log.With("platform", "slack"), Pictures: h.gallery, ReviewChannel: c.Slack.ReviewChannel,
		})
		if err != nil {
			return nil, err
		}
		channels["slack"] = a
		h.platforms = append(h.platforms, &platform{name: "slack", run: func(ctx context.Context, b *bot.Bot) error { return a.Run(ctx, b) }, state: func() error { return nil }})
		h.hooks = func(b *bot.Bot) http.Handler { return a.Handler(b) }
	}
	return channels, nil
}

func (p *platform) check(context.Context) error {
	if p.ended.Load() {
		return degraded{errors.New("it has ended; the log says why")}
	}
	return p.state()
}

func connected(online func() bool) func() error {
	return func() error {
		if !online() {
			return degraded{errors.New("not connected")}
		}
		return nil
	}
}

// runPlatforms keeps the adapters going. One that breaks for good is told in the log and by /readyz, and the others go on.
func (h *house) runPlatforms(ctx context.Context, loops *errgroup.Group) {
	for _, p := range h.platforms {
		loops.Go(func() error {
			if err := p.run(ctx, h.bot); err != nil && ctx.Err() == nil {
				p.ended.Store(true)
				h.log.Error("a platform has ended; the others go on", "platform", p.name, "error", err)
			}
			return nil
		})
	}
}
