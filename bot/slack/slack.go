// Package slack brings the conversation of the package bot to one Slack workspace. It only translates: slash commands and
// buttons come in over Socket Mode ([Adapter.Run], with an app token) or over HTTP ([Adapter.Handler], with a signing
// secret), through the same code, and messages go out through the Web API as Block Kit.
//
// # Coming in
//
// Whatever comes is acknowledged as soon as the conversation has taken it, which writes it down: what Slack knows to be heard
// survives a crash. Slack waits 3 seconds, so after half of that it is acknowledged anyway. What is worked on when the
// program ends is finished first. The acknowledgement is silent. A refusal, a notice or details go to the one who
// asked, alone, through the event's response URL (5 posts in 30 minutes, wherever it was typed), else as an ephemeral
// message, else as a direct message. The key of a command is Slack's trigger ID, so what is delivered twice runs once:
// here within 10 minutes, and in the journal for good. More than 256 events at once are refused as busy.
//
// A request over HTTP carries a v0 signature, is at most 5 minutes off, and no larger than 1 MiB. One that is seen again is
// acknowledged and does nothing.
//
// # Going out
//
// A job is one message. Its ID is "channel:timestamp", since it may stand elsewhere than where the command was typed: where
// the bot is no member, the message goes to the author's direct messages and they are told so; where that cannot be
// either, they are told what to do, and the ID is "-", which nothing is shown in. Slack has no key against posting
// twice: within a process a job is posted once, but a crash between the post and the journal's note of it posts it again.
//
// Pictures are uploaded in Slack's three steps and shared with nobody; the message's image blocks name them. Slack
// processes a file before a block may name it and says invalid_blocks until then, so the update is tried again for 16
// seconds. With a message its files are deleted, as far as they are known: from this process, or from the message whose
// button was pressed.
//
// # Cases
//
// What waits for a moderator is posted to the review channel, if it came up in the bot's own workspace, and shows there how
// it was decided. Whoever presses a button there is a moderator, but for guests from other workspaces: who can see the
// channel may decide. No press from elsewhere is a moderator's. A case that cannot be posted is tried again; the error says what to do.
//
// Held pictures are in no channel. A moderator who asks for them gets them as a direct message, once each (ephemeral
// messages carry no files). When the case is decided those messages and their files are deleted, as far as this process
// knows them: what was sent before a restart stays in the direct messages until somebody deletes it.
//
// # Words
//
// Prompts stand in rich text, where nothing is markup and nobody is called; everything else is plain text. What is too
// long for Block Kit is cut, with an ellipsis. How a job gets on is shown at most every 5 seconds for each, and every 3
// seconds for all, of the 50 updates a minute that Slack allows a workspace.
//
// Tokens and the addresses that act as such (response URLs, upload URLs, the socket's) are in no error and no log.
//
// See https://docs.slack.dev/apis/events-api/using-socket-mode, authentication/verifying-requests-from-slack,
// reference/block-kit and messaging/working-with-files there.
package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	api "github.com/slack-go/slack"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
)

// channelForm is what the ID of a channel looks like. A name will not do, for presses come with the ID.
var channelForm = regexp.MustCompile(`\A[CDG][0-9A-Z]+\z`)

// platform is this adapter's name in a [bot.Place].
const platform = "slack"

// Options are what an [Adapter] is told.
type Options struct {
	BotToken      string       // "xoxb-…"
	AppToken      string       // "xapp-…", with the scope connections:write, for Socket Mode; empty: HTTP alone
	SigningSecret string       // for HTTP; empty: every request is refused
	APIURL        string       // of the Web API; empty: Slack's
	Log           *slog.Logger // nil: nothing is logged
	Pictures      Pictures     // where the pictures' bytes are
	ReviewChannel string       // the ID of the moderators' channel ("C…"); empty: cases are not posted
}

// Pictures is what the adapter wants of [gallery.Gallery].
type Pictures interface {
	// File returns a picture's bytes, or [gallery.ErrNotFound].
	File(ctx context.Context, s gallery.Scope, job string, index int) ([]byte, error)
	// Sealed returns the bytes of the held pictures of a tenant's job, by index. It is for moderators.
	Sealed(ctx context.Context, tenant, job string) (map[int][]byte, error)
}

// Conversation is what the adapter wants of [bot.Bot].
type Conversation interface {
	Do(ctx context.Context, c bot.Command) (bot.Reply, error)
	Press(ctx context.Context, a bot.Action) (bot.Reply, error)
}

// An Adapter is the bot in a Slack workspace. Its methods may be called by many goroutines at once.
type Adapter struct {
	options  Options
	log      *slog.Logger
	http     *http.Client
	api      *api.Client
	work     *work
	seen     *seen
	doors    *doors
	lives    *lives
	dossiers *dossiers
	team     atomic.Pointer[string] // the bot's own workspace; nil: not asked yet
}

var _ bot.Channel = (*Adapter)(nil)

// Open returns an adapter. It asks Slack nothing yet; its errors are about the options.
func Open(o Options) (*Adapter, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("slack: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.APIURL = strings.TrimSuffix(o.APIURL, "/") + "/"
	client := &http.Client{Timeout: 30 * time.Second}
	a := &Adapter{
		options: o, log: o.Log, http: client,
		api: api.New(o.BotToken, api.OptionAPIURL(o.APIURL), api.OptionAppLevelToken(o.AppToken), api.OptionHTTPClient(client),
			api.OptionLog(log.New(io.Discard, "", 0)), api.OptionRetryConfig(api.RetryConfig{MaxRetries: 2, RetryAfterDuration: 5 * time.Second})),
		work: newWork(), seen: newSeen(), doors: newDoors(), lives: newLives(), dossiers: newDossiers(),
	}
	return a, nil
}

func (o *Options) check() error {
	if o.APIURL == "" {
		o.APIURL = api.APIURL
	}
	switch {
	case o.BotToken == "":
		return errors.New("there is no bot token; copy it from the app's page \"OAuth & Permissions\", it begins with xoxb-")
	case o.AppToken == "" && o.SigningSecret == "":
		return errors.New("there is neither an app token (for Socket Mode) nor a signing secret (for HTTP); the app's page \"Basic Information\" has both")
	case o.AppToken != "" && !strings.HasPrefix(o.AppToken, "xapp-"):
		return errors.New("the app token does not begin with xapp-; make one on the app's page \"Basic Information\", with the scope connections:write")
	case o.Pictures == nil:
		return errors.New("there is nothing to take pictures from")
	case o.ReviewChannel != "" && !channelForm.MatchString(o.ReviewChannel):
		return fmt.Errorf("the review channel %q is no channel's ID; copy it from the end of the channel's details, it begins with C", o.ReviewChannel)
	}
	return nil
}

// Run checks the bot token and, with an app token, listens over Socket Mode, until ctx ends. It returns nil when everything
// that was begun is finished, also what came over HTTP, and an error when Slack refuses the tokens. What else fails is
// tried again.
func (a *Adapter) Run(ctx context.Context, c Conversation) error {
	defer a.http.CloseIdleConnections()
	defer a.work.drain()
	err := a.sign(ctx)
	if err == nil && a.options.AppToken != "" {
		err = a.listen(ctx, c)
	} else if err == nil {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return nil // it was told to end
	}
	return err
}

// sign asks Slack who the bot is, until it answers.
func (a *Adapter) sign(ctx context.Context) error {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		me, err := a.api.AuthTestContext(ctx)
		if err == nil {
			a.team.Store(&me.TeamID)
			a.log.Info("slack knows the bot", "workspace", me.Team, "team", me.TeamID, "bot", me.User)
			return nil
		}
		if refusesTokens(err) {
			return fmt.Errorf("slack refuses the bot token (%w); copy it anew from the app's page \"OAuth & Permissions\"", redacted(err))
		}
		a.log.Warn("slack cannot be asked who the bot is, it is tried again", "pause", pause, "error", redacted(err))
		if !wait(ctx, pause) {
			return ctx.Err()
		}
	}
}

// wait waits and tells whether ctx still lives.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
