package slack

import (
	"testing"

	"github.com/goccy/go-yaml"
)

func TestManifest(t *testing.T) {
	for url, door := range map[string]string{"": "", "https://easel.example/": "https://easel.example/slack/events"} {
		var m struct {
			Features struct {
				Commands []struct {
					Command, Description, URL string
					Hint                      string `yaml:"usage_hint"`
				} `yaml:"slash_commands"`
			}
			OAuth struct {
				Scopes struct{ Bot []string }
			} `yaml:"oauth_config"`
			Settings struct {
				Interactivity struct {
					Enabled bool   `yaml:"is_enabled"`
					URL     string `yaml:"request_url"`
				}
				Socket bool `yaml:"socket_mode_enabled"`
			}
		}
		if err := yaml.Unmarshal([]byte(Manifest(url)), &m); err != nil {
			t.Fatalf("%v\n%s", err, Manifest(url))
		}
		imagine := m.Features.Commands[0]
		if imagine.Command != "/imagine" || imagine.Description == "" || imagine.Hint == "" || imagine.URL != door {
			t.Errorf("%q: the command is %+v", url, imagine)
		}
		if s := m.Settings; !s.Interactivity.Enabled || s.Interactivity.URL != door || s.Socket != (url == "") || len(m.OAuth.Scopes.Bot) != 4 {
			t.Errorf("%q: %+v, scopes %v", url, s, m.OAuth.Scopes.Bot)
		}
	}
}
