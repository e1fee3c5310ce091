package main

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A discordStage is a Discord that others wrote (see twin), as the clients of people in one server show it, behind a proxy
// that adds what it lacks.
type discordStage struct {
	twin  *twin
	proxy *discordProxy
	url   string

	mu      sync.Mutex
	last    *discordLine // of the program before
	people  map[string]string
	names   map[string]string // by ID
	directs map[string]string // channels of direct messages, by the person's ID
	buttons map[discordLabel]discordPress
}

var _ stage = (*discordStage)(nil)

type (
	// A discordLabel is a button as it is seen, under a message.
	discordLabel struct{ message, label string }
	// A discordPress is what pressing it needs.
	discordPress struct{ channel, button string }
	// A discordMessage is a message as the twin keeps it.
	discordMessage struct {
		ID, Content string
		Flags       int
		Embeds      []struct {
			Title, Description string
			Fields             []struct{ Name, Value string }
			Footer             struct{ Text string }
		}
		Components []discordComponent
	}
	// A discordComponent is a row, or a button in it.
	discordComponent struct {
		Type       int
		Label      string
		CustomID   string `json:"custom_id"`
		Disabled   bool
		Components []discordComponent
	}
)

const (
	discordToken  = "MTk4NjIyNDgzNDcx.secret-bot-token"
	discordHidden = 1 << 6 // the flag of a message that one person sees
	discordButton = 2      // the type of a component
)

func newDiscordStage(t *testing.T) *discordStage {
	t.Helper()
	s := &discordStage{
		twin: startTwin(t, discordToken), people: map[string]string{}, names: map[string]string{}, directs: map[string]string{},
		buttons: map[discordLabel]discordPress{},
	}
	s.proxy = newDiscordProxy(t, s.twin, discordToken, s.direct)
	server := httptest.NewServer(s.proxy)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.person(t, moderator)
	return s
}

func (s *discordStage) env() []string {
	return []string{
		"EASEL_DISCORD_TOKEN=" + discordToken, "EASEL_DISCORD_GUILD_ID=" + s.twin.Guild, "EASEL_DISCORD_REVIEW_CHANNEL=" + s.twin.Review,
		"EASEL_DISCORD_API_URL=" + s.url + "/api", "EASEL_DISCORD_GATEWAY_URL=ws" + strings.TrimPrefix(s.url, "http") + "/gateway",
	}
}

// await waits for a connection to the gateway that is not the one of the program before.
func (s *discordStage) await(t *testing.T, _ *served) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	eventually(t, "the program is connected to Discord's gateway", func() bool {
		line := s.proxy.newest()
		if line == nil || line == s.last {
			return false
		}
		s.last = line
		return true
	})
}

// Permissions: to see channels, send messages and use commands; for moderators to manage messages as well.
const (
	discordMember    = 1<<10 | 1<<11 | 1<<31
	discordModerator = discordMember | 1<<13
)

// person is somebody's ID; they join if they were not there yet.
func (s *discordStage) person(t *testing.T, who string) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.people[who]; id != "" {
		return id
	}
	permissions := discordMember
	if who == moderator {
		permissions = discordModerator
	}
	var joined struct{ ID string }
	if err := s.twin.ask("join", map[string]any{"name": who, "permissions": strconv.Itoa(permissions)}, &joined); err != nil {
		t.Error(err)
	}
	s.people[who], s.names[joined.ID] = joined.ID, who
	return joined.ID
}

// direct is the channel of somebody's direct messages with the bot.
func (s *discordStage) direct(user string) (channel string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names[user] == "" {
		return "", fmt.Errorf("there is nobody with the ID %s", user)
	}
	if s.directs[user] == "" {
		var opened struct{ ID string }
		if err := s.twin.ask("direct", map[string]any{}, &opened); err != nil {
			return "", err
		}
		s.directs[user] = opened.ID
	}
	return s.directs[user], nil
}

func (s *discordStage) imagine(t *testing.T, who, prompt string, options map[string]string) time.Duration {
	t.Helper()
	types := s.proxy.options("imagine")
	given := []map[string]any{{"name": "prompt", "type": types["prompt"], "value": prompt}}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		value, err := discordValue(types[name], options[name])
		if err != nil {
			t.Fatalf("the command takes no %s: %v", name, err)
		}
		given = append(given, map[string]any{"name": name, "type": types[name], "value": value})
	}
	return s.act(t, "command", map[string]any{"channel": s.twin.Channel, "user": s.person(t, who), "name": "imagine", "options": given})
}

// discordValue is what a client sends for what was typed into a field of a type.
func discordValue(kind int, typed string) (any, error) {
	switch kind {
	case 3:
		return typed, nil
	case 4:
		return strconv.ParseInt(typed, 10, 64)
	case 10:
		return strconv.ParseFloat(typed, 64)
	}
	return nil, fmt.Errorf("%q is for a field of the type %d", typed, kind)
}

func (s *discordStage) press(t *testing.T, who string, p post, label string) {
	t.Helper()
	s.mu.Lock()
	press, ok := s.buttons[discordLabel{p.id, label}]
	s.mu.Unlock()
	if !ok {
		t.Fatalf("there is no button %q under %+v", label, p)
	}
	s.act(t, "press", map[string]any{"channel": press.channel, "user": s.person(t, who), "message": p.id, "button": press.button})
}

// act does something that the program has to acknowledge. What counts is the time from its delivery to the arrival of the
// acknowledgement, both at the proxy: how long the twin takes to write it all down is not the program's.
func (s *discordStage) act(t *testing.T, task string, what map[string]any) time.Duration {
	t.Helper()
	var begun struct{ ID string }
	if err := s.proxy.together(func() error { return s.twin.ask(task, what, &begun) }); err != nil {
		t.Errorf("%s %v: %v", task, what, err)
		return 0
	}
	i := s.proxy.interaction(begun.ID)
	select {
	case <-i.acknowledged:
	case <-time.After(4 * acknowledged):
		t.Errorf("%s %v was not acknowledged", task, what)
		return 0
	}
	took := i.took()
	if took > acknowledged {
		t.Errorf("%s %v was acknowledged after %v", task, what, took)
	}
	return took
}

func (s *discordStage) posts(t *testing.T) []post {
	t.Helper()
	return s.read(t, s.twin.Channel, "")
}

func (s *discordStage) cases(t *testing.T) []post {
	t.Helper()
	return s.read(t, s.twin.Review, "")
}

func (s *discordStage) private(t *testing.T, who string) []post {
	t.Helper()
	user := s.person(t, who)
	list := append(s.read(t, s.twin.Channel, user), s.read(t, s.twin.Review, user)...)
	s.mu.Lock()
	direct := s.directs[user]
	s.mu.Unlock()
	if direct != "" {
		list = append(list, s.read(t, direct, "")...)
	}
	return list
}

// read is what is in a channel for everybody, or, with a user, what is there for them alone.
func (s *discordStage) read(t *testing.T, channel, user string) []post {
	t.Helper()
	var messages []discordMessage
	if err := s.twin.ask("messages", map[string]any{"channel": channel}, &messages); err != nil {
		t.Errorf("reading the channel %s: %v", channel, err)
	}
	var list []post
	for _, m := range messages {
		if hidden := m.Flags&discordHidden != 0; hidden != (user != "") || hidden && s.proxy.reader(m.ID) != user {
			continue
		}
		list = append(list, post{id: m.ID, text: s.shown(m), pictures: s.proxy.pictures(m.ID), buttons: s.labels(channel, m)})
	}
	return list
}

// labels are what buttons say. What they do is remembered, for they can be pressed as long as somebody has them before their eyes.
func (s *discordStage) labels(channel string, m discordMessage) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, row := range m.Components {
		for _, c := range row.Components {
			if c.Type == discordButton && !c.Disabled {
				s.buttons[discordLabel{m.ID, c.Label}] = discordPress{channel, c.CustomID}
				list = append(list, c.Label)
			}
		}
	}
	return list
}

var (
	discordMention = regexp.MustCompile(`<@(\d+)>`)
	discordMarkup  = regexp.MustCompile(`\\[!-/:-@[-` + "`" + `{-~]|\*\*|(?m:^-# )`)
)

// shown is a message's text as clients show it: with names for mentions, and without markup and the backslashes that keep
// other signs from being markup.
func (s *discordStage) shown(m discordMessage) string {
	lines := []string{m.Content}
	for _, e := range m.Embeds {
		lines = append(lines, e.Title, e.Description)
		for _, f := range e.Fields {
			lines = append(lines, f.Name, f.Value)
		}
		lines = append(lines, e.Footer.Text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text := discordMention.ReplaceAllStringFunc(written(lines...), func(mention string) string {
		return "@" + s.names[strings.Trim(mention, "<@>")]
	})
	return discordMarkup.ReplaceAllStringFunc(text, func(found string) string {
		plain, _ := strings.CutPrefix(found, `\`)
		if plain == found {
			return ""
		}
		return plain
	})
}

func TestDiscordStage(t *testing.T) { tryStage(t, newDiscordStage(t)) }
