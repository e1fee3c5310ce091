package slack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/jobs"
)

// nowhere is the ID of a message that could not be posted anywhere.
const nowhere = "-"

func messageID(channel, ts string) string { return channel + ":" + ts }

func parseMessageID(id string) (channel, ts string, ok bool) {
	channel, ts, ok = strings.Cut(id, ":")
	return channel, ts, ok && channel != "" && ts != ""
}

// Post posts a job's message, where the command was typed or in the author's direct messages.
func (a *Adapter) Post(ctx context.Context, place bot.Place, m bot.Message) (string, error) {
	l := a.lives.of(m.Job)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.id != "" {
		return l.id, nil
	}
	id, err := a.post(ctx, place, place.Channel, m)
	if closed(err) {
		id, err = a.elsewhere(ctx, place, m)
	}
	if err != nil {
		return "", fmt.Errorf("posting to slack: %w", redacted(err))
	}
	l.id, l.shown = id, m
	a.lives.name(id, l)
	return id, nil
}

func (a *Adapter) post(ctx context.Context, place bot.Place, channel string, m bot.Message) (string, error) {
	w := drawn(m, buttonValue(m.Job, place.Channel, channel), nil)
	channel, ts, err := a.api.PostMessageContext(ctx, channel, w.options()...)
	return messageID(channel, ts), err
}

const (
	toldDirect = "Easel is not in this channel, so it sends your pictures as a direct message. To have them here, invite it: /invite @easel."
	toldNoWay  = "Easel can write neither in this channel nor to you, so your pictures cannot be shown. Invite it (/invite @easel) and ask again."
)

// elsewhere posts a message to its author's direct messages, and tells them so.
func (a *Adapter) elsewhere(ctx context.Context, place bot.Place, m bot.Message) (string, error) {
	id, told := nowhere, toldNoWay
	channel, err := a.direct(ctx, m.Author)
	if err == nil {
		id, err = a.post(ctx, place, channel, m)
		told = toldDirect
	}
	if unreachable(err) {
		a.log.Warn("slack lets the bot write neither in the channel nor to the person; invite it, and give it the scope im:write", "job", m.Job, "error", redacted(err))
		id, told = nowhere, toldNoWay
	} else if err != nil {
		return "", err
	}
	if err := a.throughDoor(ctx, place, m.Author, sentence(told)); err != nil {
		a.log.Warn("somebody could not be told where their pictures are", "job", m.Job, "error", redacted(err))
	}
	return id, nil
}

// processing are the pauses in which Slack may process a file before a block can name it.
var processing = []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// Show makes a job's message show m, with its pictures. One that is not there any more stays so: jobs.ErrGone.
func (a *Adapter) Show(ctx context.Context, place bot.Place, id string, m bot.Message) error {
	channel, ts, ok := parseMessageID(id)
	if !ok {
		return nil // it was posted nowhere, and its author was told
	}
	l := a.lives.of(m.Job)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id, l.shown = id, m // from here on nothing older is shown
	a.lives.name(id, l)
	err := a.upload(ctx, place, l, m)
	if err == nil {
		err = a.update(ctx, channel, ts, drawn(m, buttonValue(m.Job, place.Channel, channel), l.files), len(l.files) > 0)
	}
	switch {
	case gone(err):
		a.forget(ctx, l)
		return jobs.ErrGone
	case code(err) == "invalid_blocks":
		a.forget(ctx, l) // so that the next try uploads them anew
	}
	if err != nil {
		return fmt.Errorf("showing a job in slack: %w", redacted(err))
	}
	return nil
}

// update changes a message, and waits for Slack to process its files.
func (a *Adapter) update(ctx context.Context, channel, ts string, w words, files bool) error {
	change := func() error {
		_, _, _, err := a.api.UpdateMessageContext(ctx, channel, ts, w.options()...)
		return err
	}
	if !files {
		return change()
	}
	return processed(ctx, change)
}

// processed says something that names files, again and again until Slack has processed them.
func processed(ctx context.Context, say func() error) error {
	for _, pause := range append(slices.Clone(processing), 0) {
		err := say()
		if code(err) != "invalid_blocks" || pause == 0 {
			return err
		}
		if !wait(ctx, pause) {
			return errors.Join(ctx.Err(), err)
		}
	}
	return nil
}

// Remove deletes a message and the files it shows, as far as they are known.
func (a *Adapter) Remove(ctx context.Context, _ bot.Place, id string) error {
	channel, ts, ok := parseMessageID(id)
	if !ok {
		return nil
	}
	l := a.lives.named(id)
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.removed = true
	}
	_, _, err := a.api.DeleteMessageContext(ctx, channel, ts)
	if err != nil && !gone(err) {
		return fmt.Errorf("deleting a message in slack: %w", redacted(err))
	}
	if l != nil {
		a.forget(ctx, l)
	}
	return nil
}

// forget deletes the files of a message.
func (a *Adapter) forget(ctx context.Context, l *live) {
	for _, id := range slices.Sorted(maps.Values(l.files)) {
		if err := a.erase(ctx, id); err != nil {
			a.log.Warn("a picture's file stays in slack, shared with nobody", "file", id, "error", redacted(err))
		}
	}
	l.files = nil
}

// erase deletes a file, if it is still there.
func (a *Adapter) erase(ctx context.Context, file string) error {
	err := a.api.DeleteFileContext(ctx, file)
	if code(err) == "file_not_found" || code(err) == "file_deleted" {
		return nil
	}
	return err
}

// Tell says something to one person alone. The same key says nothing again for [remembered], in this process.
func (a *Adapter) Tell(ctx context.Context, key string, place bot.Place, to bot.Person, text string) error {
	if !a.seen.first("tell:"+key, time.Now()) {
		return nil
	}
	err := a.tell(ctx, place, to, sentence(text))
	if unreachable(err) {
		a.log.Warn("somebody cannot be told anything in slack", "key", key, "error", redacted(err))
		return nil
	}
	if err != nil {
		a.seen.forget("tell:" + key)
		return fmt.Errorf("telling somebody in slack: %w", redacted(err))
	}
	return nil
}
