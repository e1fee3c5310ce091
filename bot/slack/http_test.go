package slack

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/bot/slack/slacktest"
)

const formType = "application/x-www-form-urlencoded"

// deliver posts a signed body.
func deliver(t *testing.T, address, kind, body string, change ...func(http.Header)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", slacktest.Signature(slacktest.SigningSecret, stamp, body))
	for _, f := range change {
		f(r.Header)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(said)
}

func slashForm(s *slacktest.Server, trigger, text string) string {
	body, err := slacktest.Form(slacktest.Slash, slash(s, trigger, text))
	if err != nil {
		panic(err) // a form has no errors
	}
	return body
}

// serve serves a conversation that hands commands and actions on.
func serve(t *testing.T) (*Adapter, *slacktest.Server, string, chan bot.Command, chan bot.Action) {
	t.Helper()
	a, s := newAdapter(t, func(o *Options) { o.AppToken = "" })
	commands, actions := make(chan bot.Command, 10), make(chan bot.Action, 10)
	c := &talk{
		do: func(_ context.Context, c bot.Command) (bot.Reply, error) {
			commands <- c
			return bot.Reply{Job: "01JOB"}, nil
		},
		press: func(_ context.Context, c bot.Action) (bot.Reply, error) {
			actions <- c
			return bot.Reply{Notice: "Done."}, nil
		},
	}
	h := httptest.NewServer(a.Handler(c))
	t.Cleanup(func() { h.Close(); http.DefaultClient.CloseIdleConnections() })
	run(t, a, c)
	return a, s, h.URL, commands, actions
}

func TestHandlerRunsCommandsAndActions(t *testing.T) {
	_, s, address, commands, actions := serve(t)
	if status, said := deliver(t, address, formType, slashForm(s, "t1", "a fox & a hen")); status != http.StatusOK || said != "" {
		t.Errorf("got %d %q, want a silent acknowledgement", status, said)
	}
	if got := next(t, commands); got.Key != "slack:T1:t1" || got.Text != "a fox & a hen" || got.Place != here || got.Person != ada {
		t.Errorf("got %+v", got)
	}
	inner, err := json.Marshal(pressed(s, "t2", "e1:vary:1", "01JOB@C7"))
	if err != nil {
		t.Fatal(err)
	}
	if status, said := deliver(t, address, formType, url.Values{"payload": {string(inner)}}.Encode()); status != http.StatusOK || said != "" {
		t.Errorf("got %d %q, want a silent acknowledgement", status, said)
	}
	if got := next(t, actions); got.Key != "slack:T1:t2" || got.Name != "vary" || got.Index != 1 || got.Job != "01JOB" || got.Place.Channel != "C7" {
		t.Errorf("got %+v", got)
	}
	s.Await(t, slacktest.Responses, 1)
}

func TestHandlerSaysWhenAButtonIsUnknown(t *testing.T) {
	_, s, address, _, actions := serve(t)
	inner, err := json.Marshal(pressed(s, "t1", "e2:vary:1", "01JOB"))
	if err != nil {
		t.Fatal(err)
	}
	deliver(t, address, formType, url.Values{"payload": {string(inner)}}.Encode())
	if said := s.Await(t, slacktest.Responses, 1); !strings.Contains(said.Get("text"), "another version") || len(actions) > 0 {
		t.Errorf("the person was told %v", said)
	}
}

func TestHandlerRefusesWhatSlackDidNotSign(t *testing.T) {
	a, s, address, commands, _ := serve(t)
	body := slashForm(s, "t1", "a fox")
	at := func(d time.Duration) func(http.Header) {
		return func(h http.Header) {
			stamp := strconv.FormatInt(time.Now().Add(d).Unix(), 10)
			h.Set("X-Slack-Request-Timestamp", stamp)
			h.Set("X-Slack-Signature", slacktest.Signature(slacktest.SigningSecret, stamp, body))
		}
	}
	tests := map[string]func(http.Header){
		"no signature": func(h http.Header) { h.Del("X-Slack-Signature") },
		"no timestamp": func(h http.Header) { h.Del("X-Slack-Request-Timestamp") },
		"another secret": func(h http.Header) {
			h.Set("X-Slack-Signature", slacktest.Signature("x", h.Get("X-Slack-Request-Timestamp"), body))
		},
		"another body": func(h http.Header) {
			h.Set("X-Slack-Signature", slacktest.Signature(slacktest.SigningSecret, h.Get("X-Slack-Request-Timestamp"), "x"))
		},
		"another timestamp": func(h http.Header) { h.Set("X-Slack-Request-Timestamp", strconv.FormatInt(time.Now().Unix()-60, 10)) },
		"another version":   func(h http.Header) { h.Set("X-Slack-Signature", "v1"+h.Get("X-Slack-Signature")[2:]) },
		"cut short":         func(h http.Header) { h.Set("X-Slack-Signature", h.Get("X-Slack-Signature")[:20]) },
		"stale":             at(-301 * time.Second),
		"of the future":     at(310 * time.Second),
	}
	for name, change := range tests {
		if status, _ := deliver(t, address, formType, body, change); status != http.StatusUnauthorized {
			t.Errorf("%s: got %d, want 401", name, status)
		}
	}
	a.options.SigningSecret = ""
	if status, _ := deliver(t, address, formType, body, func(h http.Header) {
		h.Set("X-Slack-Signature", slacktest.Signature("", h.Get("X-Slack-Request-Timestamp"), body))
	}); status != http.StatusUnauthorized {
		t.Errorf("without a signing secret: got %d, want 401", status)
	}
	if len(commands) > 0 {
		t.Error("a command ran that Slack did not sign")
	}
}

func TestHandlerRunsAReplayOnce(t *testing.T) {
	_, s, address, commands, _ := serve(t)
	body := slashForm(s, "", "a fox") // no trigger: the signature alone tells it
	var stamp, signature string
	deliver(t, address, formType, body, func(h http.Header) {
		stamp, signature = h.Get("X-Slack-Request-Timestamp"), h.Get("X-Slack-Signature")
	})
	next(t, commands)
	for _, variant := range []string{signature, "v0=" + strings.ToUpper(signature[3:])} {
		status, _ := deliver(t, address, formType, body, func(h http.Header) {
			h.Set("X-Slack-Request-Timestamp", stamp)
			h.Set("X-Slack-Signature", variant)
		})
		if status != http.StatusOK {
			t.Errorf("a replay got %d, want 200", status)
		}
	}
	deliver(t, address, formType, slashForm(s, "t2", "a hen"))
	if got := next(t, commands); got.Text != "a hen" || len(commands) > 0 {
		t.Errorf("a replay ran: %+v", got)
	}
}

func TestHandlerBoundsAndChecksRequests(t *testing.T) {
	a, s, address, _, _ := serve(t)
	tests := []struct {
		name, kind, body string
		status           int
		said             string
	}{
		{"large", formType, "text=" + strings.Repeat("a", maxBody), http.StatusRequestEntityTooLarge, ""},
		{"no form", formType, "%", http.StatusBadRequest, ""},
		{"no JSON", formType, "payload=%7B", http.StatusBadRequest, ""},
		{"no person", formType, "command=%2Fimagine&team_id=T&channel_id=C&trigger_id=1", http.StatusBadRequest, ""},
		{"no type", "", "a", http.StatusBadRequest, ""},
		{"a challenge", "application/json", `{"type":"url_verification","challenge":"abc"}`, http.StatusOK, `{"challenge":"abc"}`},
		{"an event", "application/json", `{"type":"event_callback"}`, http.StatusOK, ""},
		{"a check", formType, "ssl_check=1", http.StatusOK, ""},
		{"a modal", formType, "payload=" + url.QueryEscape(`{"type":"view_submission"}`), http.StatusOK, ""},
	}
	for _, test := range tests {
		status, said := deliver(t, address, test.kind, test.body)
		if status != test.status || status == http.StatusOK && strings.TrimSpace(said) != test.said {
			t.Errorf("%s: got %d %q, want %d %q", test.name, status, said, test.status, test.said)
		}
	}
	a.work.drain()
	if _, said := deliver(t, address, formType, slashForm(s, "t9", "a fox")); !strings.Contains(said, `"response_type":"ephemeral"`) || !strings.Contains(said, "busy") {
		t.Errorf("when the program ends a command is told %q", said)
	}
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET got %d, want 405", resp.StatusCode)
	}
}
