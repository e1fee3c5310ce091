package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/bot"
)

// asker sends requests past the network.
type asker struct {
	handler http.Handler
	cookie  *http.Cookie
}

func newAsker(f *testing.F) asker {
	f.Helper()
	h := newHouse(f)
	h.talk.do = func(bot.Command) (bot.Reply, error) { return bot.Reply{Job: "01J"}, nil }
	h.talk.press = func(bot.Action) (bot.Reply, error) { return bot.Reply{Notice: "Done."}, nil }
	h.Close() // so that streams end when they have sent what there is
	a := asker{handler: h.Handler(h.talk)}
	a.cookie = a.ask(httptest.NewRequest(http.MethodGet, "/api/session", nil)).Result().Cookies()[0]
	return a
}

func (a asker) ask(r *http.Request) *httptest.ResponseRecorder {
	r.Host = "127.0.0.1:80"
	if a.cookie != nil {
		r.AddCookie(a.cookie)
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

// FuzzBody sends bodies of all kinds: the answer is JSON and never the server's failure.
func FuzzBody(f *testing.F) {
	a := newAsker(f)
	for _, seed := range []string{
		`{"key":"k","text":"/imagine a red fox"}`, `{"key":"k","text":"hello"}`, `{"key":"k","job":"01J","action":"vary","index":3}`,
		`{"name":"Ada"}`, `{"key":null}`, `{"key":"k","text":"/\u0000"}`, `[[[[`, `"`, "\xff", `{"index":1e400}`, ``,
	} {
		f.Add(0, seed)
		f.Add(1, seed)
		f.Add(2, seed)
	}
	paths := []string{"/api/commands", "/api/actions", "/api/session"}
	f.Fuzz(func(t *testing.T, path int, body string) {
		r := httptest.NewRequest(http.MethodPost, paths[uint(path)%uint(len(paths))], strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := a.ask(r)
		if w.Code >= http.StatusInternalServerError || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}

// FuzzLastEventID resumes from anywhere: the stream begins well or asks for a new beginning.
func FuzzLastEventID(f *testing.F) {
	a := newAsker(f)
	for _, seed := range []string{"", "0", "1", "-1", "+1", "01", "1e3", "9223372036854775808", "0x1", " 1", "1\n", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		r := httptest.NewRequest(http.MethodGet, "/api/events", nil)
		r.Header.Set("Last-Event-ID", id)
		w := a.ask(r)
		begins := strings.HasPrefix(w.Body.String(), "retry: 1000\nevent: hello\n") || strings.HasPrefix(w.Body.String(), "event: reset\n")
		if w.Code != http.StatusOK || !begins {
			t.Errorf("%q: %d %s", id, w.Code, w.Body)
		}
	})
}

// BenchmarkPost is what it costs to post a message while twenty people have the page open.
func BenchmarkPost(b *testing.B) {
	h := newHouse(b)
	v := h.visitor(b)
	for range 20 {
		v.listen("").until("people")
	}
	for b.Loop() {
		_, err := h.insert(b.Context(), row{kind: kindChat, author: v.me, body: "hello", created: time.Now()})
		if err != nil {
			b.Fatal(err)
		}
	}
}
