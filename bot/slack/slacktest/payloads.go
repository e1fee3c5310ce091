package slacktest

import (
	"fmt"
	"strings"
)

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// SlashCommand is what [Slash] delivers: a line that somebody types, with a trigger and a response URL of its own.
func (s *Server) SlashCommand(user, channel, line string) map[string]any {
	command, text, _ := strings.Cut(line, " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{
		"team_id": Team, "team_domain": "test", "channel_id": channel, "channel_name": "test", "user_id": user, "user_name": s.people[user],
		"command": command, "text": escape.Replace(strings.TrimSpace(text)), "api_app_id": "A1", "is_enterprise_install": "false",
		"trigger_id": s.number("trigger."), "response_url": s.newDoor(user, channel),
	}
}

// BlockActions is what [Interactive] delivers: a press on the button of a label, below a message.
func (s *Server) BlockActions(user, message, label string) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[message]
	if m == nil {
		return nil, fmt.Errorf("there never was a message %q", message)
	}
	button, ok := m.buttons[label]
	if !ok {
		return nil, fmt.Errorf("there never was a button %q below %s", label, m.raw)
	}
	payload := map[string]any{
		"type": "block_actions", "api_app_id": "A1", "trigger_id": s.number("trigger."), "response_url": s.newDoor(user, m.channel),
		"team":      map[string]any{"id": Team, "domain": "test"},
		"user":      map[string]any{"id": user, "username": s.people[user], "name": s.people[user], "team_id": Team},
		"channel":   map[string]any{"id": m.channel, "name": "test"},
		"container": map[string]any{"type": "message", "message_ts": m.ts, "channel_id": m.channel, "is_ephemeral": m.private},
		"actions": []any{map[string]any{
			"type": "button", "action_id": button.ActionID, "block_id": button.ID, "value": button.Value, "action_ts": m.ts,
			"text": map[string]any{"type": "plain_text", "text": label, "emoji": false},
		}},
	}
	if !m.private { // an ephemeral message is not kept, so Slack cannot tell what it said
		payload["message"] = map[string]any{"type": "message", "user": botUser, "ts": m.ts, "text": m.text, "blocks": m.raw}
	}
	return payload, nil
}
