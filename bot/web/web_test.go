package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// talk is a conversation that answers as a test wants.
type talk struct {
	do    func(bot.Command) (bot.Reply, error)
	press func(bot.Action) (bot.Reply, error)
	pace  error
}

func (t *talk) Do(_ context.Context, c bot.Command) (bot.Reply, error)   { return t.do(c) }
func (t *talk) Press(_ context.Context, a bot.Action) (bot.Reply, error) { return t.press(a) }

func (t *talk) Pace(context.Context, bot.Place, bot.Person) error { return t.pace }

func (t *talk) Options() []bot.Hint {
	return []bot.Hint{{Name: "size", Hint: "128x128", Help: "width and height in pixels"}}
}

// A house is a channel on a real store and gallery, behind a real server.
type house struct {
	*Channel
	talk *talk
	url  string
	logs *bytes.Buffer // read it only after the server is closed, or before anything is logged
}

// refuse is the word that the house's Screen does not allow.
const refuse = "weasel"

func newHouse(tb testing.TB, change ...func(*Channel)) *house {
	tb.Helper()
	db, err := store.Open(tb.Context(), filepath.Join(tb.TempDir(), "easel.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	g, err := gallery.Open(db, filepath.Join(tb.TempDir(), "pictures"))
	if err != nil {
		tb.Fatal(err)
	}
	h := &house{talk: &talk{}, logs: &bytes.Buffer{}}
	h.Channel = New(db, g, Options{
		Version: "1.2.3", Hosts: []string{"127.0.0.1"}, Log: slog.New(slog.NewTextHandler(h.logs, nil)),
		Screen: func(noun, text string) error {
			if strings.Contains(text, refuse) {
				return &bot.Error{Code: "refused", Text: "This " + noun + " cannot be used."}
			}
			return nil
		},
	})
	for _, f := range change {
		f(h.Channel)
	}
	server := httptest.NewServer(h.Handler(h.talk))
	tb.Cleanup(server.Close)
	tb.Cleanup(h.Close) // first of all, for the server waits for its streams
	h.url = server.URL
	return h
}

// A visitor is a browser.
type visitor struct {
	t      testing.TB
	house  *house
	client *http.Client
	me     bot.Person
}

// visitor opens the page in a new browser.
func (h *house) visitor(tb testing.TB) *visitor {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	v := &visitor{t: tb, house: h, client: &http.Client{Jar: jar, Transport: &http.Transport{}}}
	tb.Cleanup(v.client.CloseIdleConnections)
	var s session
	v.get("/api/session", &s)
	v.me = s.Me
	return v
}

// owner is a visitor who owns the channel, since they were the first to do something.
func (h *house) owner(tb testing.TB) *visitor {
	tb.Helper()
	v := h.visitor(tb)
	if a := v.send("POST", "/api/session", `{"name":"Olive Owner"}`); a.status != http.StatusOK {
		tb.Fatalf("the owner cannot have a name: %d %s", a.status, a.body)
	}
	v.me.Name = "Olive Owner"
	h.logs.Reset()
	return v
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (v *visitor) send(method, path, body string, headers ...string) answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.house.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, content}
}

func (v *visitor) get(path string, into any) {
	v.t.Helper()
	v.want(v.send("GET", path, ""), http.StatusOK, into)
}

func (v *visitor) post(path string, body any, status int, into any) {
	v.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		v.t.Fatal(err)
	}
	v.want(v.send("POST", path, string(content)), status, into)
}

func (v *visitor) want(a answer, status int, into any) {
	v.t.Helper()
	if a.status != status {
		v.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		v.t.Fatalf("%v in %s", err, a.body)
	}
}

// say posts a line and returns its message's ID.
func (v *visitor) say(key, text string) int64 {
	v.t.Helper()
	var said struct{ Message int64 }
	v.post("/api/commands", map[string]string{"key": key, "text": text}, http.StatusOK, &said)
	return said.Message
}

// history returns the newest messages and the cursor.
func (v *visitor) history() ([]Message, int64) {
	v.t.Helper()
	var page struct {
		Messages []Message
		Cursor   int64
	}
	v.get("/api/messages?limit=200", &page)
	return page.Messages, page.Cursor
}

// problemOf is the error in an answer.
func problemOf(t *testing.T, a answer) problem {
	t.Helper()
	var p struct{ Error problem }
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return p.Error
}

// An event is one Server-Sent Event; comments are events named ":".
type event struct{ name, id, data string }

func (e event) message(tb testing.TB) (m Message) {
	tb.Helper()
	if err := json.Unmarshal([]byte(e.data), &m); err != nil {
		tb.Fatalf("%v in %s", err, e.data)
	}
	return m
}

// A listener reads a stream of events.
type listener struct {
	t       testing.TB
	lines   *bufio.Reader
	hang    func()
	expired atomic.Bool
}

// patienceOfTests is after how long a stream that stays silent fails a test.
const patienceOfTests = 30 * time.Second

// listen opens the stream after a revision; from is added to the path.
func (v *visitor) listen(from string, headers ...string) *listener {
	v.t.Helper()
	ctx, cancel := context.WithCancel(v.t.Context())
	l := &listener{t: v.t}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.house.url+"/api/events"+from, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := v.client.Do(r) //nolint:bodyclose // hang closes it
	if err != nil {
		cancel()
		v.t.Fatal(err)
	}
	timer := time.AfterFunc(patienceOfTests, func() { l.expired.Store(true); cancel() })
	l.hang = func() { timer.Stop(); cancel(); response.Body.Close() }
	v.t.Cleanup(l.hang)
	if got, want := response.Header.Get("Content-Type"), "text/event-stream"; got != want {
		v.t.Fatalf("Content-Type %q, want %q", got, want)
	}
	l.lines = bufio.NewReader(response.Body)
	return l
}

// next reads one event; ok is false at the stream's end.
func (l *listener) next() (e event, ok bool) {
	l.t.Helper()
	for {
		line, err := l.lines.ReadString('\n')
		if l.expired.Load() {
			l.t.Fatal("the stream stayed silent")
		}
		if err != nil {
			return event{}, false
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if strings.HasPrefix(line, ":") {
				e.name = ":"
			}
			if e.name != "" {
				return e, true
			}
		}
	}
}

// until reads up to the next event of a name.
func (l *listener) until(name string) event {
	l.t.Helper()
	for {
		e, ok := l.next()
		if !ok {
			l.t.Fatalf("the stream ended before there was an event %q", name)
		}
		if e.name == name {
			return e
		}
	}
}

// text reads up to the message with a text, and returns the IDs of those before it as well.
func (l *listener) text(text string) (ids []string) {
	l.t.Helper()
	for {
		e := l.until("message")
		ids = append(ids, e.id)
		if e.message(l.t).Text == text {
			return ids
		}
	}
}

// errBroken is what the operator reads and nobody else.
var errBroken = errors.New("the secret lever is broken")

// jobMessage is a job's message in a state.
func jobMessage(job string, author bot.Person, state string) bot.Message {
	return bot.Message{Job: job, Author: author, At: time.UnixMilli(1_700_000_000_000), State: state, Prompt: "a red fox", Status: state}
}
