// Package discord is the adapter to Discord: it translates between discordgo and the package bot, and decides nothing.
//
// Commands and buttons come in over the gateway, which needs no intent for them. Each must be answered within three
// seconds, and to one person only, so the conversation is asked first, which is quick: it writes the job down and returns.
//
//   - What it refuses or says is an ephemeral message (callback type 4).
//   - What it accepts is acknowledged, and nothing of that stays: a button by a deferred update (type 6), a command by an
//     ephemeral deferral (type 5) whose original is deleted at once.
//   - When it has not answered after a second and a half, an ephemeral deferral holds the place, to be edited or deleted.
//
// The job's own message owes nothing to the interaction. The outbox posts it with the bot's token, maybe before the
// acknowledgement, maybe after a restart, and edits it until the pictures are in it, so the fifteen minutes of an
// interaction's token do not matter. A post carries the job's ID as an enforced nonce: Discord returns the first message
// when a post is repeated within some minutes. A crash that lasts longer in just that moment may double a placeholder,
// never a result. In a channel where the bot may not post, a command is refused with what it needs; so it is meant for
// servers and its own direct messages, and registers for no others.
//
// What the bot tells one person goes through the newest interaction of theirs in that channel, as an ephemeral followup, while its
// token lives; after that, or after a restart, as a direct message. Who takes no direct messages is not told; the log says so.
//
// How a job gets on is an edit of its message's last line, at most every three seconds, and only while the channel's rate
// limit has room to spare. It is known to this process alone: a job that was posted by the last one shows nothing until it is done.
//
// What waits for a moderator is posted, with the case's ID as the nonce, in the review channel, if it came up in the server of
// that channel; cases of other servers and of direct messages wait for the operator at the command line. Whoever presses a case's button
// in the review channel itself is a moderator: who may see that channel is for the server's administrators to say. Held pictures
// are shown to who asks for them alone, as attachments of an ephemeral answer, which is deferred first since files take longer than three
// seconds. Once the case is decided its buttons go; what was shown goes when that moderator dismisses it or Discord does.
//
// Words of people are escaped, so that they neither render nor link, and mentions are switched off. No error or log line holds
// a token: discordgo's own log is silent, and addresses are taken out of transport errors, for interaction tokens stand in them.
package discord

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
)

// Pictures is where the bytes of pictures are, a *gallery.Gallery.
type Pictures interface {
	File(ctx context.Context, s gallery.Scope, job string, index int) ([]byte, error)
	// Sealed returns the held pictures of a tenant's job by their index, for moderators.
	Sealed(ctx context.Context, tenant, job string) (map[int][]byte, error)
}

// A Conversation is who the adapter translates for, a *bot.Bot. Its errors that are a *bot.Error are for the member.
type Conversation interface {
	Do(ctx context.Context, c bot.Command) (bot.Reply, error)
	Press(ctx context.Context, a bot.Action) (bot.Reply, error)
	// Options are what can be asked for beside the prompt.
	Options() []bot.Hint
}

// Options are what an [Adapter] is told.
type Options struct {
	Token      string       // of the bot, with or without "Bot " before it
	AppID      string       // of the application; empty: Discord is asked
	GuildID    string       // where commands are registered; empty: globally
	APIURL     string       // "http://127.0.0.1:1234/api"; empty: Discord's own
	GatewayURL string       // "ws://127.0.0.1:1234"; empty: the API is asked
	Log        *slog.Logger // nil: nothing is logged
	Pictures   Pictures

	ReviewChannel string // the ID of the channel where moderators are; empty: there is none
}

// An Adapter is one bot on Discord. Its methods may be called by many goroutines at once.
type Adapter struct {
	options  Options
	session  *discordgo.Session
	lines    *lines
	tokens   tokens
	told     sync.Map // key of Tell -> true
	live     sync.Map // job -> *live
	online   atomic.Bool
	guild    atomic.Pointer[string] // of the review channel; nil: not asked yet
	tasks    tasks
	patience time.Duration // with a conversation, before its answer is deferred
	pace     time.Duration // between two edits of a job's progress
}

var _ bot.Channel = (*Adapter)(nil)

const requestTimeout = time.Minute // for a request with its pictures, over a thin uplink

// Open checks the token and returns an adapter that can post; [Adapter.Run] makes it listen. Its errors say what to do.
func Open(ctx context.Context, o Options) (*Adapter, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	token := strings.TrimPrefix(strings.TrimSpace(o.Token), "Bot ")
	if token == "" {
		return nil, errors.New("discord has no token; set EASEL_DISCORD_TOKEN to the bot's token")
	}
	transport, err := newTransport(o)
	if err != nil {
		return nil, err
	}
	a := &Adapter{options: o, lines: newLines(), patience: 1500 * time.Millisecond, pace: 3 * time.Second}
	a.tasks.ctx, a.tasks.cancel = context.WithCancel(context.WithoutCancel(ctx))
	a.session, err = discordgo.New("Bot " + token)
	if err != nil {
		return nil, err
	}
	s := a.session
	s.Client = &http.Client{Transport: transport, Timeout: requestTimeout}
	s.Dialer = a.lines.dialer()
	s.Identify.Intents = discordgo.IntentsNone
	s.StateEnabled, s.SyncEvents, s.ShouldReconnectOnError, s.LogLevel = false, true, false, -1
	return a, a.check(ctx)
}

// check asks Discord who we are.
func (a *Adapter) check(ctx context.Context) error {
	path := "oauth2/applications/@me"
	if a.options.AppID != "" {
		path = "users/@me"
	}
	var me struct {
		ID string `json:"id"`
	}
	err := a.call(ctx, request{method: http.MethodGet, path: path, bucket: "me"}, &me)
	if status(err) == http.StatusUnauthorized {
		return fmt.Errorf("discord refuses the token; copy it anew from the bot's page of the developer portal: %w", err)
	}
	if err != nil {
		return fmt.Errorf("asking Discord who the bot is: %w", err)
	}
	if a.options.AppID == "" {
		a.options.AppID = me.ID
	}
	return nil
}

// Connected tells whether the gateway is connected, for readiness.
func (a *Adapter) Connected() bool { return a.online.Load() }
