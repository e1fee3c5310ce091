package slack

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	api "github.com/slack-go/slack"
)

// maxBody is how many bytes a request may have: a press carries the whole message.
const maxBody = 1 << 20

// Handler serves the request URLs of the app (slash commands, interactivity and events alike), when there is a signing
// secret. What it accepted is finished by [Adapter.Run], which must run beside it; once that ends, every command is told that Easel is busy.
func (a *Adapter) Handler(c Conversation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "Slack posts here.", http.StatusMethodNotAllowed)
			return
		}
		body, status := a.verified(w, r)
		if status != http.StatusOK {
			http.Error(w, http.StatusText(status), status)
			return
		}
		a.receive(w, r, c, body)
	})
}

// verified reads a request's body, and returns 200 when its signature is Slack's.
func (a *Adapter) verified(w http.ResponseWriter, r *http.Request) ([]byte, int) {
	verifier, err := api.NewSecretsVerifier(r.Header, a.options.SigningSecret)
	if err != nil {
		return nil, http.StatusUnauthorized
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return nil, http.StatusRequestEntityTooLarge
	}
	if err != nil {
		return nil, http.StatusBadRequest
	}
	_, _ = verifier.Write(body)
	if verifier.Ensure() != nil {
		return nil, http.StatusUnauthorized
	}
	return body, http.StatusOK
}

// receive answers a request that is Slack's. Its signature is its ID, in one case, for hexadecimal
// digits may have either.
func (a *Adapter) receive(w http.ResponseWriter, r *http.Request, c Conversation, body []byte) {
	id := "http:" + strings.ToLower(r.Header.Get("X-Slack-Signature"))
	if !a.seen.first(id, time.Now()) {
		return // 200: whoever sends it again was answered
	}
	in, err := readPayload(r.Header.Get("Content-Type"), body)
	var ack any
	switch {
	case err != nil:
	case in.command != nil:
		ack, err = a.hearCommand(r.Context(), c, *in.command, id)
	case in.press != nil:
		ack, err = a.hearAction(r.Context(), c, *in.press, id)
	case in.challenge != "":
		ack = map[string]string{"challenge": in.challenge}
	}
	if err != nil {
		a.log.Warn("a request from slack is left out", "error", redacted(err))
		http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
		return
	}
	if ack != nil {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(ack)
	}
}

// A payload is what a request carries: one of these, or nothing that we need.
type payload struct {
	command   *api.SlashCommand
	press     *api.InteractionCallback
	challenge string
}

// readPayload reads a body: a form of a slash command, a form with an interaction as JSON, or an event as JSON.
func readPayload(contentType string, body []byte) (p payload, err error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return p, err
	}
	if kind == "application/json" {
		var event struct{ Type, Challenge string }
		err = json.Unmarshal(body, &event)
		if event.Type == "url_verification" {
			p.challenge = event.Challenge
		}
		return p, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return p, err
	}
	if inner := form.Get("payload"); inner != "" {
		p.press = new(api.InteractionCallback)
		return p, json.Unmarshal([]byte(inner), p.press)
	}
	if form.Get("command") != "" {
		p.command = &api.SlashCommand{
			TeamID: form.Get("team_id"), EnterpriseID: form.Get("enterprise_id"), ChannelID: form.Get("channel_id"),
			UserID: form.Get("user_id"), UserName: form.Get("user_name"), Command: form.Get("command"), Text: form.Get("text"),
			ResponseURL: form.Get("response_url"), TriggerID: form.Get("trigger_id"),
		}
	}
	return p, nil
}
