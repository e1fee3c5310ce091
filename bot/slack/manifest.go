package slack

import (
	"fmt"
	"strings"

	"github.com/easelbot/easel/bot"
)

// Manifest is the app's manifest, to be pasted where Slack makes an app from one. With the server's public URL Slack calls
// it over HTTP; without (""), the app speaks over Socket Mode.
func Manifest(publicURL string) string {
	door := strings.TrimSuffix(publicURL, "/") + "/slack/events"
	var m strings.Builder
	m.WriteString("display_information:\n  name: Easel\n  description: Pictures on your own hardware\n" +
		"features:\n  bot_user:\n    display_name: easel\n    always_online: true\n  slash_commands:\n")
	for _, c := range bot.Commands() {
		fmt.Fprintf(&m, "    - command: /%s\n      description: %s\n", c.Name, c.Help)
		if c.Hint != "" {
			fmt.Fprintf(&m, "      usage_hint: %s\n", c.Hint)
		}
		m.WriteString("      should_escape: false\n")
		if publicURL != "" {
			fmt.Fprintf(&m, "      url: %s\n", door)
		}
	}
	m.WriteString("oauth_config:\n  scopes:\n    bot:\n")
	for _, scope := range scopes {
		fmt.Fprintf(&m, "      - %s\n", scope)
	}
	m.WriteString("settings:\n  interactivity:\n    is_enabled: true\n")
	if publicURL != "" {
		fmt.Fprintf(&m, "    request_url: %s\n", door)
	}
	fmt.Fprintf(&m, "  org_deploy_enabled: false\n  socket_mode_enabled: %t\n  token_rotation_enabled: false\n", publicURL == "")
	return m.String()
}
