package slacktest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A Message is a message as somebody sees it.
type Message struct {
	ID       string // its channel and its timestamp, "C1:1700000000.000001"
	Text     string // what its blocks say, a line for each; without blocks its text
	Fallback string // its text: what notifications and screen readers say
	Pictures []Picture
	Buttons  []Button
	Blocks   json.RawMessage // as it was posted, and each with an ID
}

// A Picture is a picture in a message.
type Picture struct {
	Bytes []byte
	Alt   string
}

// A Button is a button below a message.
type Button struct{ Label, Help, ActionID, Value string }

type channel struct {
	open     bool     // to the bot
	people   []string // none: everybody
	messages []*message
}

// A message is one of the bot's, also after it was deleted, for somebody may still have it before their eyes.
type message struct {
	channel, ts string
	private     bool // one person alone sees it
	text        string
	blocks      []block
	raw         json.RawMessage
	buttons     map[string]block // all it ever had, by their labels
}

func (m *message) id() string { return m.channel + ":" + m.ts }

// Messages are a channel's, oldest first. Those to one person directly are in the channel that [Direct] names.
func (s *Server) Messages(channel string) (list []Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.channels[channel]; c != nil {
		return s.seen(c.messages)
	}
	return nil
}

// Ephemeral is what somebody alone was told so far, wherever they were: in ephemeral messages, through response URLs, and
// as acknowledgements.
func (s *Server) Ephemeral(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen(s.ephemeral[user])
}

// Direct is the channel of the bot's direct messages with somebody.
func Direct(user string) string { return "D" + user }

func (s *Server) seen(messages []*message) (list []Message) {
	for _, m := range messages {
		list = append(list, s.look(m))
	}
	return list
}

// look shows a message, as far as its files are still there.
func (s *Server) look(m *message) Message {
	v := Message{ID: m.id(), Fallback: m.text, Blocks: m.raw}
	var lines []string
	for _, b := range m.blocks {
		if line := b.say(); line != "" {
			lines = append(lines, line)
		}
		if f := s.files[b.fileID()]; f != nil {
			v.Pictures = append(v.Pictures, Picture{f.body, b.Alt})
		}
		if b.Type == "actions" {
			for _, e := range b.Elements {
				v.Buttons = append(v.Buttons, Button{e.Text.Text, e.Help, e.ActionID, e.Value})
			}
		}
	}
	v.Text = strings.Join(lines, "\n")
	if len(m.blocks) == 0 {
		v.Text = plain.Replace(m.text)
	}
	return v
}

var plain = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// write fills a message, if it is one that Slack would take.
func (s *Server) write(m *message, text, blocks string) (problem string) {
	raw, list, problem := s.parse(text, blocks)
	if problem != "" {
		return problem
	}
	m.text, m.raw, m.blocks = text, raw, list
	if m.buttons == nil {
		m.buttons = map[string]block{}
	}
	for _, b := range list {
		if b.Type == "actions" {
			for _, e := range b.Elements {
				e.ID = b.ID
				m.buttons[e.Text.Text] = e
			}
		}
	}
	return ""
}

// post writes a new message.
func (s *Server) post(channel, text, blocks string, private bool) (*message, string) {
	m := &message{channel: channel, ts: s.number("1700000000."), private: private}
	if problem := s.write(m, text, blocks); problem != "" {
		return nil, problem
	}
	s.messages[m.id()] = m
	return m, ""
}

// whisper shows a message to one person alone.
func (s *Server) whisper(user, channel, text, blocks string) (*message, string) {
	m, problem := s.post(channel, text, blocks, true)
	if problem == "" {
		s.ephemeral[user] = append(s.ephemeral[user], m)
	}
	return m, problem
}

// say posts a message to a channel.
func (s *Server) say(channel, text, blocks string) (*message, string) {
	c, problem := s.writable(channel)
	if problem != "" {
		return nil, problem
	}
	m, problem := s.post(channel, text, blocks, false)
	if problem == "" {
		c.messages = append(c.messages, m)
	}
	return m, problem
}

// writable is a channel that the bot is in.
func (s *Server) writable(id string) (*channel, string) {
	c := s.channels[id]
	switch {
	case c == nil:
		return nil, "channel_not_found"
	case !c.open:
		return nil, "not_in_channel"
	}
	return c, ""
}

func (s *Server) chatPostMessage(v url.Values) (answer, string) {
	m, problem := s.say(v.Get("channel"), v.Get("text"), v.Get("blocks"))
	if problem != "" {
		return nil, problem
	}
	return answer{"channel": m.channel, "ts": m.ts}, ""
}

func (s *Server) chatPostEphemeral(v url.Values) (answer, string) {
	user := v.Get("user")
	c, problem := s.writable(v.Get("channel"))
	switch {
	case problem != "":
		return nil, problem
	case s.people[user] == "" || len(c.people) > 0 && !slices.Contains(c.people, user):
		return nil, "user_not_in_channel"
	}
	m, problem := s.whisper(user, v.Get("channel"), v.Get("text"), v.Get("blocks"))
	if problem != "" {
		return nil, problem
	}
	return answer{"message_ts": m.ts}, ""
}

func (s *Server) chatUpdate(v url.Values) (answer, string) {
	_, m, problem := s.find(v)
	if problem == "" {
		problem = s.write(m, v.Get("text"), v.Get("blocks"))
	}
	return answer{"channel": v.Get("channel"), "ts": v.Get("ts"), "text": v.Get("text")}, problem
}

func (s *Server) chatDelete(v url.Values) (answer, string) {
	c, m, problem := s.find(v)
	if problem == "" {
		c.messages = slices.DeleteFunc(c.messages, func(other *message) bool { return other == m })
	}
	return answer{"channel": v.Get("channel"), "ts": v.Get("ts")}, problem
}

// find is a message that is still there.
func (s *Server) find(v url.Values) (*channel, *message, string) {
	c, problem := s.writable(v.Get("channel"))
	if problem != "" {
		return nil, nil, problem
	}
	i := slices.IndexFunc(c.messages, func(m *message) bool { return m.ts == v.Get("ts") })
	if i < 0 {
		return nil, nil, "message_not_found"
	}
	return c, c.messages[i], ""
}

func (s *Server) conversationsOpen(v url.Values) (answer, string) {
	user := v.Get("users")
	if s.people[user] == "" {
		return nil, "user_not_found"
	}
	if s.channels[Direct(user)] == nil {
		s.channels[Direct(user)] = &channel{open: true, people: []string{user}}
	}
	return answer{"channel": answer{"id": Direct(user)}}, ""
}

func (s *Server) conversationsInfo(v url.Values) (answer, string) {
	if !strings.Contains(Scopes, "channels:read") {
		return nil, "missing_scope"
	}
	id := v.Get("channel")
	c := s.channels[id]
	if c == nil {
		return nil, "channel_not_found"
	}
	return answer{"channel": answer{"id": id, "name": fmt.Sprintf("channel-%s", strings.ToLower(id)), "is_member": c.open}}, ""
}
