package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/easelbot/easel/bot"
)

// events streams what happens, as Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
// It begins after the revision that the browser saw last, or now.
func (a *api) events(w http.ResponseWriter, r *http.Request) error {
	me, err := a.person(r)
	if err != nil {
		return err
	}
	s := a.newStream(w, me)
	known, err := s.start(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in between must not wait for more
	_ = s.control.SetReadDeadline(time.Time{})
	if me.ID == "" || !known {
		s.event("reset", "", struct{}{})
		_ = s.flush() // the stream ends either way
		return nil
	}
	if err := s.run(r.Context()); err != nil {
		a.options.Log.Debug("a stream of events ended", "person", me.ID, "err", err)
	}
	return nil
}

// A stream is one reader's connection.
type stream struct {
	*Channel
	w       http.ResponseWriter
	control *http.ResponseController
	me      bot.Person
	rev     int64        // the last revision it was sent
	out     bytes.Buffer // events to be sent
}

func (c *Channel) newStream(w http.ResponseWriter, me bot.Person) *stream {
	return &stream{Channel: c, w: w, control: http.NewResponseController(w), me: me}
}

// start finds the revision to begin after. It is not known when it is of another data folder, or none at all.
func (s *stream) start(r *http.Request) (known bool, err error) {
	newest, err := s.revision(r.Context())
	if err != nil {
		return false, err
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("after")
	}
	s.rev, err = number(last, newest)
	return err == nil && s.rev <= newest, nil
}

// run sends until the reader goes, takes too long, or the channel is closed.
func (s *stream) run(ctx context.Context) error {
	reader := s.hub.join(s.me)
	defer s.hub.leave(reader)
	beat := time.NewTicker(s.beat)
	defer beat.Stop()

	s.out.WriteString("retry: 1000\n")
	s.event("hello", "", map[string]string{"version": s.options.Version})
	for {
		if err := s.catchUp(ctx, reader); err != nil {
			return err
		}
		select {
		case <-reader.wake:
		case <-beat.C:
			s.out.WriteString(": still here\n\n")
		case <-ctx.Done():
			return nil
		case <-s.hub.closed:
			return nil
		}
	}
}

// catchUp sends what is new to the reader. The messages come before the progress of their jobs; a job that is over has no
// progress any more by the time its message says so (see Show), so none comes after it.
func (s *stream) catchUp(ctx context.Context, r *reader) error {
	if s.hub.takeStale(r) {
		if err := s.sendMessages(ctx); err != nil {
			return err
		}
	}
	frames := s.hub.takeFrames(r)
	for _, job := range slices.Sorted(maps.Keys(frames)) {
		data, err := frames[job].data()
		if err != nil {
			return fmt.Errorf("encoding the progress of job %s: %w", job, err)
		}
		s.event("progress", "", json.RawMessage(data))
	}
	if people := s.hub.takeCrowd(r); people != nil {
		s.event("people", "", map[string][]bot.Person{"people": people})
	}
	return s.flush()
}

const (
	batch = 100      // messages that are read at a time
	chunk = 32 << 10 // bytes after which they are sent, so that the time to take them is for few
)

// sendMessages sends everything after the last revision that was sent.
func (s *stream) sendMessages(ctx context.Context) error {
	for {
		list, err := s.since(ctx, s.me.ID, s.rev, batch)
		if err != nil {
			return err
		}
		for _, m := range list {
			s.event("message", strconv.FormatInt(m.Rev, 10), m)
			s.rev = m.Rev
			if s.out.Len() < chunk {
				continue
			}
			if err := s.flush(); err != nil {
				return err
			}
		}
		if len(list) < batch {
			return nil
		}
	}
}

// event adds an event to what is to be sent. Its JSON is one line.
func (s *stream) event(name, id string, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // only for what has no JSON, a channel or a function
	}
	fmt.Fprintf(&s.out, "event: %s\n", name)
	if id != "" {
		fmt.Fprintf(&s.out, "id: %s\n", id)
	}
	fmt.Fprintf(&s.out, "data: %s\n\n", data)
}

// flush sends. Who does not take it in time is cut off, and comes back with the last ID they have.
func (s *stream) flush() error {
	if s.out.Len() == 0 {
		return nil
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(s.linger)) // a recorder has none
	if _, err := s.out.WriteTo(s.w); err != nil {
		return err
	}
	return s.control.Flush()
}
