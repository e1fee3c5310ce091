package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A discordProxy makes of the twin the Discord that a program meets. It speaks version 9, knows who reads what, keeps files,
// heeds nonces and refuses what is beyond the limits; the rest it leaves to the twin.
type discordProxy struct {
	t      *testing.T
	twin   *twin
	token  string
	direct func(user string) (channel string, err error)

	mu           sync.Mutex
	line         *discordLine // nil: none is ready
	acting       int          // people who are doing something
	held         []discordDelivery
	interactions map[string]*discordInteraction
	tokens       map[string]*discordInteraction
	commands     map[string][]byte // as they were registered, by their path
	nonces       map[string]*discordAnswer
	readers      map[string]string // of messages that one person sees
	files        map[string][]discordFile
	uploaded     int
}

// A discordAnswer is one that is given again for the same nonce.
type discordAnswer struct {
	sync.Mutex
	status int
	body   []byte
}

func newDiscordProxy(t *testing.T, w *twin, token string, direct func(string) (string, error)) *discordProxy {
	t.Helper()
	return &discordProxy{
		t: t, twin: w, token: token, direct: direct, interactions: map[string]*discordInteraction{},
		tokens: map[string]*discordInteraction{}, commands: map[string][]byte{}, nonces: map[string]*discordAnswer{},
		readers: map[string]string{}, files: map[string][]discordFile{},
	}
}

// ServeHTTP answers what is below /api/v9/, and the gateway.
func (d *discordProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/gateway") {
		d.gateway(w, r)
		return
	}
	arrived := time.Now()
	path, ok := strings.CutPrefix(r.URL.Path, "/api/v9/")
	if !ok {
		discordRefuse(w, http.StatusNotFound, 0, "there is no such version")
		return
	}
	secret := strings.HasPrefix(path, "interactions/") || strings.HasPrefix(path, "webhooks/") // in the address
	if !secret && r.Header.Get("Authorization") != "Bot "+d.token {
		discordRefuse(w, http.StatusUnauthorized, 0, "401: Unauthorized")
		return
	}
	c, err := readDiscordCall(r)
	c.path, c.arrived = path, arrived
	if err == nil {
		err = c.check()
	}
	if err != nil {
		d.t.Errorf("Discord would refuse %s %s: %v", c.method, c.path, err)
		discordRefuse(w, http.StatusBadRequest, 50035, err.Error())
		return
	}
	status, body := d.answer(c)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // whoever asked may have been killed
}

func discordRefuse(w http.ResponseWriter, status, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "message": message})
}

func (d *discordProxy) answer(c discordCall) (status int, body []byte) {
	parts := strings.Split(c.path, "/")
	switch last := parts[len(parts)-1]; {
	case c.path == "oauth2/applications/@me":
		c.path = "applications/@me"
		return d.pass(c)
	case c.path == "users/@me/channels":
		return d.open(c)
	case last == "commands":
		return d.register(c)
	case parts[0] == "interactions" && len(parts) == 4:
		return d.callback(c, d.interaction(parts[1]))
	case parts[0] == "webhooks" && len(parts) >= 3:
		return d.webhook(c, parts[2])
	case c.method == http.MethodPost && parts[0] == "channels" && last == "messages" && c.Enforce:
		return d.once(c)
	}
	return d.post(c, "")
}

// pass leaves a call to the twin. Its answer's failure is Discord's.
func (d *discordProxy) pass(c discordCall) (status int, body []byte) {
	status, body, err := d.twin.call(c.method, c.path, c.body)
	if err != nil {
		return http.StatusBadGateway, []byte(`{"code":0,"message":"the twin is away"}`)
	}
	return status, body
}

// post passes a call that may make or change a message, and keeps its files. A user alone may read what is hidden.
func (d *discordProxy) post(c discordCall, user string) (status int, body []byte) {
	status, body = d.pass(c)
	var message struct {
		ID    string
		Flags int
	}
	if status != http.StatusOK || json.Unmarshal(body, &message) != nil || c.method == http.MethodGet {
		return status, body
	}
	if message.Flags&discordHidden != 0 {
		d.hide(message.ID, user)
	}
	d.attach(message.ID, c)
	return status, body
}

// once posts a message, or answers again as it did for the same nonce.
func (d *discordProxy) once(c discordCall) (status int, body []byte) {
	key := c.path + " " + c.Nonce
	d.mu.Lock()
	a := d.nonces[key]
	if a == nil {
		a = &discordAnswer{}
		d.nonces[key] = a
	}
	d.mu.Unlock()
	a.Lock()
	defer a.Unlock()
	if a.status != http.StatusOK {
		a.status, a.body = d.post(c, "")
	}
	return a.status, a.body
}

// register keeps what commands there are; the twin does not list them.
func (d *discordProxy) register(c discordCall) (status int, body []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.method == http.MethodGet {
		if list := d.commands[c.path]; list != nil {
			return http.StatusOK, list
		}
		return http.StatusOK, []byte("[]")
	}
	status, body = d.pass(c)
	if status == http.StatusOK {
		d.commands[c.path] = body
	}
	return status, body
}

// options are the types of a command's options.
func (d *discordProxy) options(command string) map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	types := map[string]int{}
	for _, body := range d.commands {
		var list []struct {
			Name    string
			Options []struct {
				Name string
				Type int
			}
		}
		if err := json.Unmarshal(body, &list); err != nil {
			d.t.Errorf("the commands %s: %v", body, err)
		}
		for _, c := range list {
			for _, o := range c.Options {
				if c.Name == command {
					types[o.Name] = o.Type
				}
			}
		}
	}
	return types
}

// open opens direct messages.
func (d *discordProxy) open(c discordCall) (status int, body []byte) {
	var to struct {
		User string `json:"recipient_id"`
	}
	err := json.Unmarshal(c.body, &to)
	var channel string
	if err == nil {
		channel, err = d.direct(to.User)
	}
	if err != nil {
		return http.StatusBadRequest, fmt.Appendf(nil, `{"code":50033,"message":%q}`, err.Error())
	}
	return http.StatusOK, fmt.Appendf(nil, `{"id":%q,"type":1}`, channel)
}

// Types of callbacks.
const (
	discordSays   = 4
	discordDefers = 5
)

// callback is the first answer to an interaction, which counts from when it arrived.
func (d *discordProxy) callback(c discordCall, i *discordInteraction) (status int, body []byte) {
	status, body = d.pass(c)
	if status >= http.StatusBadRequest {
		return status, body
	}
	deferred, hidden := c.Type == discordDefers, c.Flags&discordHidden != 0
	if deferred || c.Type == discordSays {
		var message struct{ ID string }
		if err := d.twin.ask("answered", map[string]any{"interaction": i.id, "deferred": deferred}, &message); err != nil {
			return http.StatusInternalServerError, fmt.Appendf(nil, `{"code":0,"message":%q}`, err.Error())
		}
		if hidden && !deferred {
			d.hide(message.ID, i.user)
		}
		d.attach(message.ID, c)
	}
	d.heard(i, c.arrived, deferred, hidden)
	return status, body
}

// webhook is what is said under an interaction after its first answer. The first that comes after a deferral takes the place
// that it holds, and is seen by whom it was for.
func (d *discordProxy) webhook(c discordCall, token string) (status int, body []byte) {
	d.mu.Lock()
	i := d.tokens[token]
	if i == nil {
		d.mu.Unlock()
		return d.post(c, "")
	}
	original := strings.HasSuffix(c.path, "/@original")
	deferred, hidden := i.deferred, i.hidden
	if original || c.method == http.MethodPost {
		i.deferred = false
	}
	d.mu.Unlock()
	switch {
	case deferred && original && c.method == http.MethodDelete:
		return http.StatusNoContent, nil
	case deferred && c.method == http.MethodPost:
		c.method, c.path, original = http.MethodPatch, c.path+"/messages/@original", true
	}
	if original && hidden && c.method == http.MethodPatch {
		c.hide()
	}
	return d.post(c, i.user)
}

func (d *discordProxy) hide(message, user string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.readers[message] = user
}

// reader is who sees a message that is hidden from the others.
func (d *discordProxy) reader(message string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.readers[message]
}

// pictures are the files of a message.
func (d *discordProxy) pictures(message string) [][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list [][]byte
	for _, f := range d.files[message] {
		list = append(list, bytes.Clone(f.content))
	}
	return list
}

// attach changes a message's files to those that a call lists: what it names stays or is new, what it leaves out goes.
func (d *discordProxy) attach(message string, c discordCall) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.Attachments == nil {
		return
	}
	var list []discordFile
	for _, a := range *c.Attachments {
		if content, ok := c.files[a.key()]; ok {
			d.uploaded++
			list = append(list, discordFile{fmt.Sprint("90000000000", d.uploaded), content})
			continue
		}
		for _, old := range d.files[message] {
			if old.id == a.id() {
				list = append(list, old)
			}
		}
	}
	d.files[message] = list
}
