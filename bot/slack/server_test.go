package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/gorilla/websocket"
)

const (
	botToken = "xoxb-test-secret"
	appToken = "xapp-test-secret"
)

// A call is one that the server was asked.
type call struct {
	method string
	values url.Values
}

// A server is as much of Slack as the adapter needs: the Web API, uploads, response URLs and the socket.
type server struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	calls   []call
	news    chan struct{}        // closed at the next call
	fail    map[string][]string  // by method: the errors to answer with, one by one
	limited map[string]int       // by method: how often to say 429
	files   map[string]*file     // by ID
	slow    int                  // how often a block with a new file is invalid
	shows   map[string]string    // blocks by channel:ts
	acks    chan string          // what came over the socket
	socket  chan *websocket.Conn // sockets as they open
	down    chan struct{}        // closed at the end
	door    []map[string]any     // what came through response URLs
}

type file struct {
	length   int
	body     []byte
	complete bool
	invalid  int
	alt      string
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{
		t: t, news: make(chan struct{}), fail: map[string][]string{}, limited: map[string]int{}, files: map[string]*file{},
		shows: map[string]string{}, acks: make(chan string, 100), socket: make(chan *websocket.Conn, 10), down: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/{method}", s.method)
	mux.HandleFunc("POST /upload/{id}", s.receive)
	mux.HandleFunc("POST /door/{name}", s.answer)
	mux.HandleFunc("GET /socket", s.open)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() { close(s.down); s.Close() })
	return s
}

// note writes a call down and wakes who waits for it.
func (s *server) note(c call) {
	s.calls = append(s.calls, c)
	close(s.news)
	s.news = make(chan struct{})
}

func (s *server) method(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	name := r.PathValue("method")
	token := r.Form.Get("token") + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.note(call{name, r.Form})
	if want := map[bool]string{true: appToken, false: botToken}[name == "apps.connections.open"]; token != want {
		_, _ = io.WriteString(w, `{"ok":false,"error":"invalid_auth"}`)
		return
	}
	if s.limited[name] > 0 {
		s.limited[name]--
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	if next := s.fail[name]; len(next) > 0 {
		s.fail[name] = next[1:]
		fmt.Fprintf(w, `{"ok":false,"error":%q}`, next[0])
		return
	}
	answer, problem := s.do(name, r.Form)
	if problem != "" {
		answer = map[string]any{"error": problem}
	}
	answer["ok"] = problem == ""
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *server) do(name string, v url.Values) (answer map[string]any, problem string) {
	answer = map[string]any{}
	switch name {
	case "auth.test":
		answer["team"], answer["team_id"], answer["user"] = "Test", "T1", "easel"
	case "apps.connections.open":
		answer["url"] = "ws" + strings.TrimPrefix(s.URL, "http") + "/socket?ticket=secret"
	case "chat.postMessage", "chat.update", "chat.postEphemeral":
		if problem = s.checkMessage(v); problem != "" {
			return answer, problem
		}
		ts := v.Get("ts")
		if ts == "" {
			ts = fmt.Sprintf("1700000000.%06d", len(s.calls))
		} else if _, known := s.shows[v.Get("channel")+":"+ts]; !known {
			return answer, "message_not_found"
		}
		answer["channel"], answer["ts"], answer["message_ts"] = v.Get("channel"), ts, ts
		if name != "chat.postEphemeral" {
			s.shows[v.Get("channel")+":"+ts] = v.Get("blocks")
		}
	case "chat.delete":
		id := v.Get("channel") + ":" + v.Get("ts")
		if _, known := s.shows[id]; !known {
			return answer, "message_not_found"
		}
		delete(s.shows, id)
	case "conversations.open":
		answer["channel"] = map[string]any{"id": "D" + v.Get("users")}
	case "files.getUploadURLExternal":
		id := fmt.Sprintf("F%d", len(s.files))
		length, _ := strconv.Atoi(v.Get("length"))
		s.files[id] = &file{length: length, invalid: s.slow, alt: v.Get("alt_txt")}
		answer["file_id"], answer["upload_url"] = id, s.URL+"/upload/"+id
	case "files.completeUploadExternal":
		return answer, s.completeFiles(v)
	case "files.delete":
		if s.files[v.Get("file")] == nil {
			return answer, "file_not_found"
		}
		delete(s.files, v.Get("file"))
	default:
		return answer, "unknown_method"
	}
	return answer, ""
}

func (s *server) completeFiles(v url.Values) (problem string) {
	var list []struct{ ID string }
	if json.Unmarshal([]byte(v.Get("files")), &list) != nil || len(list) == 0 || v.Has("channel_id") || v.Has("channels") {
		return "invalid_arguments"
	}
	for _, f := range list {
		if s.files[f.ID] == nil || len(s.files[f.ID].body) != s.files[f.ID].length {
			return "file_not_found"
		}
		s.files[f.ID].complete = true
	}
	return ""
}

// receive takes a file of an upload, from its multipart form.
func (s *server) receive(w http.ResponseWriter, r *http.Request) {
	part, _, err := r.FormFile("file")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, _ := io.ReadAll(part)
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.files[r.PathValue("id")]; f != nil {
		f.body = body
	}
	_, _ = io.WriteString(w, `{"ok":true}`)
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	var said map[string]any
	if err := json.NewDecoder(r.Body).Decode(&said); err != nil || said["response_type"] == nil || said["text"] == "" {
		s.t.Errorf("a response URL got %v (%v), want a response type and a text", said, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.door = append(s.door, said)
	s.note(call{"door", url.Values{"name": {r.PathValue("name")}, "text": {fmt.Sprint(said["text"])}, "response_type": {fmt.Sprint(said["response_type"])}}})
	_, _ = io.WriteString(w, "ok")
}

// open is a socket: a hello, pings, and what the test sends.
func (s *server) open(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.WriteJSON(map[string]any{"type": "hello", "num_connections": 1})
	_ = conn.WriteControl(websocket.PingMessage, []byte("1"), time.Now().Add(time.Second))
	s.socket <- conn
	for {
		_, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		select {
		case s.acks <- string(bytes.TrimSpace(message)):
		case <-s.down:
			return
		}
	}
}

// await waits for the n-th call of a method and returns it.
func (s *server) await(method string, n int) url.Values {
	s.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		found, news := s.of(method), s.news
		s.mu.Unlock()
		if len(found) >= n {
			return found[n-1]
		}
		select {
		case <-news:
		case <-deadline:
			s.t.Fatalf("%s was called %d times, want %d", method, len(found), n)
		}
	}
}

func (s *server) of(method string) []url.Values {
	var found []url.Values
	for _, c := range s.calls {
		if c.method == method {
			found = append(found, c.values)
		}
	}
	return found
}

// count is how often a method was called.
func (s *server) count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.of(method))
}

// blocks are those that a message shows.
func (s *server) blocks(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shows[id]
}

// checkMessage holds a message to Block Kit's limits, and its files to be processed.
func (s *server) checkMessage(v url.Values) (problem string) {
	var blocks []map[string]any
	if v.Get("text") == "" || len(v.Get("text")) > 40_000 || v.Get("parse") != "none" {
		return "no_text"
	}
	if json.Unmarshal([]byte(v.Get("blocks")), &blocks) != nil || len(blocks) == 0 || len(blocks) > 50 {
		return "invalid_blocks_format"
	}
	for _, b := range blocks {
		if !validBlock(b) {
			s.t.Errorf("Slack would refuse the block %v", b)
			return "invalid_blocks"
		}
		if of, ok := b["slack_file"].(map[string]any); ok {
			f := s.files[fmt.Sprint(of["id"])]
			if f == nil || !f.complete {
				return "invalid_blocks"
			}
			if f.invalid > 0 {
				f.invalid--
				return "invalid_blocks"
			}
		}
	}
	return ""
}

func fits(v any, limit int) bool {
	text, ok := v.(string)
	n := len(utf16.Encode([]rune(text)))
	return ok && n > 0 && n <= limit
}

func plainFits(v any, limit int) bool {
	o, ok := v.(map[string]any)
	return ok && o["type"] == "plain_text" && fits(o["text"], limit)
}

func validBlock(b map[string]any) bool {
	elements, _ := b["elements"].([]any)
	switch b["type"] {
	case "rich_text":
		return len(elements) > 0
	case "section":
		return plainFits(b["text"], 3000)
	case "image":
		return fits(b["alt_text"], 2000)
	case "context":
		return len(elements) > 0 && len(elements) <= 10 && plainFits(elements[0], 3000)
	case "actions":
		return validButtons(elements)
	}
	return false
}

func validButtons(elements []any) bool {
	ids := map[string]bool{}
	for _, e := range elements {
		b := e.(map[string]any)
		id := fmt.Sprint(b["action_id"])
		help, _ := b["accessibility_label"].(string)
		if ids[id] || !fits(id, 255) || !fits(b["value"], 2000) || !plainFits(b["text"], 75) || len(help) > 75 {
			return false
		}
		ids[id] = true
	}
	return len(elements) > 0 && len(elements) <= 25
}
