package discord

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// examined answers questions about the bot with these bodies, by path, and 404 to all others.
func examined(t *testing.T, answers map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/api/v9/")
		w.Header().Set("Content-Type", "application/json")
		switch body := answers[path]; {
		case r.Header.Get("Authorization") != "Bot "+botToken:
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"message":"401: Unauthorized, not %s","code":0}`, r.Header.Get("Authorization"))
		case body == "":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, `{"message":"Unknown, %s","code":10004}`, r.Header.Get("Authorization"))
		default:
			fmt.Fprint(w, body)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/api"
}

func TestExamine(t *testing.T) {
	fine := map[string]string{
		"users/@me": `{"id":"7","username":"easel"}`, "oauth2/applications/@me": `{"id":"7","name":"Easel"}`, "guilds/1": `{"id":"1","name":"Home"}`,
		"channels/2": `{"id":"2","name":"mods","type":0,"guild_id":"1"}`, "channels/5": `{"id":"5","name":"far","type":0,"guild_id":"9"}`, "channels/6": `{"id":"6","type":1}`, "channels/3": `{"id":"3","name":"Talk","type":4}`,
	}
	tests := []struct {
		name, review string
		o            Options
		answers      map[string]string
		want         []string // what is wrong is marked
	}{
		{
			"fine", "2",
			Options{Token: botToken, AppID: "7", GuildID: "1"},
			fine,
			[]string{`discord: the token is that of "easel"`, `discord app: "Easel", 7`, `discord guild: the bot is in "Home"`, `discord cases: moderators are asked in "mods", about what comes up in its server (1)`},
		},
		{
			"nothing named", "",
			Options{Token: botToken},
			fine,
			[]string{`discord: the token is that of "easel"`, `discord app: "Easel", 7`, `discord cases: no moderators' channel is named`},
		},
		{"refused token", "2", Options{Token: "MTIz.another-token", GuildID: "1"}, fine, []string{"! discord: discord refuses the token; press Reset Token"}},
		{"no Discord", "2", Options{Token: botToken}, nil, []string{"! discord: discord answers 404 Not Found (its code 10004)"}},
		{
			"wrong application", "",
			Options{Token: botToken, AppID: "8"},
			fine,
			[]string{`discord: `, `! discord app: discord.app_id is 8, and the token belongs to "Easel", which is 7`, `discord cases: `},
		},
		{
			"not there", "9",
			Options{Token: botToken, GuildID: "9"},
			fine,
			[]string{
				`discord: `, `discord app: `, `! discord guild: the bot is not in server 9 (discord.guild_id); correct the ID, or invite it, as easel register does: https://discord.com/oauth2/authorize?client_id=7&`,
				`! discord cases: the bot does not see channel 9 (discord.review_channel)`,
			},
		},
		{"another server's", "5", Options{Token: botToken, GuildID: "1"}, fine, []string{`discord: `, `discord app: `, `discord guild: `, `! discord cases: "far" (discord.review_channel) is in server 9, and the commands are in 1`}},
		{"direct messages", "6", Options{Token: botToken}, fine, []string{`discord: `, `discord app: `, `! discord cases: channel 6 (discord.review_channel) is in no server`}},
		{"a category", "3", Options{Token: botToken}, fine, []string{`discord: `, `discord app: `, `! discord cases: "Talk" (discord.review_channel) is no channel for messages`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.APIURL = examined(t, tt.answers)
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
				if strings.Contains(line, "-token") || strings.Contains(line, "MTIz") {
					t.Errorf("%q tells the token", line)
				}
			}
		})
	}
}

func TestExamineWithoutANetwork(t *testing.T) {
	got := Examine(t.Context(), Options{Token: botToken, APIURL: "http://127.0.0.1:1/api"}, "")
	if len(got) != 1 || got[0].OK || !strings.Contains(got[0].Text, "discord cannot be reached") || strings.Contains(got[0].Text, botToken) {
		t.Errorf("got %+v", got)
	}
}
