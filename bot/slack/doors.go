package slack

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/easelbot/easel/bot"
)

// A response URL takes so many posts, for so long.
const (
	doorPosts = 5
	doorLife  = 30 * time.Minute
)

// A door is a response URL: the way to one person, also where the bot is no member.
type door struct {
	url   string
	until time.Time
	left  int
}

// doors are the newest response URLs, by where and from whom they came.
type doors struct {
	mu sync.Mutex
	m  map[string]*door
}

func newDoors() *doors { return &doors{m: map[string]*door{}} }

func doorKey(p bot.Place, who bot.Person) string { return p.Tenant + "/" + p.Channel + "/" + who.ID }

// keep remembers a response URL, and forgets those that are over.
func (d *doors) keep(p bot.Place, who bot.Person, address string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, old := range d.m {
		if !now.Before(old.until) {
			delete(d.m, key)
		}
	}
	d.m[doorKey(p, who)] = &door{url: address, until: now.Add(doorLife), left: doorPosts}
}

// take takes one post of the newest response URL from there, or returns "".
func (d *doors) take(p bot.Place, who bot.Person, now time.Time) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.m[doorKey(p, who)]
	if found == nil || found.left == 0 || !now.Before(found.until) {
		return ""
	}
	found.left--
	return found.url
}

// isDoor tells whether an address may be a response URL: Slack's, or the Web API's own host.
func (a *Adapter) isDoor(address string) bool {
	u, err := url.Parse(address)
	own, bad := url.Parse(a.options.APIURL)
	if err != nil || bad != nil {
		return false
	}
	slacks := u.Scheme == "https" && (u.Host == "hooks.slack.com" || strings.HasSuffix(u.Host, ".slack.com"))
	return slacks || u.Scheme == own.Scheme && u.Host == own.Host
}

var errNoDoor = errors.New("there is no response URL")

// throughDoor says something to one person alone, where they typed.
func (a *Adapter) throughDoor(ctx context.Context, p bot.Place, to bot.Person, w words) error {
	address := a.doors.take(p, to, time.Now())
	if address == "" {
		return errNoDoor
	}
	return api.PostWebhookCustomHTTPContext(ctx, address, a.http, &api.WebhookMessage{
		ResponseType: api.ResponseTypeEphemeral, Text: w.text, Blocks: &api.Blocks{BlockSet: w.blocks}, Parse: "none",
	})
}

// whisper says something to one person alone, in the first way that works.
func (a *Adapter) whisper(ctx context.Context, p bot.Place, to bot.Person, w words) error {
	if err := a.throughDoor(ctx, p, to, w); err == nil {
		return nil
	}
	return a.tell(ctx, p, to, w)
}

// tell says something to one person alone: where they are, else in a direct message.
func (a *Adapter) tell(ctx context.Context, p bot.Place, to bot.Person, w words) error {
	_, err := a.api.PostEphemeralContext(ctx, p.Channel, to.ID, w.options()...)
	if !unreachable(err) {
		return err
	}
	channel, err := a.direct(ctx, to)
	if err == nil {
		_, _, err = a.api.PostMessageContext(ctx, channel, w.options()...)
	}
	return err
}

// direct returns the channel of the direct messages with somebody.
func (a *Adapter) direct(ctx context.Context, to bot.Person) (string, error) {
	c, _, _, err := a.api.OpenConversationContext(ctx, &api.OpenConversationParameters{Users: []string{to.ID}})
	if err != nil {
		return "", err
	}
	return c.ID, nil
}
