package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/easelbot/easel/bot"
)

// A Conversation is who the channel translates for, a *bot.Bot. Of its errors those that are a *bot.Error are for the
// member, and the conversation has logged what there is to log; all others are logged here.
type Conversation interface {
	Do(ctx context.Context, c bot.Command) (bot.Reply, error)
	Press(ctx context.Context, a bot.Action) (bot.Reply, error)
	// Pace says whether somebody may write another line.
	Pace(ctx context.Context, place bot.Place, who bot.Person) error
	// Options are what can be written after a prompt.
	Options() []bot.Hint
}

// Handler serves the page, its API, its events and its pictures, for the addresses "/", "/static/", "/api/", "/pictures/" and
// "/sealed/". It sets deadlines of its own, also over those of the server.
func (c *Channel) Handler(b Conversation) http.Handler {
	a := &api{Channel: c, bot: b}
	mux := http.NewServeMux()
	for path, m := range map[string]methods{
		"/{$}":                    {"GET": a.page, "HEAD": a.page},
		"/static/{file}":          {"GET": a.static, "HEAD": a.static},
		"/api/session":            {"GET": a.session, "POST": a.members(a.name)},
		"/api/messages":           {"GET": a.members(a.history)},
		"/api/events":             {"GET": a.events},
		"/api/commands":           {"POST": a.members(a.say)},
		"/api/actions":            {"POST": a.members(a.press)},
		"/pictures/{job}/{index}": {"GET": a.picture, "HEAD": a.picture},
		"/sealed/{job}/{index}":   {"GET": a.sealed, "HEAD": a.sealed},
	} {
		mux.HandleFunc(path, c.route(m))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { c.fail(w, r, errNotFound) })
	return c.guard(mux)
}

// An api is the channel and who speaks in it.
type api struct {
	*Channel
	bot Conversation
}

// A hint is one line of help for who writes a command.
type hint struct {
	Name    string `json:"name"`
	Hint    string `json:"hint,omitempty"`    // of an option: what its value looks like
	Example string `json:"example,omitempty"` // of a command: what may follow
	Help    string `json:"help"`
}

// A session is what a page needs to begin.
type session struct {
	Me       bot.Person `json:"me"`
	Version  string     `json:"version"`
	Commands []hint     `json:"commands"`
	Options  []hint     `json:"options"`
}

func (a *api) session(w http.ResponseWriter, r *http.Request) error {
	me, err := a.welcome(w, r)
	if err != nil {
		return err
	}
	if me.ID == "" {
		return errSession
	}
	reply(w, http.StatusOK, a.sessionOf(me))
	return nil
}

func (a *api) sessionOf(me bot.Person) session {
	s := session{Me: me, Version: a.options.Version, Commands: []hint{}, Options: []hint{}}
	for _, h := range bot.Commands() {
		s.Commands = append(s.Commands, hint{Name: h.Name, Example: h.Hint, Help: h.Help})
	}
	for _, h := range a.bot.Options() {
		s.Options = append(s.Options, hint{Name: h.Name, Hint: h.Hint, Help: h.Help})
	}
	return s
}

// name takes the name that somebody chose. Two people may have the same; their IDs tell them apart.
func (a *api) name(w http.ResponseWriter, r *http.Request, me bot.Person) error {
	var request struct {
		Name string `json:"name"`
	}
	if err := readJSON(w, r, &request); err != nil {
		return err
	}
	name, err := cleanName(request.Name)
	if err != nil {
		return err
	}
	if err := a.options.Screen("name", name); err != nil {
		return err
	}
	me.Name = name
	if err := a.rename(r.Context(), me); err != nil {
		return err
	}
	reply(w, http.StatusOK, a.sessionOf(me))
	return nil
}

// Messages in one answer of /api/messages.
const (
	usualPage = 50
	widePage  = 200
)

// history answers with a page of messages. Its cursor is a revision that they are no older than: with the events after
// it a reader has everything.
func (a *api) history(w http.ResponseWriter, r *http.Request, me bot.Person) error {
	id, errID := number(r.FormValue("before"), math.MaxInt64)
	limit, errLimit := number(r.FormValue("limit"), usualPage)
	if errID != nil || errLimit != nil || limit < 1 {
		return errJSON
	}
	cursor, err := a.revision(r.Context())
	if err != nil {
		return err
	}
	list, more, err := a.before(r.Context(), me.ID, id, int(min(limit, widePage)))
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, struct {
		Messages []Message `json:"messages"`
		Cursor   int64     `json:"cursor"`
		More     bool      `json:"more"`
	}{list, cursor, more})
	return nil
}

// number reads an ID, a revision or a limit, all of which count from 0. What is left out has a default.
func number(s string, usual int64) (int64, error) {
	if s == "" {
		return usual, nil
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}

// maxBody is how many bytes a request's body may have.
const maxBody = 64 << 10

// readJSON reads a request's body, one JSON object. What it does not know it ignores, for the page may be of another
// version.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return errType
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(patience)) // a recorder has none
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = control.SetReadDeadline(time.Time{}) // else the request would end with it
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return errTooLarge
	}
	if err != nil || json.Unmarshal(body, into) != nil {
		return errJSON
	}
	return nil
}
