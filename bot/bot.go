// Package bot is the conversation, free of any platform: a [Command] or an [Action] comes in, a [Reply] goes back to
// whoever asked, and [Message]s appear in the channel and change as their job gets on. Platforms only translate; what is
// said, which buttons there are and what they do is decided here.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/ratelimit"
)

// A Place is where something is said.
type Place = jobs.Place

// A Person is who says it.
type Person = jobs.Person

// A Command is a line somebody typed, such as "/imagine a red fox --count 2".
type Command struct {
	Key    string // the platform's ID of the event, so that a repeated delivery is the same command
	Place  Place
	Person Person
	Name   string // "imagine", "help"
	Text   string // the prompt with options among it
	// Options are what a platform asks for in fields of their own, by name. Where it does (not nil), Text is the prompt as it is.
	Options map[string]string
}

// An Action is a button somebody pressed.
type Action struct {
	Key    string
	Place  Place
	Person Person
	Name   string // "upscale", "vary", "reroll", "cancel", "delete", "details"; of a case: "approve", "reject", "reveal"
	Job    string // or the case
	Index  int
	// Moderator says that they may decide the cases of the place's tenant. The platform knows.
	Moderator bool
}

// An Error is for the member: what is wrong and what to do next.
type Error struct {
	Code   string        // "option", "prompt", "refused", "limited", "busy", "gone", "not_yours", "too_late", "disk_full", "failed"
	Text   string        // a sentence or two
	Option string        // the option that is wrong, without dashes
	Retry  time.Duration // when to try again; 0: not by waiting
	cause  error         // for the operator
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.cause }

// A Channel is a platform's end: where messages are posted. Posting the same job's message again returns the first
// one's ID where the platform can tell; the others can be repeated.
type Channel interface {
	Post(ctx context.Context, place Place, m Message) (id string, err error)
	// Show returns jobs.ErrGone if the message is not there any more.
	Show(ctx context.Context, place Place, id string, m Message) error
	Remove(ctx context.Context, place Place, id string) error
	// Tell says something to one person alone. The same key again says nothing new.
	Tell(ctx context.Context, key string, place Place, to Person, text string) error
	// PostCase posts a case, which came up at place, where the moderators of its tenant are; "" if they have no such place.
	// Posting it again is like posting a message again. It may have been posted before, as old: there it stays, if it is
	// still there and that still is the place.
	PostCase(ctx context.Context, place Place, old string, m CaseMessage) (id string, err error)
	ShowCase(ctx context.Context, place Place, id string, m CaseMessage) error
	// Progress shows how a job gets on, if it can be shown cheaply. It must not block.
	Progress(place Place, job string, p jobs.Progress)
}

// Saga is what the conversation wants of [jobs.Saga].
type Saga interface {
	Submit(ctx context.Context, o jobs.Order) (jobs.Job, error)
	Job(ctx context.Context, p jobs.Place, viewer jobs.Person, id string) (jobs.Job, error)
	Cancel(ctx context.Context, p jobs.Place, who jobs.Person, id string) error
	Delete(ctx context.Context, p jobs.Place, who jobs.Person, id string) error
	Case(ctx context.Context, whose review.Scope, id string) (review.Case, error)
	Decide(ctx context.Context, whose review.Scope, id string, d review.Decision, by review.Moderator) error
}

// A Bot holds the conversation.
type Bot struct {
	saga     Saga
	gallery  *gallery.Gallery
	planner  jobs.Planner
	channels map[string]Channel // by platform
	free     *ratelimit.Memory
	log      *slog.Logger
}

// pace is how much of what costs nothing one person may do, so that nobody floods a channel: so many at once, and so many an
// hour.
var pace = ratelimit.Limits{Person: ratelimit.Limit{Burst: 20, PerHour: 1200}}

// New returns a bot that speaks on the channels of these platforms.
func New(saga Saga, g *gallery.Gallery, planner jobs.Planner, channels map[string]Channel, log *slog.Logger) *Bot {
	return &Bot{saga: saga, gallery: g, planner: planner, channels: channels, free: ratelimit.NewMemory(pace, time.Now), log: log}
}

// Pace says whether somebody may do another thing that costs nothing, such as write a line. Its error is an *Error.
func (b *Bot) Pace(ctx context.Context, place Place, who Person) error {
	err := b.free.Take(ctx, ratelimit.Spender{Tenant: place.Platform + ":" + place.Tenant, Person: who.ID}, 1)
	if denied := new(ratelimit.DeniedError); errors.As(err, &denied) {
		return &Error{Code: "limited", Text: "That was a lot at once. Wait a moment and try again.", Retry: denied.Retry, cause: err}
	}
	return err
}

// MaxCount is how many pictures one message holds.
const MaxCount = 4

// Do answers a command. Its errors are *Error, for the one who typed it.
func (b *Bot) Do(ctx context.Context, c Command) (Reply, error) {
	switch c.Name {
	case "imagine":
		return b.imagine(ctx, c)
	case "help":
		return Reply{Notice: b.help()}, nil
	default:
		return Reply{}, &Error{Code: "command", Text: fmt.Sprintf("There is no command /%s. Type /imagine and what to paint, or /help.", short(c.Name))}
	}
}

func (b *Bot) imagine(ctx context.Context, c Command) (Reply, error) {
	ask, err := asked(c)
	if err != nil {
		return Reply{}, err
	}
	if ask.Count == nil {
		ask.Count = new(int)
		*ask.Count = MaxCount
	}
	return b.submit(ctx, jobs.Order{Key: c.Key, Place: c.Place, Owner: c.Person, Kind: jobs.Imagine, Ask: ask})
}

func (b *Bot) submit(ctx context.Context, o jobs.Order) (Reply, error) {
	j, err := b.saga.Submit(ctx, o)
	if err != nil {
		return Reply{}, b.explain(err)
	}
	return Reply{Job: j.ID}, nil
}

func (b *Bot) help() string {
	return "Type /imagine and what to paint, such as: /imagine a red fox on a blue background. " +
		"Behind it you can ask for more: " + optionNames() + ". " +
		"In the prompt, (word) counts more, [word] less, and {red|blue} is one of the two. " +
		"Under the pictures, U shows one large, V paints variations of it, and Reroll paints all of them anew."
}

// Press answers a button. Its errors are *Error, for the one who pressed it.
func (b *Bot) Press(ctx context.Context, a Action) (Reply, error) {
	order := jobs.Order{Key: a.Key, Place: a.Place, Owner: a.Person, Parent: &gallery.Parent{Job: a.Job, Index: a.Index}}
	switch a.Name {
	case "upscale":
		order.Kind = jobs.Pick
		if err := b.Pace(ctx, a.Place, a.Person); err != nil {
			return Reply{}, err
		}
		return b.submit(ctx, order)
	case "vary":
		order.Kind = jobs.Vary
		return b.submit(ctx, order)
	case "reroll":
		order.Kind, order.Parent.Index = jobs.Reroll, 0
		return b.submit(ctx, order)
	case "cancel":
		return Reply{}, b.explain(b.saga.Cancel(ctx, a.Place, a.Person, a.Job))
	case "delete":
		return Reply{}, b.explain(b.saga.Delete(ctx, a.Place, a.Person, a.Job))
	case "details":
		return b.details(ctx, a)
	case "approve", "reject", "reveal":
		return b.moderate(ctx, a)
	default:
		return Reply{}, &Error{Code: "gone", Text: "There is no such button any more. Ask for the pictures anew."}
	}
}

// explain puts an error in words for the member; what they can do nothing about goes to the log as well.
func (b *Bot) explain(err error) error {
	if err == nil {
		return nil
	}
	told := describe(err)
	if told.Code == "failed" || told.Code == "disk_full" {
		b.log.Error("a command failed", "error", err)
	}
	return told
}

// errNoChannel tells of a job on a platform that is not configured any more.
var errNoChannel = errors.New("its platform is not configured")
