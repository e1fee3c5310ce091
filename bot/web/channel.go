// Package web is Easel's own chat channel: a page in the browser, one channel for everybody who opens it, a small JSON
// API behind it, and a stream of events. It is a platform like any other: it translates between people and the
// conversation of the package bot.
//
// Who somebody is, a random token in a cookie says; only its SHA-256 is kept. Nobody signs in, so the channel is for a
// loopback address, and every request must name one of the hosts it was told (against DNS rebinding) and, to change
// anything, come from its own page.
//
// Messages lie in the database, in the order of their ID. Each change of a message, its coming included, takes the next
// revision within the transaction that makes it, and transactions come one after another: what a reader has not seen is
// what has a greater revision than the last they saw. So the streams of events carry no queues. They are woken, read
// what is new from the database, each at its own pace, and hand out the revision as the event's ID, from which a browser
// resumes when it comes back. Nothing is missed or repeated, a slow reader holds up nobody, and one who cannot take any
// more for a while is cut off and resumes later.
//
// The moderator is the channel's owner: the first person who ever did anything in it, such as to write a line. What
// waits for a decision is a message for them alone, with the buttons to decide it; anybody else's press on these buttons is
// not a moderator's. The held pictures lie at an address of their own, /sealed/, which to all others is empty, and are kept by no
// cache. An owner whose browser has lost its cookie is taken off by easel review
// owner --clear; the next person who does something follows.
//
// What is not kept (how jobs get on, who is here) has no ID; of that a reader gets the newest only.
package web

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/store"
)

// general is the one channel there is.
var general = bot.Place{Platform: "web", Tenant: "local", Channel: "general", Visibility: gallery.InChannel}

// easel is who speaks where nobody else does.
var easel = bot.Person{Name: "Easel"}

// Options are what a [Channel] is told.
type Options struct {
	Version string       // of the program, so that old pages notice a new one
	Hosts   []string     // what requests may name as their host: "localhost" with any port, "localhost:8080" with this one
	Log     *slog.Logger // nil: nothing is logged

	// Screen judges what people write outside of prompts; noun says what it is: "name" or "message". It returns a
	// *bot.Error for what it refuses. Nil: nothing is refused.
	Screen func(noun, text string) error
}

// A Channel is the messages of the local channel and the people who read them. Its methods may be called by many
// goroutines at once.
type Channel struct {
	db      *store.DB
	gallery *gallery.Gallery
	options Options
	hub     *hub
	beat    time.Duration // between signs of life on a quiet stream
	linger  time.Duration // how long a reader may take to read what is written
}

var _ bot.Channel = (*Channel)(nil)

// New returns the channel over a database and the gallery that has the pictures of its messages.
func New(db *store.DB, g *gallery.Gallery, o Options) *Channel {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Screen == nil {
		o.Screen = func(string, string) error { return nil }
	}
	return &Channel{db: db, gallery: g, options: o, hub: newHub(), beat: 15 * time.Second, linger: 10 * time.Second}
}

// Close ends all streams of events, now and later, so that a server can shut down: it waits for what it serves.
func (c *Channel) Close() { c.hub.close() }

// Post posts a job's message. There is one message for a job, and its ID is the job's; posting it again changes nothing.
func (c *Channel) Post(ctx context.Context, _ bot.Place, m bot.Message) (id string, err error) {
	body, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encoding a message: %w", err)
	}
	_, err = c.insert(ctx, row{
		kind: kindJob, author: m.Author, job: m.Job, body: string(body), created: m.At,
	})
	return m.Job, err
}

// Show makes a job's message show m. A message that was removed stays so.
func (c *Channel) Show(ctx context.Context, _ bot.Place, id string, m bot.Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	if jobs.State(m.State).Over() {
		c.hub.forget(id) // before the readers see that it is over, so that they hear nothing of it afterwards
	}
	return c.change(ctx, kindJob, id, func(tx *sql.Tx) error { return setBody(ctx, tx, kindJob, id, string(body)) })
}

// Remove leaves of a job's message only its place.
func (c *Channel) Remove(ctx context.Context, _ bot.Place, id string) error {
	c.hub.forget(id)
	return c.change(ctx, kindJob, id, func(tx *sql.Tx) error { return bury(ctx, tx, id) })
}

// change runs a change of the message about a job or case and wakes the readers.
func (c *Channel) change(ctx context.Context, kind, id string, f func(tx *sql.Tx) error) error {
	defer c.hub.news() // also after an error: the commit may have come through
	err := c.db.Write(ctx, f)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s %s has no message in the local channel", kind, id)
	}
	return err
}

// Tell shows a notice to one person alone. It is kept, and there when they come back; the same key again changes nothing.
func (c *Channel) Tell(ctx context.Context, key string, _ bot.Place, to bot.Person, text string) error {
	_, err := c.insert(ctx, row{
		kind: kindNotice, author: easel, recipient: to.ID, key: key, body: text, created: time.Now(),
	})
	return err
}

// Progress tells those who have the page open how a job gets on. The previews must not change afterwards.
func (c *Channel) Progress(_ bot.Place, job string, p jobs.Progress) {
	c.hub.progress(job, newFrame(job, p))
}
