// Package slacktest is a Slack of one's own to test a bot with: a workspace with channels and people, the Web API, uploads,
// Socket Mode and signed HTTP deliveries, on a free port of this machine. It keeps what the bot posts, shows it as people
// would see it ([Server.Messages], [Server.Ephemeral]), and types and presses for them ([Server.Command], [Server.Press]).
// A bot may be killed and started again beside it: the workspace stays.
//
// It holds the bot to Slack's rules, and knows no more methods than the bot needs:
//
//   - a message has the form of Block Kit, in number and length; a message that has not is refused and fails the test
//   - the bot writes only in channels it is in, changes only messages that are there, and whispers only to people who are there
//   - a file is uploaded in three steps, in its announced length, and no block may name it until it is processed, which
//     it is a moment after: the first message that names it is refused (invalid_blocks)
//   - a response URL takes 5 posts in 30 minutes
//   - a command or a press is acknowledged within 3 seconds, or the person reads that it timed out
//   - a socket's address opens one socket; whoever opens it reads a hello, is pinged, and gets each event in an envelope
//   - a delivery over HTTP carries a v0 signature
//
// It is stricter than Slack where a bot should be ready for it: an envelope whose socket breaks before it is acknowledged is
// delivered again over another one, and the same delivery can be repeated at will ([Server.Deliver]). It is laxer in that
// nobody is told to slow down unless a test wants it ([Server.Fail]).
//
// It does not stand on slack-go's package of this name: that one keeps posts of text alone, knows no uploads, commands or
// buttons, and sends nothing over the sockets it opens, so that every handler would have to be replaced.
//
// See https://docs.slack.dev/apis/events-api/using-socket-mode, reference/block-kit, interactivity/handling-user-interaction,
// authentication/verifying-requests-from-slack and messaging/working-with-files there.
package slacktest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a bot must be told to be let in, and the workspace it is in.
const (
	BotToken      = "xoxb-test-secret"
	AppToken      = "xapp-test-secret"
	SigningSecret = "shhh-secret"
	Team          = "T1"
)

// botUser is who the bot is.
const botUser = "UEASEL"

// patience is how long [Server.Await] and [Server.Connected] wait.
const patience = 30 * time.Second

// A Server is a workspace. Its methods may be called by many goroutines at once.
type Server struct {
	tb   testing.TB
	http *httptest.Server
	down chan struct{} // closed at the end

	mu         sync.Mutex
	news       chan struct{} // closed at the next change
	serial     int
	calls      []call
	failures   map[string][]string // by method: the errors to answer with, one by one
	people     map[string]string   // names by ID
	channels   map[string]*channel
	messages   map[string]*message // all there ever were, by ID
	ephemeral  map[string][]*message
	doors      map[string]*door // response URLs by their secret
	files      map[string]*file
	processing int
	tickets    map[string]bool // sockets' addresses that are still good
	sockets    []*socket       // those that are open
	turn       int             // whose turn it is
	pending    map[string]chan Ack
	requestURL string // empty: over sockets
}

// New starts a workspace without channels and people, which ends with the test.
func New(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{
		tb: tb, down: make(chan struct{}), news: make(chan struct{}),
		failures: map[string][]string{}, people: map[string]string{}, channels: map[string]*channel{}, messages: map[string]*message{},
		ephemeral: map[string][]*message{}, doors: map[string]*door{}, files: map[string]*file{}, processing: 1,
		tickets: map[string]bool{}, pending: map[string]chan Ack{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/{method}", s.method)
	mux.HandleFunc("POST /upload/{secret}", s.receive)
	mux.HandleFunc("POST /response/{secret}", s.respond)
	mux.HandleFunc("GET /link", s.open)
	s.http = httptest.NewServer(mux)
	tb.Cleanup(s.Close)
	return s
}

// Close ends the workspace before the test does.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.down:
	default:
		close(s.down)
	}
	for _, k := range s.sockets {
		_ = k.conn.Close()
	}
	s.mu.Unlock()
	s.http.Close()
}

// URL is the address of the Web API.
func (s *Server) URL() string { return s.http.URL + "/api/" }

// Person lets somebody in, if they were not, and returns their ID. A name is of Latin letters and digits.
func (s *Server) Person(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "U" + strings.ToUpper(name)
	s.people[id] = name
	return id
}

// Channel makes a channel with the bot in it, by its ID, and some people; with none of them, everybody is in it.
func (s *Server) Channel(id string, people ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[id] = &channel{open: true, people: people}
}

// Expel takes the bot out of a channel. People can type commands there nevertheless.
func (s *Server) Expel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[id].open = false
}

// change wakes who waits for something. The lock is held.
func (s *Server) change() {
	close(s.news)
	s.news = make(chan struct{})
}

// until waits for a change after which something is the case.
func (s *Server) until(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		ok, news := is(), s.news
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-news:
		case <-s.down:
			tb.Fatalf("slack ended before this: %s", what)
		case <-deadline:
			tb.Fatalf("it did not come about: %s", what)
		}
	}
}

// number returns an ID that is new. The lock is held.
func (s *Server) number(kind string) string {
	s.serial++
	return fmt.Sprintf("%s%06d", kind, s.serial)
}
