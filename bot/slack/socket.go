package slack

import (
	"context"
	"fmt"
	"io"
	"log"
	"sync"
	"time"

	api "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// maxMessage is how many bytes one message of the socket may have.
const maxMessage = 1 << 20

// listen keeps a socket to Slack until ctx ends or the app token is refused.
func (a *Adapter) listen(ctx context.Context, c Conversation) error {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := a.connect(ctx, c)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if refusesTokens(err) {
			return fmt.Errorf("slack refuses the app token (%w); make one with the scope connections:write and switch Socket Mode on", redacted(err))
		}
		a.log.Warn("the socket to slack failed, it is opened again", "pause", pause, "error", redacted(err))
		if !wait(ctx, pause) {
			return ctx.Err()
		}
	}
}

// connect runs one client, which opens the socket again whenever Slack closes it.
func (a *Adapter) connect(ctx context.Context, c Conversation) error {
	ctx, cancel := context.WithCancel(ctx)
	client := socketmode.New(a.api, socketmode.OptionLog(log.New(io.Discard, "", 0)), socketmode.OptionReadLimit(maxMessage))
	read := make(chan struct{})
	go func() {
		defer close(read)
		a.read(ctx, client, c)
	}()
	err := client.RunContext(ctx)
	cancel()
	<-read
	return err
}

// read takes events as they come, and never waits for what they ask for: there is one reader for all.
func (a *Adapter) read(ctx context.Context, client *socketmode.Client, c Conversation) {
	var heard sync.WaitGroup
	defer heard.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-client.Events:
			heard.Go(func() { a.event(ctx, client, c, e) })
		}
	}
}

func (a *Adapter) event(ctx context.Context, client *socketmode.Client, c Conversation, e socketmode.Event) {
	var ack any
	var err error
	switch data := e.Data.(type) {
	case api.SlashCommand:
		ack, err = a.hearCommand(ctx, c, data, e.Request.EnvelopeID)
	case api.InteractionCallback:
		ack, err = a.hearAction(ctx, c, data, e.Request.EnvelopeID)
	case *api.ConnectionErrorEvent:
		a.log.Error("the socket to slack cannot be opened, it is tried again; see to the network, and that the app token has the scope connections:write",
			"attempt", data.Attempt, "pause", data.Backoff, "error", redacted(data.ErrorObj))
	case *socketmode.ErrorWriteFailed:
		a.log.Warn("an acknowledgement did not reach slack", "error", redacted(data.Cause))
	case *socketmode.ErrorBadMessage:
		a.log.Warn("slack sent what cannot be read", "error", redacted(data.Cause))
	case *socketmode.ConnectedEvent:
		a.log.Info("the socket to slack is open")
	}
	if err != nil {
		a.log.Warn("an event from slack is left out", "error", redacted(err))
	}
	if e.Request == nil || e.Request.EnvelopeID == "" {
		return
	}
	if err := client.AckCtx(ctx, e.Request.EnvelopeID, ack); err != nil {
		a.log.Warn("an event from slack could not be acknowledged", "error", redacted(err))
	}
}
