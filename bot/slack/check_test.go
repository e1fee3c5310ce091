package slack

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Tokens of the examined bot.
const (
	examinedBot = "xoxb-1-hidden-token"
	examinedApp = "xapp-1-hidden-token"
)

// examined answers questions about the bot with these bodies, by method, and with the scopes that its token has.
func examined(t *testing.T, granted string, answers map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, want := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), examinedBot
		if token == "" {
			token = r.FormValue("token")
		}
		if r.URL.Path == "/api/apps.connections.open" {
			want = examinedApp
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-OAuth-Scopes", granted)
		if token != want {
			fmt.Fprint(w, `{"ok":false,"error":"invalid_auth"}`)
			return
		}
		key := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/api/")+" "+r.FormValue("channel"), " ")
		if answers[key] == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, answers[key])
	}))
	t.Cleanup(s.Close)
	return s.URL + "/api"
}

func TestExamine(t *testing.T) {
	const all = "commands,chat:write,files:write,im:write"
	fine := map[string]string{
		"auth.test":             `{"ok":true,"team":"Home","user":"easel"}`,
		"apps.connections.open": `{"ok":true,"url":"wss://wss.example.org/link?ticket=hidden-token"}`,
		"conversations.info C1": `{"ok":true,"channel":{"id":"C1","name":"mods","is_member":true}}`,
		"conversations.info C2": `{"ok":true,"channel":{"id":"C2","name":"others","is_member":false}}`,
		"conversations.info C3": `{"ok":true,"channel":{"id":"C3","name":"old","is_member":true,"is_archived":true}}`,
		"conversations.info C4": `{"ok":false,"error":"missing_scope","needed":"channels:read","provided":"commands"}`,
		"conversations.info C5": `{"ok":false,"error":"channel_not_found"}`,
	}
	const good, socket = `slack: the token is that of "easel" in "Home"`, "slack socket: Slack opens a socket for the app token"
	tests := []struct {
		name, review, granted string
		o                     Options
		answers               map[string]string
		want                  []string // what is wrong is marked
	}{
		{
			"fine", "C1", all + ",channels:read",
			Options{BotToken: examinedBot, AppToken: examinedApp},
			fine,
			[]string{good, "slack scopes: commands, chat:write, files:write, im:write", socket, `slack cases: moderators are asked in "mods"`},
		},
		{
			"over HTTP", "", all,
			Options{BotToken: examinedBot, SigningSecret: "hidden-token"},
			fine,
			[]string{good, "slack scopes: ", "slack socket: no app token", "slack cases: no moderators' channel is named"},
		},
		{"no way in", "", all, Options{BotToken: examinedBot}, fine, []string{"! slack: slack: there is neither an app token"}},
		{"refused token", "", all, Options{BotToken: "xoxb-2-hidden-token", AppToken: examinedApp}, fine, []string{"! slack: slack refuses the bot token (invalid_auth); copy it anew"}},
		{
			"refused app token", "", all,
			Options{BotToken: examinedBot, AppToken: "xapp-2-hidden-token"},
			fine,
			[]string{good, "slack scopes: ", "! slack socket: slack refuses the app token (invalid_auth); make one with the scope connections:write", "slack cases: "},
		},
		{
			"missing scopes", "", "commands, im:write",
			Options{BotToken: examinedBot, AppToken: examinedApp},
			fine,
			[]string{good, "! slack scopes: the bot token lacks chat:write, files:write; add", socket, "slack cases: "},
		},
		{
			"not invited", "C2", all,
			Options{BotToken: examinedBot, AppToken: examinedApp},
			fine,
			[]string{good, "slack scopes: ", socket, `! slack cases: the bot is not in "others" (slack.review_channel); invite it`},
		},
		{
			"archived", "C3", all,
			Options{BotToken: examinedBot, AppToken: examinedApp},
			fine,
			[]string{good, "slack scopes: ", socket, `! slack cases: "old" (slack.review_channel) is archived`},
		},
		{
			"not to be looked at", "C4", all,
			Options{BotToken: examinedBot, AppToken: examinedApp},
			fine,
			[]string{good, "slack scopes: ", socket, "slack cases: channel C4 cannot be looked at without the scope channels:read"},
		},
		{
			"unknown", "C5", all,
			Options{BotToken: examinedBot, AppToken: examinedApp},
			fine,
			[]string{good, "slack scopes: ", socket, "! slack cases: the bot does not see channel C5 (slack.review_channel; channel_not_found)"},
		},
		{"no Slack", "", all, Options{BotToken: examinedBot, AppToken: examinedApp}, nil, []string{"! slack: slack cannot be asked: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.APIURL = examined(t, tt.granted, tt.answers)
			got := Examine(t.Context(), tt.o, tt.review)
			if len(got) != len(tt.want) {
				t.Fatalf("got %+v, want %q", got, tt.want)
			}
			for i, f := range got {
				line := f.Name + ": " + f.Text
				if !f.OK {
					line = "! " + line
				}
				if !strings.HasPrefix(line, tt.want[i]) {
					t.Errorf("got %q, want %q", line, tt.want[i])
				}
				if strings.Contains(line, "hidden-token") {
					t.Errorf("%q tells a secret", line)
				}
			}
		})
	}
}

// TestExamineWantsTheManifest: what is wanted of the token is what the manifest asks for.
func TestExamineWantsTheManifest(t *testing.T) {
	_, list, _ := strings.Cut(Manifest(""), "    bot:\n")
	list, _, _ = strings.Cut(list, "settings:")
	if want := "      - " + strings.Join(scopes, "\n      - ") + "\n"; list != want {
		t.Errorf("the manifest asks for\n%s, want\n%s", list, want)
	}
}
