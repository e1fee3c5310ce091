package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"
)

const botToken = "MTIz.secret-bot-token"

// A call is a request that the server got.
type call struct {
	method, path string
	body         map[string]any
	files        map[string][]byte
}

func (c call) String() string { return c.method + " " + c.path }

// A server is a small Discord: REST v9 as far as the adapter goes, and a gateway.
type server struct {
	t     *testing.T
	http  *httptest.Server
	calls chan call

	mu         sync.Mutex
	commands   json.RawMessage
	nonces     map[string]string
	messages   int
	fail       map[string][]int // "POST /channels/1/messages" -> statuses of the next answers
	socket     *websocket.Conn
	identified chan struct{}
	refuse     int               // close code instead of READY
	guilds     map[string]string // of the channels that the bot sees
	sequence   int
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{
		t: t, calls: make(chan call, 1000), nonces: map[string]string{}, fail: map[string][]int{},
		commands: json.RawMessage(`[]`), identified: make(chan struct{}, 10),
	}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ws/" {
		s.gateway(w, r)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/api/v9")
	if !ok || r.Header.Get("Authorization") != "Bot "+botToken {
		refuse(w, http.StatusUnauthorized, 0)
		return
	}
	c, err := read(r)
	if err != nil {
		s.t.Errorf("%s %s: %v", r.Method, path, err)
	}
	c.path = path
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls <- c
	if list := s.fail[c.String()]; len(list) > 0 {
		s.fail[c.String()] = list[1:]
		refuse(w, list[0], 0)
		return
	}
	s.answer(w, c)
}

// read reads a request as Discord does.
func read(r *http.Request) (call, error) {
	c := call{method: r.Method, files: map[string][]byte{}}
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		form := multipart.NewReader(r.Body, parameters["boundary"])
		for {
			part, err := form.NextPart()
			if errors.Is(err, io.EOF) {
				return c, nil
			}
			if err != nil {
				return c, err
			}
			content, err := io.ReadAll(part)
			if err != nil {
				return c, err
			}
			if part.FormName() != "payload_json" {
				c.files[part.FormName()] = content
			} else if err := json.Unmarshal(content, &c.body); err != nil {
				return c, err
			}
		}
	case "application/json":
		content, err := io.ReadAll(r.Body)
		if err == nil && content[0] == '{' {
			err = json.Unmarshal(content, &c.body)
		} else if err == nil {
			c.files["body"] = content
		}
		return c, err
	case "":
		return c, nil
	}
	return c, err
}

func refuse(w http.ResponseWriter, status, code int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if status == http.StatusTooManyRequests {
		fmt.Fprint(w, `{"message":"slow down","retry_after":0.01,"global":false}`)
		return
	}
	if status == http.StatusNotFound && code == 0 {
		code = 10008
	}
	fmt.Fprintf(w, `{"message":"refused","code":%d}`, code)
}

func (s *server) answer(w http.ResponseWriter, c call) {
	parts := strings.Split(strings.Trim(c.path, "/"), "/")
	switch {
	case c.path == "/oauth2/applications/@me" || c.path == "/users/@me":
		fmt.Fprint(w, `{"id":"77"}`)
	case c.path == "/gateway":
		fmt.Fprintf(w, `{"url":"ws%s/ws"}`, strings.TrimPrefix(s.http.URL, "http"))
	case parts[len(parts)-1] == "commands":
		if c.method == http.MethodPut {
			s.commands = c.files["body"]
		}
		_, _ = w.Write(s.commands)
	case c.method == http.MethodGet && parts[0] == "channels":
		if guild, ok := s.guilds[parts[1]]; ok {
			fmt.Fprintf(w, `{"id":"%s","guild_id":"%s"}`, parts[1], guild)
			return
		}
		refuse(w, http.StatusNotFound, discordgo.ErrCodeUnknownChannel)
	case c.path == "/users/@me/channels":
		fmt.Fprint(w, `{"id":"900"}`)
	case c.method == http.MethodPost && parts[len(parts)-1] == "messages":
		fmt.Fprintf(w, `{"id":"%s"}`, s.message(c))
	case c.method == http.MethodDelete || parts[0] == "interactions":
		w.WriteHeader(http.StatusNoContent)
	case c.method == http.MethodPatch || parts[0] == "webhooks":
		fmt.Fprint(w, `{"id":"1"}`)
	default:
		s.t.Errorf("nobody answers %s", c)
		refuse(w, http.StatusNotFound, 0)
	}
}

// message returns a new message's ID, or that of the message with the same enforced nonce.
func (s *server) message(c call) string {
	nonce, _ := c.body["nonce"].(string)
	if len(nonce) > 25 {
		s.t.Errorf("the nonce %q is too long", nonce)
	}
	if id := s.nonces[nonce]; id != "" && c.body["enforce_nonce"] == true {
		return id
	}
	s.messages++
	id := strconv.Itoa(5000 + s.messages)
	s.nonces[nonce] = id
	return id
}

// gateway greets, takes an identify, and keeps the connection for push.
func (s *server) gateway(w http.ResponseWriter, r *http.Request) {
	conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	s.mu.Lock()
	s.socket = conn
	_ = conn.WriteJSON(map[string]any{"op": 10, "d": map[string]any{"heartbeat_interval": 50}})
	s.mu.Unlock()
	for {
		var p struct {
			Op int `json:"op"`
			D  any `json:"d"`
		}
		if conn.ReadJSON(&p) != nil {
			return
		}
		s.received(conn, p.Op)
	}
}

func (s *server) received(conn *websocket.Conn, op int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case op == 1:
		_ = conn.WriteJSON(map[string]any{"op": 11})
	case op == 2 && s.refuse != 0:
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(s.refuse, ""), time.Now().Add(time.Second))
	case op == 2:
		s.dispatch(conn, "READY", `{"v":9,"session_id":"session","user":{"id":"77"}}`)
		s.identified <- struct{}{}
	case op == 6:
		_ = conn.WriteJSON(map[string]any{"op": 9, "d": false})
	}
}

func (s *server) dispatch(conn *websocket.Conn, kind, data string) {
	s.sequence++
	err := conn.WriteJSON(map[string]any{"op": 0, "t": kind, "s": s.sequence, "d": json.RawMessage(data)})
	if err != nil {
		s.t.Errorf("sending %s: %v", kind, err)
	}
}

// push sends an interaction.
func (s *server) push(data string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch(s.socket, "INTERACTION_CREATE", data)
}

// next waits for the next request, whose method and path begin so.
func (s *server) next(want string) call {
	s.t.Helper()
	select {
	case c := <-s.calls:
		if !strings.HasPrefix(c.String(), want) {
			s.t.Fatalf("Discord got %s, want %s", c, want)
		}
		return c
	case <-time.After(10 * time.Second):
		s.t.Fatalf("Discord got nothing, want %s", want)
		return call{}
	}
}

// quiet tells that nothing was sent that next has not seen.
func (s *server) quiet() {
	s.t.Helper()
	select {
	case c := <-s.calls:
		s.t.Errorf("Discord got %s, want nothing", c)
	default:
	}
}

func (s *server) failing(what string, statuses ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail[what] = statuses
}
