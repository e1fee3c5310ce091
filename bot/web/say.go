package web

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/easelbot/easel/bot"
)

// say takes what somebody wrote: a command, which begins with a slash, or a line for everybody.
func (a *api) say(w http.ResponseWriter, r *http.Request, me bot.Person) error {
	var request struct {
		Key  string `json:"key"`
		Text string `json:"text"`
	}
	if err := readJSON(w, r, &request); err != nil {
		return err
	}
	if err := checkKey(request.Key); err != nil {
		return err
	}
	name, text, ok := command(request.Text)
	if !ok {
		return a.chat(w, r, me, request.Key, request.Text)
	}
	answer, err := a.bot.Do(r.Context(), bot.Command{
		Key: ownKey(me, request.Key), Place: general, Person: me, Name: name, Text: text,
	})
	if err != nil {
		return err
	}
	replied(w, answer)
	return nil
}

// command splits "/imagine a red fox" into its name and the rest.
func command(line string) (name, text string, ok bool) {
	line, ok = strings.CutPrefix(strings.TrimSpace(line), "/")
	if !ok {
		return "", "", false
	}
	end := strings.IndexFunc(line, unicode.IsSpace)
	if end < 0 {
		end = len(line)
	}
	return strings.ToLower(line[:end]), strings.TrimSpace(line[end:]), true
}

func (a *api) chat(w http.ResponseWriter, r *http.Request, me bot.Person, key, text string) error {
	text, err := cleanChat(text)
	if err != nil {
		return err
	}
	if err := a.bot.Pace(r.Context(), general, me); err != nil {
		return err
	}
	if err := a.options.Screen("message", text); err != nil {
		return err
	}
	id, err := a.insert(r.Context(), row{kind: kindChat, author: me, key: key, body: text, created: time.Now()})
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, map[string]int64{"message": id})
	return nil
}

func (a *api) press(w http.ResponseWriter, r *http.Request, me bot.Person) error {
	var request struct {
		Key    string `json:"key"`
		Job    string `json:"job"`
		Action string `json:"action"`
		Index  int    `json:"index"`
	}
	if err := readJSON(w, r, &request); err != nil {
		return err
	}
	if err := checkKey(request.Key); err != nil {
		return err
	}
	owner, err := a.owner(r.Context())
	if err != nil {
		return err
	}
	answer, err := a.bot.Press(r.Context(), bot.Action{
		Key: ownKey(me, request.Key), Place: general, Person: me,
		Name: request.Action, Job: request.Job, Index: request.Index, Moderator: me.ID == owner,
	})
	if err != nil {
		return err
	}
	replied(w, answer)
	return nil
}

func replied(w http.ResponseWriter, answer bot.Reply) {
	status := http.StatusOK
	if answer.Job != "" {
		status = http.StatusAccepted
	}
	reply(w, status, answer)
}

// checkKey wants a key, as a page makes one for all it sends.
func checkKey(key string) error {
	outside := func(r rune) bool { return r <= ' ' || r > '~' }
	if key == "" || len(key) > maxKey || strings.ContainsFunc(key, outside) {
		return errJSON
	}
	return nil
}

// ownKey is a key that nobody else's can equal, whatever they send.
func ownKey(p bot.Person, key string) string { return p.ID + ":" + key }
