package slacktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What is delivered.
const (
	Slash       = "slash_commands"
	Interactive = "interactive"
)

// Patience is how long Slack waits for an acknowledgement.
const Patience = 3 * time.Second

// What a person reads where a delivery fails.
var (
	ErrTimeout  = errors.New("operation_timeout: the bot did not acknowledge within 3 seconds")
	ErrDispatch = errors.New("dispatch_failed: the bot could not be reached")
)

// An Ack is how the bot acknowledged a delivery.
type Ack struct {
	After time.Duration
	Type  string // whom the text is for: "ephemeral", "in_channel", or "" where the bot said nothing
	Text  string
	said  reply
}

// Command types a line such as "/imagine a red fox" for somebody, and returns when that is acknowledged.
func (s *Server) Command(user, channel, line string) (Ack, error) {
	return s.Deliver(Slash, s.SlashCommand(user, channel, line))
}

// Press presses the button of a label below a message that somebody sees or has just seen, and returns when that is acknowledged.
func (s *Server) Press(user, message, label string) (Ack, error) {
	payload, err := s.BlockActions(user, message, label)
	if err != nil {
		return Ack{}, err
	}
	return s.Deliver(Interactive, payload)
}

// Deliver delivers a payload, be it new or a repetition, and returns when it is acknowledged. What the acknowledgement says is
// shown to who it is for.
func (s *Server) Deliver(kind string, payload map[string]any) (Ack, error) {
	s.mu.Lock()
	address := s.requestURL
	s.mu.Unlock()
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	send := s.overSocket
	if address != "" {
		send = func(ctx context.Context, kind string, payload map[string]any) (Ack, error) {
			return s.overHTTP(ctx, address, kind, payload)
		}
	}
	ack, err := send(ctx, kind, payload)
	ack.After = time.Since(began)
	if err == nil && ack.Text != "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		user, channel := whereFrom(payload)
		if problem := s.tell(user, channel, ack.said); problem != "" {
			err = errors.New(problem)
		}
	}
	return ack, err
}

// whereFrom is who did what a payload tells of, and where.
func whereFrom(payload map[string]any) (user, channel string) {
	if id, ok := payload["user_id"].(string); ok {
		return id, fmt.Sprint(payload["channel_id"])
	}
	who, _ := payload["user"].(map[string]any)
	where, _ := payload["channel"].(map[string]any)
	return fmt.Sprint(who["id"]), fmt.Sprint(where["id"])
}

// RequestURL makes deliveries go over HTTP from now on, to an address; with none they go over sockets.
func (s *Server) RequestURL(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requestURL = address
}

// overHTTP posts a delivery with its signature.
func (s *Server) overHTTP(ctx context.Context, address, kind string, payload map[string]any) (Ack, error) {
	body, err := Form(kind, payload)
	if err != nil {
		return Ack{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return Ack{}, err
	}
	Sign(r.Header, SigningSecret, time.Now(), body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Close = true // the bot may be another one the next time
	res, err := http.DefaultClient.Do(r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Ack{}, ErrTimeout
	case err != nil:
		return Ack{}, fmt.Errorf("%w: %w", ErrDispatch, err)
	}
	defer res.Body.Close()
	said, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return Ack{}, fmt.Errorf("%w: %w", ErrDispatch, err)
	}
	if res.StatusCode != http.StatusOK {
		return Ack{}, fmt.Errorf("%w: it answers %s: %s", ErrDispatch, res.Status, said)
	}
	return acked(said)
}

// acked reads what an acknowledgement says.
func acked(body []byte) (a Ack, err error) {
	if len(body) == 0 {
		return a, nil
	}
	err = json.Unmarshal(body, &a.said)
	a.Type, a.Text = a.said.Type, a.said.Text
	return a, err
}

// Form is the body that delivers a payload over HTTP.
func Form(kind string, payload map[string]any) (string, error) {
	form := url.Values{}
	if kind == Slash {
		for key, value := range payload {
			form.Set(key, fmt.Sprint(value))
		}
		return form.Encode(), nil
	}
	inner, err := json.Marshal(payload)
	form.Set("payload", string(inner))
	return form.Encode(), err
}
