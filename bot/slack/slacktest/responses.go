package slacktest

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"
)

// A response URL takes so many posts, for so long.
const (
	doorPosts = 5
	doorLife  = 30 * time.Minute
)

// A door is a response URL.
type door struct {
	user, channel string
	until         time.Time
	left          int
}

// ResponseURL returns a new response URL to somebody in a channel, as a command has one.
func (s *Server) ResponseURL(user, channel string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newDoor(user, channel)
}

func (s *Server) newDoor(user, channel string) string {
	secret := rand.Text()
	s.doors[secret] = &door{user: user, channel: channel, until: time.Now().Add(doorLife), left: doorPosts}
	return s.http.URL + "/response/" + secret
}

// respond takes a post to a response URL.
func (s *Server) respond(w http.ResponseWriter, r *http.Request) {
	var said reply
	if err := read(r.Body, &said); err != nil {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	problem := s.through(s.doors[r.PathValue("secret")], said)
	s.calls = append(s.calls, call{Responses, url.Values{"text": {said.Text}, "response_type": {said.Type}, "blocks": {string(said.Blocks)}}})
	s.change()
	if problem != "" {
		http.Error(w, problem, http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, "ok")
}

func (s *Server) through(d *door, said reply) (problem string) {
	switch {
	case d == nil:
		return "invalid_url"
	case d.left == 0:
		return "used_url"
	case !time.Now().Before(d.until):
		return "expired_url"
	}
	d.left--
	if said.Replace || said.Delete {
		s.tb.Errorf("this server lets no response URL replace or delete a message")
		return "unsupported"
	}
	return s.tell(d.user, d.channel, said)
}

// A reply is what the bot says through a response URL or as an acknowledgement.
type reply struct {
	Type    string          `json:"response_type"`
	Text    string          `json:"text"`
	Blocks  json.RawMessage `json:"blocks"`
	Replace bool            `json:"replace_original"`
	Delete  bool            `json:"delete_original"`
}

// tell shows a reply to who it is for. It must say who that is: Slack would guess, and not always the same.
func (s *Server) tell(user, channel string, said reply) (problem string) {
	switch said.Type {
	case "ephemeral":
		_, problem = s.whisper(user, channel, said.Text, string(said.Blocks))
	case "in_channel":
		var m *message
		if m, problem = s.post(channel, said.Text, string(said.Blocks), false); problem == "" && s.channels[channel] != nil {
			s.channels[channel].messages = append(s.channels[channel].messages, m)
		}
	default:
		s.tb.Errorf("a reply has the response type %q: %s", said.Type, said.Text)
		return "invalid_response_type"
	}
	return problem
}
