package slacktest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Scopes are what the bot token allows.
const Scopes = "commands,chat:write,files:write,im:write"

// RateLimited is the error of [Server.Fail] that is a 429, which asks for a second's pause.
const RateLimited = "ratelimited"

// A call is a question that the bot asked.
type call struct {
	method string
	values url.Values
}

// An answer is what a method says beside "ok".
type answer map[string]any

// methods are what the Web API knows. They return an error as Slack calls it, or "". The lock is held.
var methods = map[string]func(*Server, url.Values) (answer, string){
	"apps.connections.open":        (*Server).newTicket,
	"auth.test":                    (*Server).authTest,
	"chat.delete":                  (*Server).chatDelete,
	"chat.postEphemeral":           (*Server).chatPostEphemeral,
	"chat.postMessage":             (*Server).chatPostMessage,
	"chat.update":                  (*Server).chatUpdate,
	"conversations.info":           (*Server).conversationsInfo,
	"conversations.open":           (*Server).conversationsOpen,
	"files.completeUploadExternal": (*Server).filesComplete,
	"files.delete":                 (*Server).filesDelete,
	"files.getUploadURLExternal":   (*Server).filesGetUploadURL,
}

// Responses is the name that [Server.Calls] and [Server.Await] know posts to response URLs by.
const Responses = "response_url"

func (s *Server) method(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name := r.PathValue("method")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-OAuth-Scopes", Scopes)
	s.mu.Lock()
	defer s.mu.Unlock()
	said, problem := s.ask(name, r)
	s.calls = append(s.calls, call{name, r.Form})
	s.change()
	if problem == RateLimited {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	if problem != "" {
		said = answer{"error": problem}
	}
	said["ok"] = problem == ""
	_ = json.NewEncoder(w).Encode(said)
}

// ask is what a method answers to a request, if it may ask.
func (s *Server) ask(name string, r *http.Request) (answer, string) {
	do, known := methods[name]
	want := BotToken
	if name == "apps.connections.open" {
		want = AppToken
	}
	switch token := r.Form.Get("token") + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); {
	case !known:
		return nil, "unknown_method"
	case token == "":
		return nil, "not_authed"
	case token != want:
		return nil, "invalid_auth"
	}
	if problem := s.failure(name); problem != "" {
		return nil, problem
	}
	return do(s, r.Form)
}

func (s *Server) authTest(url.Values) (answer, string) {
	return answer{"team": "Test", "team_id": Team, "user": "easel", "user_id": botUser, "bot_id": "BEASEL", "url": s.http.URL}, ""
}

// Fail makes the next calls of a method answer with these errors, one by one.
func (s *Server) Fail(method string, problems ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[method] = append(s.failures[method], problems...)
}

// failure takes the next error that a method shall answer with.
func (s *Server) failure(method string) string {
	next := s.failures[method]
	if len(next) == 0 {
		return ""
	}
	s.failures[method] = next[1:]
	return next[0]
}

// Calls are the arguments with which a method was called so far, also in vain.
func (s *Server) Calls(method string) []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.called(method)
}

func (s *Server) called(method string) (list []url.Values) {
	for _, c := range s.calls {
		if c.method == method {
			list = append(list, c.values)
		}
	}
	return list
}

// Await waits for the n-th call of a method, counted from 1, and returns its arguments.
func (s *Server) Await(tb testing.TB, method string, n int) (found url.Values) {
	tb.Helper()
	s.until(tb, fmt.Sprintf("call %d of %s", n, method), func() bool {
		list := s.called(method)
		if len(list) >= n {
			found = list[n-1]
		}
		return found != nil
	})
	return found
}

// read reads JSON of no more than a MiB.
func read(r io.Reader, to any) error { return json.NewDecoder(io.LimitReader(r, 1<<20)).Decode(to) }
