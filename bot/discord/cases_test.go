package discord

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/bot"
)

const aCase = "01JABCDEFGHJKMNPQRSTVWXYZ7"

// moderated is a server whose channel 50 the moderators of guild 10 have, and an adapter that knows it.
func moderated(t *testing.T, channel string) (*server, *Adapter) {
	t.Helper()
	s := newServer(t)
	s.guilds = map[string]string{"50": "10", "51": ""}
	a, _ := open(t, s)
	a.options.ReviewChannel = channel
	return s, a
}

func waiting() bot.CaseMessage {
	return bot.CaseMessage{
		Case: aCase, Title: "2 of 4 pictures", Author: bot.Person{ID: "30", Name: "Ada"}, Channel: "20", Prompt: "a **fox** @everyone\n# <@1> https://x.org",
		Negative: "||fog||", Reasons: []string{`custom: custom/review, "@here", 1.00`}, Status: "Waiting for a moderator",
		Buttons: []bot.Button{{Action: "reveal", Label: "Show pictures"}, {Action: "approve", Label: "Approve"}, {Action: "reject", Label: "Reject"}},
	}
}

func decided() bot.CaseMessage {
	m := waiting()
	m.Title, m.Status, m.Decided, m.Buttons = "Pictures", "Approved by *Mo*", true, nil
	return m
}

func drawn(action, label string, style float64) any {
	return map[string]any{"type": 2.0, "style": style, "label": label, "custom_id": "e1:" + action + ":" + aCase + ":0"}
}

func TestACaseIsPostedOnceAndShown(t *testing.T) {
	s, a := moderated(t, "50")
	for range 2 { // as after a crash
		if id, err := a.PostCase(t.Context(), here, "", waiting()); err != nil || id != "50:5001" {
			t.Fatalf("posted %q, %v", id, err)
		}
	}
	s.next("GET /channels/50")
	first, again := s.next("POST /channels/50/messages"), s.next("POST /channels/50/messages")
	if !reflect.DeepEqual(first, again) {
		t.Errorf("posted %v\nand again %v", first, again)
	}
	want := map[string]any{
		"content": "**2 of 4 pictures for review** by <@30> in <#20>\n" +
			`**Prompt** a \*\*fox\*\* \@everyone \# \<\@1\> https\:\/\/x.org` + "\n" + `**Without** \|\|fog\|\|` + "\n" +
			`- custom\: custom\/review, "\@here", 1.00` + "\n-# Waiting for a moderator",
		"attachments": []any{}, "allowed_mentions": map[string]any{"parse": []any{}}, "flags": 4.0, "nonce": aCase[1:], "enforce_nonce": true,
		"components": []any{map[string]any{"type": 1.0, "components": []any{
			drawn("reveal", "Show pictures", 2), drawn("approve", "Approve", 3), drawn("reject", "Reject", 4),
		}}},
	}
	if !reflect.DeepEqual(first.body, want) {
		t.Errorf("posted %v\nwant %v", first.body, want)
	}
	if err := a.ShowCase(t.Context(), here, "50:5001", decided()); err != nil {
		t.Fatal(err)
	}
	c := s.next("PATCH /channels/50/messages/5001")
	if content, _ := c.body["content"].(string); !strings.HasPrefix(content, "**Pictures** by <@30>") || !strings.HasSuffix(content, `-# Approved by \*Mo\*`) ||
		!reflect.DeepEqual(c.body["components"], []any{}) {
		t.Errorf("shown as %v", c.body)
	}
	s.failing("PATCH /channels/50/messages/5001", 404, 500)
	if err := a.ShowCase(t.Context(), here, "50:5001", decided()); err != nil {
		t.Errorf("a message that is gone: %v", err)
	}
	if a.ShowCase(t.Context(), here, "50:5001", decided()) == nil {
		t.Error("a failure of Discord's is not told")
	}
}

// TestCasesStayInTheirServer: those of others are posted nowhere, and not asked about where that is plain.
func TestCasesStayInTheirServer(t *testing.T) {
	for _, tt := range []struct{ channel, tenant, asks string }{{"", "10", ""}, {"50", "dm:30", ""}, {"50", "11", "GET /channels/50"}} {
		s, a := moderated(t, tt.channel)
		place := here
		place.Tenant = tt.tenant
		if id, err := a.PostCase(t.Context(), place, "", waiting()); err != nil || id != "" {
			t.Errorf("%+v: posted %q, %v", tt, id, err)
		}
		if tt.asks != "" {
			s.next(tt.asks)
		}
		s.quiet()
	}
}

func TestAReviewChannelThatCannotBeUsed(t *testing.T) {
	for _, tt := range []struct {
		channel string
		status  int
		says    string
	}{
		{"52", 0, "correct the ID, or give the bot's role View Channel"},
		{"51", 0, "name a text channel of your server"},
		{"50", http.StatusForbidden, "Send Messages and Attach Files there"},
	} {
		s, a := moderated(t, tt.channel)
		if tt.status != 0 {
			s.failing("POST /channels/50/messages", tt.status)
		}
		id, err := a.PostCase(t.Context(), here, "", waiting())
		if id != "" || err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "channel "+tt.channel+" (discord.review_channel)") {
			t.Errorf("%s: %q, %v", tt.channel, id, err)
		}
	}
}

// TestNothingToDecideIsCutOff: what a message does not hold comes in a file, as it was typed.
func TestNothingToDecideIsCutOff(t *testing.T) {
	long := strings.Repeat("*🦊", 1000)
	m := waiting()
	m.Author, m.Title, m.Status = bot.Person{Name: long}, long, long
	for _, change := range []func(){
		func() { m.Reasons = []string{"1", "2", "3", "4 is hidden"} },
		func() { m.Reasons = []string{long} },
		func() { m.Prompt = long + "\n@everyone at its end" },
		func() { m.Negative = long + "at its end" },
	} {
		change()
		body, files := drawCase(m)
		if n := units(body.Content); n > maxContent || len(files) != 1 || len(body.Attachments) != 1 {
			t.Errorf("%d characters and %d files, %v", n, len(files), body.Attachments)
		}
	}
	s, a := moderated(t, "50")
	if _, err := a.PostCase(t.Context(), here, "", m); err != nil {
		t.Fatal(err)
	}
	s.next("GET /channels/50")
	whole := string(s.next("POST /channels/50/messages").files["files[0]"])
	for _, part := range append(m.Reasons, m.Prompt, m.Negative) {
		if !strings.Contains(whole, part) {
			t.Errorf("the file lacks %q", part)
		}
	}
}

// pressed is a press of a case's button in a channel of a guild (empty: a direct message).
func pressed(action, channel, guild string) string {
	who := `"guild_id":"` + guild + `","member":{"nick":"Mo","user":{"id":"31","username":"mo"}}`
	if guild == "" {
		who = `"user":{"id":"31","username":"mo"}`
	}
	return fmt.Sprintf(`{"id":"40","type":3,"application_id":"77","channel_id":"%s",%s,"token":"itoken","message":{"id":"5001"},
		"data":{"custom_id":"e1:%s:%s:0","component_type":2}}`, channel, who, action, aCase)
}

// begin runs an adapter that was opened. The end of the test ends it.
func begin(t *testing.T, s *server, a *Adapter, c Conversation) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, c) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	for _, want := range []string{"GET /applications", "PUT /applications", "GET /gateway"} {
		s.next(want)
	}
	await(t, s.identified)
}

func TestModeratorsAreWhoPressInTheReviewChannel(t *testing.T) {
	s, a := moderated(t, "50")
	got := make(chan bot.Action, 1)
	begin(t, s, a, &talk{press: func(a bot.Action) (bot.Reply, error) {
		got <- a
		if !a.Moderator {
			return bot.Reply{}, &bot.Error{Text: "Only moderators can do that."}
		}
		return bot.Reply{}, nil
	}})
	asked := false
	for _, tt := range []struct {
		channel, guild string
		want           bool
	}{{"20", "10", false}, {"50", "10", true}, {"50", "11", false}, {"50", "", false}, {"20", "", false}} {
		s.push(pressed("approve", tt.channel, tt.guild))
		if action := await(t, got); action.Moderator != tt.want || action.Name != "approve" || action.Job != aCase || action.Person.ID != "31" {
			t.Errorf("in channel %s of %q they pressed %+v", tt.channel, tt.guild, action)
		}
		if tt.channel == "50" && !asked {
			asked = true
			s.next("GET /channels/50")
		}
		if c := s.next("POST /interactions/40/itoken/callback"); (c.body["type"] == 6.0) != tt.want {
			t.Errorf("in channel %s of %q they were answered %v", tt.channel, tt.guild, c.body)
		}
	}
}

func TestWithoutTheReviewChannelNobodyModerates(t *testing.T) {
	s, a := moderated(t, "52")
	begin(t, s, a, &talk{press: func(a bot.Action) (bot.Reply, error) {
		t.Errorf("pressed %+v", a)
		return bot.Reply{}, nil
	}})
	s.push(pressed("approve", "52", "10"))
	s.next("GET /channels/52")
	if c := s.next("POST /interactions/40/itoken/callback"); c.body["type"] != 4.0 {
		t.Errorf("answered %v", c.body)
	}
}

func TestHeldPicturesAreForWhoAsks(t *testing.T) {
	s, a := moderated(t, "50")
	a.patience = time.Hour
	held := make(chan []bot.Picture, 1)
	begin(t, s, a, &talk{press: func(bot.Action) (bot.Reply, error) { return bot.Reply{Sealed: <-held}, nil }})
	reveal := func(list ...bot.Picture) {
		held <- list
		s.push(pressed("reveal", "50", "10"))
	}
	two := []bot.Picture{{Job: job, Index: 1, Alt: "Held picture 2 of 4"}, {Job: job, Index: 2, Alt: "gone"}, {Job: job, Index: 3, Alt: "Held picture 4 of 4"}}
	reveal(two...)
	s.next("GET /channels/50")
	c := s.next("POST /interactions/40/itoken/callback")
	if data, _ := c.body["data"].(map[string]any); c.body["type"] != 5.0 || data["flags"] != 64.0 || len(c.files) > 0 {
		t.Errorf("deferred by %v", c.body)
	}
	c = s.next("PATCH /webhooks/77/itoken/messages/@original")
	want := []any{
		map[string]any{"id": 0.0, "filename": "easel-" + job + "-2.png", "description": "Held picture 2 of 4"},
		map[string]any{"id": 1.0, "filename": "easel-" + job + "-4.png", "description": "Held picture 4 of 4"},
	}
	if !reflect.DeepEqual(c.body["attachments"], want) || string(c.files["files[0]"]) != "held 1" || string(c.files["files[1]"]) != "held 3" || len(c.files) != 2 {
		t.Errorf("shown %v and %q", c.body, c.files)
	}
	reveal(bot.Picture{Job: "01OTHER", Index: 1}) // decided since
	if c := s.next("POST /interactions/40/itoken/callback"); c.body["type"] != 4.0 || !strings.Contains(fmt.Sprint(c.body["data"]), "no longer held") {
		t.Errorf("answered %v", c.body)
	}
	s.failing("PATCH /webhooks/77/itoken/messages/@original", http.StatusRequestEntityTooLarge)
	reveal(two...)
	s.next("POST /interactions/40/itoken/callback")
	s.next("PATCH /webhooks/77/itoken/messages/@original")
	if c := s.next("PATCH /webhooks/77/itoken/messages/@original"); len(c.files) > 0 || !strings.Contains(fmt.Sprint(c.body["content"]), "Try again") {
		t.Errorf("after a failure: %v", c.body)
	}
	s.quiet() // and nothing in a channel
}
