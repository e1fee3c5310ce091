package main

import (
	"context"
	"fmt"
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
	if c.Slack.BotToken != "" {
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
		return failed("redis", fmt.Errorf("%s cannot be used (%w); start it, or correct redis.url: without it each process counts limits alone", where, err))
	}
	return passed("redis", "%s answers", where)
}
