package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
)

const (
	perEvent = 30 * time.Second        // that an event may be worked on, and so how long the end of the program may wait for it
	maxAck   = 1500 * time.Millisecond // until an event is acknowledged that is not written down yet; Slack waits for 3 s
)

var errPayload = errors.New("the payload names no workspace, channel, person or event")

// commandOf translates a slash command. The ID stands in where there is no trigger ID.
func commandOf(c api.SlashCommand, id string) (bot.Command, error) {
	p := place(c.TeamID, c.EnterpriseID, c.ChannelID)
	cmd := bot.Command{
		Key: eventKey(p, c.TriggerID, id), Place: p, Person: person(c.UserID, c.UserName),
		Name: strings.ToLower(strings.TrimPrefix(c.Command, "/")), Text: unescape(c.Text),
	}
	return cmd, complete(p, cmd.Person, cmd.Key, cmd.Name)
}

// actionOf translates a press of a button. It is not known, and its Name empty, where this version has no such button.
func actionOf(c api.InteractionCallback, id string) (bot.Action, error) {
	p := place(c.Team.ID, c.Enterprise.ID, channelOf(c))
	act := bot.Action{Key: eventKey(p, c.TriggerID, id), Place: p, Person: person(c.User.ID, c.User.Name)}
	if len(c.ActionCallback.BlockActions) == 0 || c.ActionCallback.BlockActions[0] == nil {
		return act, errPayload
	}
	button := c.ActionCallback.BlockActions[0]
	if said, ok := parsePress(button.ActionID, button.Value); ok {
		act.Name, act.Index, act.Job = said.action, said.index, said.job
		if said.home != "" {
			act.Place.Channel = said.home
		}
	}
	return act, complete(p, act.Person, act.Key, button.ActionID)
}

func place(team, enterprise, channel string) bot.Place {
	return bot.Place{Platform: platform, Tenant: cmp.Or(team, enterprise), Channel: channel, Visibility: gallery.InChannel}
}

// person is somebody. Their name is one that Slack may leave out some day.
func person(id, name string) bot.Person {
	return bot.Person{ID: id, Name: cmp.Or(name, id)}
}

// eventKey is a key that no other platform's or workspace's can equal.
func eventKey(p bot.Place, trigger, id string) string {
	if event := cmp.Or(trigger, id); event != "" {
		return platform + ":" + p.Tenant + ":" + event
	}
	return ""
}

func complete(p bot.Place, who bot.Person, key, name string) error {
	if p.Tenant == "" || p.Channel == "" || who.ID == "" || key == "" || name == "" {
		return errPayload
	}
	return nil
}

// busy is the acknowledgement of what is not worked on.
var busy = map[string]string{"response_type": api.ResponseTypeEphemeral, "text": "Easel is too busy just now. Try again in a minute."}

// hearCommand begins to work on a slash command. The acknowledgement is nil where there is nothing to say.
func (a *Adapter) hearCommand(ctx context.Context, c Conversation, in api.SlashCommand, id string) (ack any, err error) {
	cmd, err := commandOf(in, id)
	if err != nil {
		return nil, err
	}
	return a.hear(ctx, cmd.Place, cmd.Person, cmd.Key, in.ResponseURL, func(ctx context.Context) (bot.Reply, error) { return c.Do(ctx, cmd) }), nil
}

// hearAction begins to work on a press of a button. Other interactions are acknowledged.
func (a *Adapter) hearAction(ctx context.Context, c Conversation, in api.InteractionCallback, id string) (ack any, err error) {
	if in.Type != api.InteractionTypeBlockActions {
		return nil, nil
	}
	act, err := actionOf(in, id)
	if err != nil {
		return nil, err
	}
	return a.hear(ctx, act.Place, act.Person, act.Key, in.ResponseURL, func(ctx context.Context) (bot.Reply, error) {
		if act.Name == "" {
			return bot.Reply{}, &bot.Error{Code: "gone", Text: "This button is of another version of Easel. Ask for the picture again."}
		}
		if act.Name == "delete" {
			a.learn(act.Job, in)
		}
		return a.press(ctx, c, act, in)
	}), nil
}

// press presses a button. What a moderator is to see is shown to them here.
func (a *Adapter) press(ctx context.Context, c Conversation, act bot.Action, in api.InteractionCallback) (r bot.Reply, err error) {
	if act.Moderator, err = a.moderates(ctx, act.Place, in); err != nil {
		return bot.Reply{}, err
	}
	if act.Moderator {
		a.only(ctx, act.Job, messageID(act.Place.Channel, in.Container.MessageTs))
	}
	r, err = c.Press(ctx, act)
	if err != nil || len(r.Sealed) == 0 {
		return r, err
	}
	return a.reveal(ctx, act, unescape(in.Message.Text), r.Sealed)
}

// channelOf is where a button was pressed.
func channelOf(in api.InteractionCallback) string {
	return cmp.Or(in.Channel.ID, in.Container.ChannelID)
}

// hear works on an event and answers the one it came from. It returns when that is done, all but the answer, so that what is
// acknowledged is written down and no crash loses it; or after [maxAck].
func (a *Adapter) hear(ctx context.Context, p bot.Place, who bot.Person, key, address string, do func(context.Context) (bot.Reply, error)) (ack any) {
	if !a.seen.first(key, time.Now()) {
		return nil
	}
	if a.isDoor(address) {
		a.doors.keep(p, who, address, time.Now())
	}
	ctx = context.WithoutCancel(ctx)
	done := make(chan struct{})
	begun := a.work.begin(func() {
		ctx, cancel := context.WithTimeout(ctx, perEvent)
		defer cancel()
		reply, err := a.safely(ctx, do)
		close(done)
		a.answer(ctx, p, who, reply, err)
	})
	if !begun {
		a.seen.forget(key)
		return busy
	}
	late := time.NewTimer(maxAck)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
	}
	return nil
}

// safely turns a panic into an error, so that one event does not end the program.
func (a *Adapter) safely(ctx context.Context, do func(context.Context) (bot.Reply, error)) (r bot.Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			a.log.Error("an event from slack made the program panic", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	return do(ctx)
}

// answer tells somebody what came of their command. What began a job is answered by its message.
func (a *Adapter) answer(ctx context.Context, p bot.Place, who bot.Person, r bot.Reply, err error) {
	var w words
	told := new(bot.Error)
	switch {
	case errors.As(err, &told):
		w = sentence(told.Text)
	case err != nil:
		a.log.Error("an event from slack failed", "error", redacted(err))
		w = sentence("Something went wrong on Easel's side. The operator can find it in the log; try again.")
	case len(r.Details) > 0:
		w = detailed(r.Details)
	case r.Notice != "":
		w = sentence(r.Notice)
	default:
		return
	}
	if err := a.whisper(ctx, p, who, w); err != nil {
		a.log.Warn("somebody could not be answered in slack", "error", redacted(err))
	}
}

// learn notes which files a message shows that is about to be deleted, if this process does not know. Their keys are no
// picture's index, for which picture is which the message does not say.
func (a *Adapter) learn(job string, in api.InteractionCallback) {
	if in.Container.MessageTs == "" || in.Container.IsEphemeral {
		return
	}
	l := a.lives.of(job)
	if !l.mu.TryLock() {
		return // it is just being shown, so its files are known
	}
	defer l.mu.Unlock()
	if l.files != nil {
		return
	}
	for _, b := range in.Message.Blocks.BlockSet {
		if image, ok := b.(*api.ImageBlock); ok && image.SlackFile != nil && image.SlackFile.ID != "" {
			if l.files == nil {
				l.files = map[int]string{}
			}
			l.files[-1-len(l.files)] = image.SlackFile.ID
		}
	}
	if l.files != nil && l.id == "" {
		l.id = messageID(channelOf(in), in.Container.MessageTs)
		a.lives.name(l.id, l)
	}
}
