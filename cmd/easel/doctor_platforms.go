package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/easelbot/easel/bot/discord"
	"github.com/easelbot/easel/bot/slack"
	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/ratelimit"
)

// checkPlatforms asks Discord, Slack and Redis, as far as they are named, whether they know the program.
func checkPlatforms(ctx context.Context, c configs.Config) []check {
	var checks []check
	if c.Discord.Token != "" {
		for _, f := range discord.Examine(ctx, discord.Options{
			Token: c.Discord.Token, AppID: c.Discord.AppID, GuildID: c.Discord.GuildID, APIURL: c.Discord.APIURL, GatewayURL: c.Discord.GatewayURL,
		}, c.Discord.ReviewChannel) {
			checks = append(checks, check(f))
		}
	}
	checks = append(checks, halfSet("discord", c.Discord.Token, "EASEL_DISCORD_TOKEN", map[string]string{
		"discord.app_id": c.Discord.AppID, "discord.guild_id": c.Discord.GuildID, "discord.review_channel": c.Discord.ReviewChannel,
	})...)
	checks = append(checks, halfSet("slack", c.Slack.BotToken, "EASEL_SLACK_BOT_TOKEN", map[string]string{
		"slack.app_token": c.Slack.AppToken, "slack.signing_secret": c.Slack.SigningSecret, "slack.review_channel": c.Slack.ReviewChannel,
	})...)
	if c.Slack.BotToken != "" {
		if c.Slack.AppToken == "" && c.PublicURL == "" {
			checks = append(checks, failed("slack http", errors.New("without an app token Slack must reach Easel, and public_url is not set; set it to the address that leads here, or set EASEL_SLACK_APP_TOKEN")))
		}
		for _, f := range slack.Examine(ctx, slack.Options{
			BotToken: c.Slack.BotToken, AppToken: c.Slack.AppToken, SigningSecret: c.Slack.SigningSecret, APIURL: c.Slack.APIURL,
		}, c.Slack.ReviewChannel) {
			checks = append(checks, check(f))
		}
	}
	if c.Redis.URL != "" {
		checks = append(checks, checkRedis(ctx, c.Redis.URL))
	}
	return checks
}

// halfSet fails where something is set for a platform that is off, since its token is not.
func halfSet(name, token, variable string, others map[string]string) []check {
	if token != "" {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(others)) {
		if others[key] != "" {
			return []check{failed(name, fmt.Errorf("%s is set and the bot's token is not, so nothing of %s is on; set %s, or take the others out", key, name, variable))}
		}
	}
	return nil
}

// checkRedis says hello to Redis. Its address is told without the password in the URL.
func checkRedis(ctx context.Context, url string) check {
	client, err := ratelimit.OpenRedis(url)
	if err != nil {
		return failed("redis", err)
	}
	defer func() { _ = client.Close() }() // it has served its purpose
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	where := client.Options().Addr
	if err := client.Ping(ctx).Err(); err != nil {
		return failed("redis", fmt.Errorf("%s cannot be used (%w); start it, or correct EASEL_REDIS_URL (or the file of redis.url_file), with the password if it wants one: without Redis each process counts limits alone", where, err))
	}
	return passed("redis", "%s answers", where)
}
