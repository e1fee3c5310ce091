package slack

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	api "github.com/slack-go/slack"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/bot/slack/slacktest"
	"github.com/easelbot/easel/gallery"
)

// reviewChannel is where moderators are.
const reviewChannel = "CMODS"

// Sealed has nothing, for [vault] is for held pictures.
func (shelf) Sealed(context.Context, string, string) (map[int][]byte, error) { return nil, nil }

// A vault holds pictures of the job 01JOB of the workspace T1.
type vault map[int][]byte

func (vault) File(context.Context, gallery.Scope, string, int) ([]byte, error) {
	return nil, gallery.ErrNotFound
}

func (v vault) Sealed(_ context.Context, tenant, job string) (map[int][]byte, error) {
	if tenant != slacktest.Team || job != "01JOB" {
		return nil, nil
	}
	return v, nil
}

var held = vault{1: []byte("\x89PNG\r\n\x1a\nsecond"), 3: []byte("\x89PNG\r\n\x1a\nfourth")}

// bench opens an adapter for a workspace with moderators.
func bench(t *testing.T, pictures Pictures) (*Adapter, *slacktest.Server) {
	t.Helper()
	s := slacktest.New(t)
	s.Channel("C1")
	s.Channel(reviewChannel)
	for _, name := range []string{"ada", "mo", "max"} {
		s.Person(name)
	}
	a, err := Open(Options{
		BotToken: slacktest.BotToken, AppToken: slacktest.AppToken, APIURL: s.URL(), Pictures: pictures, ReviewChannel: reviewChannel,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.http.CloseIdleConnections)
	return a, s
}

// another opens an adapter after a start, with another review channel maybe.
func another(t *testing.T, s *slacktest.Server, channel string) *Adapter {
	t.Helper()
	a, err := Open(Options{BotToken: slacktest.BotToken, AppToken: slacktest.AppToken, APIURL: s.URL(), Pictures: held, ReviewChannel: channel})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.http.CloseIdleConnections)
	return a
}

// presses makes an adapter hear buttons, which this answers.
type presses func(context.Context, bot.Action) (bot.Reply, error)

func (presses) Do(context.Context, bot.Command) (bot.Reply, error) { return bot.Reply{}, nil }
func (p presses) Press(ctx context.Context, a bot.Action) (bot.Reply, error) {
	return p(ctx, a)
}

// listening runs an adapter until the test ends.
func listening(t *testing.T, a *Adapter, s *slacktest.Server, p presses) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, p) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	s.Connected(t)
}

var place1 = bot.Place{Platform: "slack", Tenant: slacktest.Team, Channel: "C1", Visibility: gallery.InChannel}

// waiting is a case of two held pictures.
func waiting() bot.CaseMessage {
	return bot.CaseMessage{
		Case: "01CASE", Title: "2 of 4 pictures", Author: bot.Person{ID: "UADA", Name: "<!here> *ada*"}, Channel: "C1",
		Prompt: "<!channel> *fox* <@UADA> & <https://example.org|x>\n:fire: `ls`", Negative: "<!everyone>",
		Reasons: []string{`custom: custom/review, "<!here>", 1.00`, ""}, Status: "Waiting for a moderator",
		Buttons: []bot.Button{
			{Action: "reveal", Label: "Show pictures", Help: "Show what is held, to you alone"},
			{Action: "approve", Label: "Approve", Help: "Let it through"},
			{Action: "reject", Label: "Reject", Help: "Turn it down"},
		},
	}
}

func decided() bot.CaseMessage {
	m := waiting()
	m.Decided, m.Buttons, m.Status = true, nil, "Approved by Mo"
	return m
}

// posted posts a case.
func posted(t *testing.T, a *Adapter) (id string) {
	t.Helper()
	id, err := a.PostCase(t.Context(), place1, "", waiting())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestACaseIsPostedOnceAndInItsOwnWorkspace(t *testing.T) {
	a, s := bench(t, held)
	other := place1
	other.Tenant = "T2"
	if id, err := a.PostCase(t.Context(), other, "", waiting()); id != "" || err != nil {
		t.Errorf("another workspace's case is %q, %v, want none", id, err)
	}
	if id, again := posted(t, a), posted(t, a); id != again || !strings.HasPrefix(id, reviewChannel+":") || len(s.Messages(reviewChannel)) != 1 {
		t.Errorf("posted as %q and %q, %d messages, want one", id, again, len(s.Messages(reviewChannel)))
	}
	if n := len(s.Calls("auth.test")); n != 1 {
		t.Errorf("the bot's workspace was asked for %d times, want once", n)
	}
	a.options.ReviewChannel = ""
	m := waiting()
	m.Case = "02CASE"
	if id, err := a.PostCase(t.Context(), place1, "", m); id != "" || err != nil || len(s.Messages(reviewChannel)) != 1 {
		t.Errorf("without a review channel: %q, %v", id, err)
	}
}

func TestACaseShowsAllAndCallsNobody(t *testing.T) {
	a, s := bench(t, held)
	id := posted(t, a)
	m := s.Messages(reviewChannel)[0]
	for _, want := range []string{
		"Held for a moderator: 2 of 4 pictures", waiting().Prompt, waiting().Negative, "asked for by <!here> *ada*", waiting().Reasons[0], "Waiting for a moderator · case 01CASE",
	} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("%q does not hold %q", m.Text, want)
		}
	}
	if strings.ContainsAny(m.Fallback, "<>") || !strings.Contains(m.Fallback, "&lt;!channel&gt; *fox*") {
		t.Errorf("its text is %q, want it escaped", m.Fallback)
	}
	for _, never := range []string{`"user"`, `"broadcast"`, `"link"`, `"emoji":true`} {
		if bytes.Contains(m.Blocks, []byte(never)) {
			t.Errorf("its blocks hold %s: %s", never, m.Blocks)
		}
	}
	call := s.Calls("chat.postMessage")[0]
	if call.Get("parse") != "none" || call.Get("link_names") != "false" ||
		bytes.Count(m.Blocks, []byte("mrkdwn")) != 1 || !bytes.Contains(m.Blocks, []byte(`"text":"in \u003c#C1\u003e","type":"mrkdwn"`)) {
		t.Errorf("it was posted as %v", call)
	}
	if got, want := fmt.Sprint(m.Buttons), "[{Show pictures Show what is held, to you alone e1:reveal:0 01CASE} {Approve Let it through e1:approve:0 01CASE} {Reject Turn it down e1:reject:0 01CASE}]"; got != want {
		t.Errorf("its buttons are %s, want %s", got, want)
	}
	if !bytes.Contains(m.Blocks, []byte(`"style":"primary"`)) || !bytes.Contains(m.Blocks, []byte(`"style":"danger"`)) {
		t.Errorf("its buttons have no styles: %s", m.Blocks)
	}
	for range 2 { // repeated
		if err := a.ShowCase(t.Context(), place1, id, decided()); err != nil {
			t.Fatal(err)
		}
	}
	m = s.Messages(reviewChannel)[0]
	if len(m.Buttons) > 0 || !strings.Contains(m.Text, "Approved by Mo") || strings.Contains(m.Text, "Held for") {
		t.Errorf("decided it shows %q and %v", m.Text, m.Buttons)
	}
}

func TestAModeratorReadsAllOfALongPrompt(t *testing.T) {
	m := bot.CaseMessage{
		Case: "01CASE", Title: "A prompt", Channel: "D1", Prompt: strings.Repeat("𝔣", 1999) + "!", Negative: strings.Repeat("𝔫", 2000),
		Reasons: slices.Repeat([]string{strings.Repeat("r", 5000)}, 100), Status: "Waiting",
	}
	a, s := bench(t, held)
	if _, err := a.PostCase(t.Context(), place1, "", m); err != nil {
		t.Fatal(err)
	}
	text := s.Messages(reviewChannel)[0].Text
	if !strings.Contains(text, m.Prompt) || !strings.Contains(text, m.Negative) || !strings.Contains(text, "in direct messages") {
		t.Error("the prompt is cut, or where it was asked is not told")
	}
	for _, part := range parts(m.Prompt, maxText) {
		if cut(part, maxText) != part {
			t.Errorf("a part of %d bytes is too long", len(part))
		}
	}
	if n := strings.Count(text, "r…"); n != maxReasons {
		t.Errorf("%d reasons are told, want %d", n, maxReasons)
	}
	if err := a.ShowCase(t.Context(), place1, reviewChannel+":1.2", bot.CaseMessage{Case: "0", Title: "A prompt", Decided: true}); err != nil {
		t.Errorf("a case whose message is gone: %v", err)
	}
}

func TestReviewChannelErrorsSayWhatToDo(t *testing.T) {
	for problem, want := range map[string]string{
		"not_in_channel": "/invite @easel", "channel_not_found": "slack.review_channel", "is_archived": "unarchive", "missing_scope": "chat:write", "internal_error": "internal_error",
	} {
		a, s := bench(t, held)
		s.Fail("chat.postMessage", problem)
		s.Fail("chat.update", problem)
		if id, err := a.PostCase(t.Context(), place1, "", waiting()); id != "" || code(err) != problem || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: posted as %q, %v, want an error with %q", problem, id, err, want)
		}
		id := posted(t, a) // tried again
		if err := a.ShowCase(t.Context(), place1, id, decided()); code(err) != problem || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: shown with %v, want %q", problem, err, want)
		}
	}
	if _, err := Open(Options{BotToken: "xoxb-1", AppToken: "xapp-1", Pictures: held, ReviewChannel: "#mods"}); err == nil || !strings.Contains(err.Error(), "no channel's ID") {
		t.Errorf("a review channel's name: %v", err)
	}
}

func TestOnlyAPressInTheReviewChannelIsAModerators(t *testing.T) {
	tests := map[string]struct {
		change    func(payload map[string]any)
		moderator bool
	}{
		"there":                      {func(map[string]any) {}, true},
		"another channel":            {func(p map[string]any) { p["channel"] = map[string]any{"id": "C1"} }, false},
		"another workspace":          {func(p map[string]any) { p["team"] = map[string]any{"id": "T2"} }, false},
		"a job of another channel":   {func(p map[string]any) { button(p)["value"] = "01CASE@C1" }, false},
		"a job of it, not there":     {func(p map[string]any) { p["channel"] = map[string]any{"id": "C1"}; button(p)["value"] = "01CASE@CMODS" }, false},
		"no channel but a container": {func(p map[string]any) { delete(p, "channel") }, true},
	}
	a, s := bench(t, held)
	came := make(chan bot.Action, 1)
	listening(t, a, s, func(_ context.Context, act bot.Action) (bot.Reply, error) {
		came <- act
		return bot.Reply{}, &bot.Error{Code: "gone", Text: "That is not here."}
	})
	id := posted(t, a)
	for name, test := range tests {
		payload, err := s.BlockActions("UMO", id, "Approve")
		if err != nil {
			t.Fatal(err)
		}
		test.change(payload)
		if _, err := s.Deliver(slacktest.Interactive, payload); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		act := next(t, came)
		if act.Moderator != test.moderator || act.Name != "approve" || act.Job != "01CASE" || act.Person.ID != "UMO" || test.moderator && act.Place.Channel != reviewChannel {
			t.Errorf("%s: the press came as %+v", name, act)
		}
	}
	s.Await(t, slacktest.Responses, len(tests))
	if said := s.Ephemeral("UMO"); len(said) != len(tests) || said[0].Text != "That is not here." {
		t.Errorf("who pressed was told %v", said)
	}
	none, _ := bench(t, held)
	none.options.ReviewChannel = ""
	if is, err := none.moderates(t.Context(), bot.Place{Tenant: slacktest.Team}, api.InteractionCallback{}); is || err != nil {
		t.Errorf("without a review channel somebody is a moderator (%v)", err)
	}
}

func button(payload map[string]any) map[string]any {
	return payload["actions"].([]any)[0].(map[string]any)
}

// revealing answers a press of "Show pictures".
func revealing(context.Context, bot.Action) (bot.Reply, error) {
	return bot.Reply{Sealed: []bot.Picture{{Job: "01JOB", Index: 1, Alt: "Held picture 2 of 4"}, {Job: "01JOB", Index: 3, Alt: "Held picture 4 of 4"}}}, nil
}

// reveal presses "Show pictures" and returns what the moderator is told.
func reveal(t *testing.T, s *slacktest.Server, moderator, id string) string {
	t.Helper()
	n := len(s.Ephemeral(moderator))
	said := len(s.Calls(slacktest.Responses))
	if _, err := s.Press(moderator, id, "Show pictures"); err != nil {
		t.Fatal(err)
	}
	s.Await(t, slacktest.Responses, said+1)
	told := s.Ephemeral(moderator)
	if len(told) != n+1 || len(told[n].Pictures) > 0 {
		t.Fatalf("the moderator was told %v, want one sentence more", told)
	}
	return told[n].Text
}

func TestHeldPicturesReachWhoAskedAlone(t *testing.T) {
	a, s := bench(t, held)
	s.Processing(2)
	listening(t, a, s, revealing)
	id := posted(t, a)
	for range 2 { // the second time nothing more is sent
		if told := reveal(t, s, "UMO", id); told != toldRevealed {
			t.Errorf("the moderator was told %q", told)
		}
	}
	direct := s.Messages(slacktest.Direct("UMO"))
	if len(direct) != 1 || s.Files() != 2 {
		t.Fatalf("%d direct messages and %d files, want 1 and 2", len(direct), s.Files())
	}
	if got, want := fmt.Sprintf("%q", direct[0].Pictures), fmt.Sprintf("%q", []slacktest.Picture{{Bytes: held[1], Alt: "Held picture 2 of 4"}, {Bytes: held[3], Alt: "Held picture 4 of 4"}}); got != want {
		t.Errorf("the moderator sees %s, want %s", got, want)
	}
	if text := direct[0].Text; !strings.HasPrefix(text, "Held for a moderator: 2 of 4 pictures: <!channel> *fox*") || !strings.Contains(text, "01CASE") {
		t.Errorf("the pictures come with %q", text)
	}
	for _, channel := range []string{"C1", reviewChannel, slacktest.Direct("UADA"), slacktest.Direct("UMAX")} {
		for _, m := range s.Messages(channel) {
			if len(m.Pictures) > 0 {
				t.Errorf("%s shows held pictures", channel)
			}
		}
	}
	reveal(t, s, "UMAX", id)
	if n := len(s.Messages(slacktest.Direct("UMAX"))); n != 1 || s.Files() != 4 {
		t.Errorf("another moderator has %d messages, of %d files in all", n, s.Files())
	}
	if err := a.ShowCase(t.Context(), place1, id, decided()); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Messages(slacktest.Direct("UMO"))) + len(s.Messages(slacktest.Direct("UMAX"))); n != 0 || s.Files() != 0 {
		t.Errorf("when it is decided %d direct messages and %d files stay", n, s.Files())
	}
}

func TestARevealThatFails(t *testing.T) {
	tests := map[string]struct {
		pictures vault
		method   string
		problem  string
		want     string
	}{
		"decided meanwhile":  {vault{}, "", "", toldUnheld},
		"no direct messages": {held, "conversations.open", "missing_scope", toldNoDirect},
		"no messages tab":    {held, "chat.postMessage", "messages_tab_disabled", toldNoDirect},
		"slack is broken":    {held, "files.completeUploadExternal", "internal_error", "Something went wrong"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, s := bench(t, test.pictures)
			listening(t, a, s, revealing)
			id := posted(t, a)
			if test.method != "" {
				s.Fail(test.method, test.problem)
			}
			if told := reveal(t, s, "UMO", id); !strings.HasPrefix(told, test.want) {
				t.Errorf("the moderator was told %q, want %q", told, test.want)
			}
			if test.method != "" {
				told := reveal(t, s, "UMO", id)
				if seen := s.Messages(slacktest.Direct("UMO")); told != toldRevealed || len(seen) != 1 || len(seen[0].Pictures) != 2 {
					t.Errorf("asked again, the moderator is told %q and shown %v", told, seen)
				}
			}
			if err := a.ShowCase(t.Context(), place1, id, decided()); err != nil || s.Files() != 0 {
				t.Errorf("decided: %v, and %d files stay", err, s.Files())
			}
		})
	}
}

func TestConcealingIsTriedAgain(t *testing.T) {
	a, s := bench(t, held)
	listening(t, a, s, revealing)
	id := posted(t, a)
	reveal(t, s, "UMO", id)
	s.Fail("files.delete", "file_not_found", "internal_error")
	if err := a.ShowCase(t.Context(), place1, id, decided()); code(err) != "internal_error" {
		t.Errorf("ShowCase returned %v, want internal_error for the journal to try again", err)
	}
	if m := s.Messages(reviewChannel)[0]; len(m.Buttons) > 0 {
		t.Error("the decision is not shown as long as files cannot be deleted")
	}
	files := s.Files()
	if err := a.ShowCase(t.Context(), place1, id, decided()); err != nil || s.Files() != files-1 || len(s.Messages(slacktest.Direct("UMO"))) != 0 {
		t.Errorf("tried again: %v, and %d files stay", err, s.Files())
	}
}

func TestAPressWaitsUntilTheWorkspaceIsKnown(t *testing.T) {
	a, s := bench(t, held)
	s.Fail("auth.test", "internal_error")
	in := bot.Place{Tenant: slacktest.Team, Channel: reviewChannel}
	press := api.InteractionCallback{Container: api.Container{ChannelID: reviewChannel}}
	if is, err := a.moderates(t.Context(), in, press); is || code(err) != "internal_error" {
		t.Errorf("unknown, it is %v, %v; want an error", is, err)
	}
	if is, err := a.moderates(t.Context(), in, press); !is || err != nil {
		t.Errorf("known, it is %v, %v", is, err)
	}
	press.User.TeamID = "T0GUESTS"
	if is, err := a.moderates(t.Context(), in, press); is || err != nil {
		t.Errorf("a guest of another workspace is a moderator: %v, %v", is, err)
	}
}

// TestACaseMovesWithItsChannel: after a start with another review channel, or where somebody has deleted it, it is posted
// again, and what is left of it elsewhere has no buttons. What still stands stays.
func TestACaseMovesWithItsChannel(t *testing.T) {
	a, s := bench(t, held)
	id, err := a.PostCase(t.Context(), place1, "", waiting())
	if err != nil {
		t.Fatal(err)
	}
	again := func(channel, old string) string {
		b := another(t, s, channel)
		now, err := b.PostCase(t.Context(), place1, old, waiting())
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	if now := again(reviewChannel, id); now != id || len(s.Messages(reviewChannel)) != 1 {
		t.Errorf("it stands as %s and was posted again as %s", id, now)
	}
	if now := again("", id); now != "" || len(s.Messages(reviewChannel)[0].Buttons) > 0 {
		t.Errorf("without a review channel it is %q, with %v", now, s.Messages(reviewChannel))
	}
	s.Channel("CNEW", "UMO")
	if now := again("CNEW", id); now == id || len(s.Messages("CNEW")) != 1 || len(s.Messages(reviewChannel)[0].Buttons) > 0 {
		t.Errorf("in another channel it is %s: %v", now, s.Messages("CNEW"))
	}
	if err := a.Remove(t.Context(), place1, id); err != nil { // as somebody does by hand
		t.Fatal(err)
	}
	if now := again(reviewChannel, id); now == id || len(s.Messages(reviewChannel)) != 1 {
		t.Errorf("deleted, it is %s: %v", now, s.Messages(reviewChannel))
	}
}

// TestADoubledCaseIsTakenAway: a crash between the post and the note of it leaves two messages; a press on the one that is
// not known decides and takes it away.
func TestADoubledCaseIsTakenAway(t *testing.T) {
	a, s := bench(t, held)
	first, err := a.PostCase(t.Context(), place1, "", waiting())
	if err != nil {
		t.Fatal(err)
	}
	b := another(t, s, reviewChannel)
	second, err := b.PostCase(t.Context(), place1, "", waiting())
	if err != nil || second == first || len(s.Messages(reviewChannel)) != 2 {
		t.Fatalf("posted as %s and %s, %v", first, second, err)
	}
	b.only(t.Context(), waiting().Case, second)
	b.only(t.Context(), waiting().Case, first)
	if list := s.Messages(reviewChannel); len(list) != 1 {
		t.Errorf("there stand %v", list)
	}
}
