package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelbot/easel/bot"
)

// A webStage is the local channel, as the page sees it through its API. Its address is the same after every start, for the cookies
// that say who somebody is are bound to it.
type webStage struct {
	address string

	mu       sync.Mutex
	guests   map[string]*guest
	pressed  int                   // so that no two requests have the same key
	buttons  map[webLabel]webPress // all that were ever seen
	pictures map[string][]byte     // by their address; their bytes never change
}

var _ stage = (*webStage)(nil)

// A guest is somebody with a browser of their own, and what they were answered.
type guest struct {
	visitor
	told []post
}

type (
	// A webLabel is a button as it is seen, under a message.
	webLabel struct{ id, label string }
	// A webPress is what pressing it sends.
	webPress struct {
		Key    string `json:"key"`
		Job    string `json:"job"`
		Action string `json:"action"`
		Index  int    `json:"index"`
	}
	// A webMessage is a message of any kind.
	webMessage struct {
		ID      int64
		Kind    string
		Author  bot.Person
		Text    string
		Private bool
		Job     bot.Message
		Case    bot.CaseMessage
	}
	// A webAnswer is what comes back at once.
	webAnswer struct {
		Notice  string
		Details []bot.Detail
		Sealed  []struct {
			Job   string
			Index int
		}
		Error struct{ Message string }
	}
)

func newWebStage(t *testing.T) *webStage {
	t.Helper()
	return &webStage{address: freeAddress(t), guests: map[string]*guest{}, buttons: map[webLabel]webPress{}, pictures: map[string][]byte{}}
}

func (s *webStage) env() []string { return []string{"EASEL_LISTEN=" + s.address} }

// await also lets the moderator in, so that nobody comes before them.
func (s *webStage) await(t *testing.T, served *served) {
	t.Helper()
	if served.address() != s.address {
		t.Fatalf("it serves at %s, and was told %s", served.address(), s.address)
	}
	http.DefaultClient.CloseIdleConnections() // they lead to the one before
	eventually(t, "the local channel is ready", func() bool {
		status, _ := served.get(t, "/readyz")
		return status == http.StatusOK
	})
	s.guest(t, moderator)
}

// guest is somebody, who comes in if they were not there yet.
func (s *webStage) guest(t *testing.T, who string) *guest {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.guests[who]; g != nil {
		return g
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{visitor: visitor{Client: http.Client{Jar: jar}, url: "http://" + s.address + "/"}}
	g.request(t, http.MethodGet, "", "")
	if status, answer := g.request(t, http.MethodPost, "api/session", fmt.Sprintf(`{"name":%q}`, who)); status != http.StatusOK {
		t.Fatalf("%s cannot come in: %d %s", who, status, answer)
	}
	s.guests[who] = g
	return g
}

func (s *webStage) imagine(t *testing.T, who, prompt string, options map[string]string) time.Duration {
	t.Helper()
	line := "/imagine " + prompt
	for _, name := range slices.Sorted(maps.Keys(options)) {
		line += fmt.Sprintf(` --%s "%s"`, name, options[name]) // a value with quotes in it cannot be typed
	}
	return s.send(t, who, "api/commands", map[string]string{"key": s.key(), "text": line})
}

func (s *webStage) press(t *testing.T, who string, p post, label string) {
	t.Helper()
	s.mu.Lock()
	press, ok := s.buttons[webLabel{p.id, label}]
	s.mu.Unlock()
	if !ok {
		t.Fatalf("there is no button %q under %+v", label, p)
	}
	press.Key = s.key()
	s.send(t, who, "api/actions", press)
}

func (s *webStage) key() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pressed++
	return "key-" + strconv.Itoa(s.pressed)
}

// acknowledged is how long people wait for a sign that they were heard, on any platform.
const acknowledged = 3 * time.Second

// send sends a request, keeps what it is answered, and tells how long the answer took.
func (s *webStage) send(t *testing.T, who, path string, request any) time.Duration {
	t.Helper()
	g := s.guest(t, who)
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	status, said := g.request(t, http.MethodPost, path, string(body))
	took := time.Since(began)
	if took > acknowledged {
		t.Errorf("%s was answered after %v: %s", who, took, body)
	}
	var answer webAnswer
	if err := json.Unmarshal(said, &answer); err != nil || status >= http.StatusBadRequest && answer.Error.Message == "" {
		t.Fatalf("%s: %d %s, %v", body, status, said, err)
	}
	s.keep(t, g, answer)
	return took
}

// keep remembers what somebody was told at once.
func (s *webStage) keep(t *testing.T, g *guest, a webAnswer) {
	t.Helper()
	lines := []string{a.Error.Message, a.Notice}
	for _, d := range a.Details {
		lines = append(lines, d.Name+": "+d.Value)
	}
	p := post{text: written(lines...)}
	for _, sealed := range a.Sealed {
		p.pictures = append(p.pictures, s.picture(t, g, fmt.Sprintf("sealed/%s/%d.png", sealed.Job, sealed.Index))...)
	}
	if p.text == "" && p.pictures == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.id = "told-" + strconv.Itoa(len(g.told))
	g.told = append(g.told, p)
}

// written puts lines below each other, without those that say nothing.
func written(lines ...string) string {
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return line == "" }), "\n")
}

func (s *webStage) posts(t *testing.T) []post {
	t.Helper()
	var list []post
	g := s.guest(t, moderator)
	for _, m := range g.messages(t) {
		switch m.Kind {
		case "chat":
			list = append(list, post{id: strconv.FormatInt(m.ID, 10), text: written(m.Author.Name, m.Text)})
		case "job":
			list = append(list, s.jobPost(t, g, m.Job))
		}
	}
	return list
}

func (s *webStage) jobPost(t *testing.T, g *guest, m bot.Message) post {
	t.Helper()
	origin := ""
	if m.Origin != nil {
		origin = m.Origin.Text
	}
	p := post{id: m.Job, text: written(m.Author.Name, m.Prompt, m.Options, origin, m.Status), buttons: s.labels(m.Job, m.Buttons)}
	for _, picture := range m.Pictures {
		if !picture.Veiled {
			p.pictures = append(p.pictures, s.picture(t, g, fmt.Sprintf("pictures/%s/%d.png", picture.Job, picture.Index))...)
		}
	}
	return p
}

func (s *webStage) cases(t *testing.T) []post {
	t.Helper()
	var list []post
	for _, m := range s.guest(t, moderator).messages(t) {
		if c := m.Case; m.Kind == "case" {
			lines := append([]string{c.Title, c.Author.Name, c.Prompt, c.Negative, c.Status}, c.Reasons...)
			list = append(list, post{id: c.Case, text: written(lines...), buttons: s.labels(c.Case, c.Buttons)})
		}
	}
	return list
}

func (s *webStage) private(t *testing.T, who string) []post {
	t.Helper()
	g := s.guest(t, who)
	var list []post
	for _, m := range g.messages(t) {
		if m.Kind == "notice" && m.Private {
			list = append(list, post{id: strconv.FormatInt(m.ID, 10), text: m.Text})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(list, g.told...)
}

// labels are what buttons say. What they do is remembered, for they can be pressed as long as somebody has them before their eyes.
func (s *webStage) labels(id string, buttons []bot.Button) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, b := range buttons {
		s.buttons[webLabel{id, b.Label}] = webPress{Job: id, Action: b.Action, Index: b.Index}
		list = append(list, b.Label)
	}
	return list
}

// picture is a picture's bytes, or none if it was deleted meanwhile.
func (s *webStage) picture(t *testing.T, g *guest, address string) [][]byte {
	t.Helper()
	s.mu.Lock()
	file := s.pictures[address]
	s.mu.Unlock()
	if file != nil {
		return [][]byte{file}
	}
	status, file := g.request(t, http.MethodGet, address, "")
	if status == http.StatusNotFound {
		return nil
	}
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", address, status, file)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pictures[address] = file
	return [][]byte{file}
}

// messages are all that somebody sees, oldest first.
func (g *guest) messages(t *testing.T) []webMessage {
	t.Helper()
	var all []webMessage
	for before := ""; ; {
		status, said := g.request(t, http.MethodGet, "api/messages?limit=200"+before, "")
		var page struct {
			Messages []webMessage
			More     bool
		}
		if err := json.Unmarshal(said, &page); err != nil || status != http.StatusOK {
			t.Fatalf("the messages: %d %s, %v", status, said, err)
		}
		all = append(page.Messages, all...)
		if !page.More {
			return all
		}
		before = fmt.Sprintf("&before=%d", page.Messages[0].ID)
	}
}

func TestWebStage(t *testing.T) { tryStage(t, newWebStage(t)) }

// tryStage is a short conversation, with the program killed in it, which tells whether a stage shows what happens.
func tryStage(t *testing.T, on stage) {
	t.Helper()
	data := t.TempDir()
	s := serving(t, data, on.env()...)
	on.await(t, s)
	on.imagine(t, ada, "a red fox on a blue background", map[string]string{"seed": "7"})
	fox := untilPainted(t, on, 0)
	if !strings.Contains(fox.text, "a red fox on a blue background") || !slices.Contains(fox.buttons, "U4") {
		t.Errorf("the fox is %q with %q", fox.text, fox.buttons)
	}
	on.press(t, ada, fox, "V2")
	untilPainted(t, on, 1)

	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // which says that it was killed
	on.await(t, serving(t, data, on.env()...))
	on.press(t, bob, fox, "Delete")
	if len(on.posts(t)) != 2 || len(on.private(t, ada)) != 0 || len(on.cases(t)) != 0 {
		t.Errorf("there is %+v, ada was told %+v, cases are %+v", on.posts(t), on.private(t, ada), on.cases(t))
	}
	eventually(t, "bob is told that the fox is not his", func() bool { return len(on.private(t, bob)) == 1 })
	on.press(t, ada, fox, "Delete")
	eventually(t, "the fox is gone", func() bool { return len(on.posts(t)) == 1 })
}

// untilPainted waits for the post of a number, and four pictures in it that can be seen.
func untilPainted(t *testing.T, on stage, number int) (p post) {
	t.Helper()
	eventually(t, fmt.Sprintf("post %d with four pictures", number), func() bool {
		posts := on.posts(t)
		if len(posts) <= number {
			return false
		}
		p = posts[number]
		return len(p.pictures) == 4
	})
	for _, file := range p.pictures {
		picture, err := png.Decode(bytes.NewReader(file))
		if err != nil || picture.Bounds().Dx() != 128 || picture.Bounds().Dy() != 128 {
			t.Errorf("post %d has no picture of 128x128: %v", number, err)
		}
	}
	return p
}
