package main

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/easelbot/easel/bot/slack/slacktest"
)

// A slackStage is a Slack workspace, over sockets or over HTTP.
type slackStage struct {
	server     *slacktest.Server
	socketMode bool
}

var _ stage = (*slackStage)(nil)

// The channels of the workspace.
const (
	slackChannel = "CGENERAL"
	slackReview  = "CREVIEW"
)

func newSlackStage(t *testing.T, socketMode bool) *slackStage {
	t.Helper()
	s := &slackStage{server: slacktest.New(t), socketMode: socketMode}
	s.server.Channel(slackChannel)
	s.server.Channel(slackReview, s.server.Person(moderator))
	return s
}

func (s *slackStage) env() []string {
	env := []string{
		"EASEL_SLACK_API_URL=" + s.server.URL(), "EASEL_SLACK_BOT_TOKEN=" + slacktest.BotToken, "EASEL_SLACK_REVIEW_CHANNEL=" + slackReview,
	}
	if s.socketMode {
		return append(env, "EASEL_SLACK_APP_TOKEN="+slacktest.AppToken)
	}
	return append(env, "EASEL_SLACK_SIGNING_SECRET="+slacktest.SigningSecret)
}

func (s *slackStage) await(t *testing.T, served *served) {
	t.Helper()
	if s.socketMode {
		s.server.Connected(t)
		return
	}
	s.server.RequestURL(served.url + "slack/events")
}

func (s *slackStage) imagine(t *testing.T, who, prompt string, options map[string]string) time.Duration {
	t.Helper()
	line := "/imagine " + prompt
	for _, name := range slices.Sorted(maps.Keys(options)) {
		line += fmt.Sprintf(" --%s %q", name, options[name])
	}
	ack, err := s.server.Command(s.server.Person(who), slackChannel, line)
	if err != nil {
		t.Errorf("%s: %s: %v", who, line, err)
	}
	return ack.After
}

func (s *slackStage) press(t *testing.T, who string, p post, label string) {
	t.Helper()
	if _, err := s.server.Press(s.server.Person(who), p.id, label); err != nil {
		t.Errorf("%s presses %q: %v", who, label, err)
	}
}

func (s *slackStage) posts(t *testing.T) []post {
	t.Helper()
	return slackPosts(s.server.Messages(slackChannel))
}

func (s *slackStage) cases(t *testing.T) []post {
	t.Helper()
	return slackPosts(s.server.Messages(slackReview))
}

func (s *slackStage) private(t *testing.T, who string) []post {
	t.Helper()
	id := s.server.Person(who)
	return slackPosts(append(s.server.Ephemeral(id), s.server.Messages(slacktest.Direct(id))...))
}

func slackPosts(messages []slacktest.Message) (list []post) {
	for _, m := range messages {
		p := post{id: m.ID, text: m.Text}
		for _, picture := range m.Pictures {
			p.pictures = append(p.pictures, picture.Bytes)
		}
		for _, b := range m.Buttons {
			p.buttons = append(p.buttons, b.Label)
		}
		list = append(list, p)
	}
	return list
}

func TestSlackStage(t *testing.T) {
	for name, socketMode := range map[string]bool{"sockets": true, "HTTP": false} {
		t.Run(name, func(t *testing.T) { tryStage(t, newSlackStage(t, socketMode)) })
	}
}
