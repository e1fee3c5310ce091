package discord

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/jobs"
)

// Post posts a job's message, without pictures, and returns its ID.
func (a *Adapter) Post(ctx context.Context, place bot.Place, m bot.Message) (id string, err error) {
	body := draw(m)
	body.Nonce, body.Enforce = nonce(m.Job), true
	id, err = a.send(ctx, place.Channel, body, nil)
	if err != nil {
		return "", fmt.Errorf("posting job %s: %w", m.Job, err)
	}
	a.follow(place, id, m)
	return id, nil
}

func (a *Adapter) send(ctx context.Context, channel string, body any, files []*discordgo.File) (id string, err error) {
	var posted struct {
		ID string `json:"id"`
	}
	path := "channels/" + channel + "/messages"
	err = a.call(ctx, request{method: http.MethodPost, path: path, bucket: path, body: body, files: files}, &posted)
	return posted.ID, err
}

// Show edits a job's message, with its pictures as attachments. One that somebody removed stays so: jobs.ErrGone.
func (a *Adapter) Show(ctx context.Context, place bot.Place, id string, m bot.Message) error {
	l := a.follow(place, id, m)
	l.mu.Lock() // so that no progress is written over it
	defer l.mu.Unlock()
	l.message = m
	l.over = jobs.State(m.State).Over() || m.State == string(jobs.Delivering)
	if l.over {
		a.live.Delete(m.Job)
	}
	body := draw(m)
	if err := a.attach(ctx, place, m, &body); err != nil {
		return err
	}
	err := a.call(ctx, edit(place, id, body, body.files), nil)
	if missing(err) {
		return jobs.ErrGone
	}
	if err != nil {
		return fmt.Errorf("showing job %s: %w", m.Job, err)
	}
	return nil
}

func edit(place bot.Place, id string, body any, files []*discordgo.File) request {
	path := "channels/" + place.Channel + "/messages/"
	return request{method: http.MethodPatch, path: path + id, bucket: "PATCH " + path, body: body, files: files}
}

// Remove deletes a message; one that is gone already is as good.
func (a *Adapter) Remove(ctx context.Context, place bot.Place, id string) error {
	if id == "" {
		return nil
	}
	a.forget(id)
	path := "channels/" + place.Channel + "/messages/"
	err := a.call(ctx, request{method: http.MethodDelete, path: path + id, bucket: "DELETE " + path}, nil)
	if err != nil && status(err) != http.StatusNotFound {
		return fmt.Errorf("removing a message: %w", err)
	}
	return nil
}

// Tell says something to one person alone: under their newest command in the channel if its token lives, else as a direct
// message. Whoever takes none is not told. The same key again says nothing within this process; after a restart a direct
// message is still not doubled within the minutes that Discord remembers it.
func (a *Adapter) Tell(ctx context.Context, key string, place bot.Place, to bot.Person, text string) error {
	if _, said := a.told.Load(key); said {
		return nil
	}
	err := a.followup(ctx, place, to, text)
	if err != nil {
		err = a.direct(ctx, key, to, text)
	}
	if status(err) == http.StatusForbidden {
		a.options.Log.Warn("somebody on Discord takes no direct messages and was not told", "key", key)
		err = nil
	}
	if err != nil {
		return fmt.Errorf("telling somebody on Discord: %w", err)
	}
	a.told.Store(key, true)
	time.AfterFunc(tokenLife, func() { a.told.Delete(key) })
	return nil
}

func (a *Adapter) followup(ctx context.Context, place bot.Place, to bot.Person, text string) error {
	token, ok := a.tokens.get(place.Channel, to.ID)
	if !ok {
		return errNoToken
	}
	return a.call(ctx, request{
		method: http.MethodPost, path: "webhooks/" + a.options.AppID + "/" + token, body: newNote(escapeTo(text, maxContent)),
	}, nil)
}

func (a *Adapter) direct(ctx context.Context, key string, to bot.Person, text string) error {
	var dm struct {
		ID string `json:"id"`
	}
	err := a.call(ctx, request{
		method: http.MethodPost, path: "users/@me/channels", bucket: "dm", body: map[string]string{"recipient_id": to.ID},
	}, &dm)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(key))
	n := newNote(escapeTo(text, maxContent))
	n.Flags, n.Nonce, n.Enforce = noEmbeds, nonce(hex.EncodeToString(sum[:])), true
	_, err = a.send(ctx, dm.ID, n, nil)
	return err
}

// tokens are the newest interactions' tokens, by channel and person.
type tokens struct {
	mu  sync.Mutex
	all map[[2]string]token
}

type token struct {
	secret string
	until  time.Time
}

var errNoToken = errors.New("there is no living interaction")

const tidyTokens = 1000 // tokens from which on dead ones are looked for

func (t *tokens) put(channel, person, secret string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.all == nil {
		t.all = map[[2]string]token{}
	}
	if len(t.all) >= tidyTokens {
		for key, old := range t.all {
			if now.After(old.until) {
				delete(t.all, key)
			}
		}
	}
	t.all[[2]string{channel, person}] = token{secret, now.Add(tokenLife)}
}

func (t *tokens) get(channel, person string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.all[[2]string{channel, person}]
	return found.secret, ok && time.Now().Before(found.until)
}
