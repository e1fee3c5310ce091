package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/bot/slack/slacktest"
	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/jobs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// talk is a conversation that answers as a test wants.
type talk struct {
	do    func(context.Context, bot.Command) (bot.Reply, error)
	press func(context.Context, bot.Action) (bot.Reply, error)
}

func (t *talk) Do(ctx context.Context, c bot.Command) (bot.Reply, error)   { return t.do(ctx, c) }
func (t *talk) Press(ctx context.Context, a bot.Action) (bot.Reply, error) { return t.press(ctx, a) }

// shelf has the same picture for every index but those that are not there.
type shelf map[int][]byte

func (s shelf) File(_ context.Context, _ gallery.Scope, _ string, index int) ([]byte, error) {
	if s[index] == nil {
		return nil, gallery.ErrNotFound
	}
	return s[index], nil
}

// logs are written by many goroutines.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newAdapter opens an adapter in a workspace of its own.
func newAdapter(t *testing.T, change ...func(*Options)) (*Adapter, *slacktest.Server) {
	t.Helper()
	s := slacktest.New(t)
	s.Channel(here.Channel)
	s.Person(ada.Name)
	return join(t, s, change...), s
}

// The pictures of every job, as far as Slack looks at them.
const (
	picture0 = "\x89PNG\r\n\x1a\npicture 0"
	picture1 = "\x89PNG\r\n\x1a\npicture 1"
)

// join opens an adapter in a workspace. When the test ends it has told no secret and had nothing read as markup.
func join(t *testing.T, s *slacktest.Server, change ...func(*Options)) *Adapter {
	t.Helper()
	l := &logs{}
	o := Options{
		BotToken: slacktest.BotToken, AppToken: slacktest.AppToken, SigningSecret: slacktest.SigningSecret, APIURL: s.URL(),
		Log: slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})), Pictures: shelf{0: []byte(picture0), 1: []byte(picture1)},
	}
	for _, f := range change {
		f(&o)
	}
	a, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.http.CloseIdleConnections()
		for _, hidden := range []string{slacktest.BotToken, slacktest.AppToken, slacktest.SigningSecret, "/response/", "/upload/", "ticket"} {
			if strings.Contains(l.String(), hidden) {
				t.Errorf("the log holds %q:\n%s", hidden, l)
			}
		}
		for _, method := range []string{"chat.postMessage", "chat.update", "chat.postEphemeral"} {
			for _, said := range s.Calls(method) {
				if said.Get("parse") != "none" || said.Get("text") == "" {
					t.Errorf("%s is called with %v, want a text that is not parsed", method, said)
				}
			}
		}
	})
	return a
}

// run runs the adapter until the function it returns is called, which gives what Run returned.
func run(t *testing.T, a *Adapter, c Conversation) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, c) }()
	once := sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = once() })
	return once
}

// next returns what comes from a channel, soon.
func next[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// hear delivers a payload, and expects it to be acknowledged without a word.
func hear(t *testing.T, s *slacktest.Server, kind string, payload map[string]any) {
	t.Helper()
	s.Connected(t)
	if ack, err := s.Deliver(kind, payload); err != nil || ack.Type != "" || ack.Text != "" {
		t.Errorf("got the acknowledgement %+v, %v, want a silent one", ack, err)
	}
}

func slash(s *slacktest.Server, trigger, text string) map[string]any {
	payload := s.SlashCommand(ada.ID, here.Channel, "/imagine "+text)
	payload["trigger_id"] = trigger
	return payload
}

// pressed is a press of a button that need not be there.
func pressed(s *slacktest.Server, trigger, action, value string) map[string]any {
	return map[string]any{
		"type": "block_actions", "team": map[string]any{"id": "T1"}, "user": map[string]any{"id": ada.ID, "name": ada.Name},
		"channel": map[string]any{"id": "C1"}, "trigger_id": trigger, "response_url": s.ResponseURL(ada.ID, here.Channel),
		"container": map[string]any{"type": "message", "message_ts": "1.2", "channel_id": "C1"},
		"message":   map[string]any{"blocks": []any{}},
		"actions":   []any{map[string]any{"type": "button", "action_id": action, "value": value, "block_id": "b"}},
	}
}

var (
	here = bot.Place{Platform: "slack", Tenant: "T1", Channel: "C1", Visibility: gallery.InChannel}
	ada  = bot.Person{ID: "UADA", Name: "ada"}
)

// message is a job of two pictures in some state.
func message(state jobs.State) bot.Message {
	m := bot.Message{Job: "01JOB", Author: ada, State: string(state), Prompt: "a <!channel> *fox* & @here", Status: "Waiting", Count: 2}
	if state != jobs.Done {
		m.Buttons = []bot.Button{{Action: "cancel", Label: "Cancel", Help: "Stop painting"}}
		return m
	}
	m.Status = "2 pictures in 1.2 s"
	for i := range 2 {
		m.Pictures = append(m.Pictures, bot.Picture{Job: m.Job, Index: i, Seed: 7, Alt: "AI picture: a fox"})
		m.Buttons = append(m.Buttons, bot.Button{Action: "upscale", Index: i, Label: "U", Help: "Show large"})
	}
	m.Buttons = append(m.Buttons, bot.Button{Action: "delete", Label: "Delete", Help: "Delete these pictures"})
	return m
}

// TestAcknowledgedIsWrittenDown: a crash loses nothing that Slack believes to be heard.
func TestAcknowledgedIsWrittenDown(t *testing.T) {
	a, s := newAdapter(t)
	came, free := make(chan bool, 1), make(chan struct{})
	run(t, a, &talk{do: func(context.Context, bot.Command) (bot.Reply, error) {
		came <- true
		<-free
		return bot.Reply{}, nil
	}})
	s.Connected(t)
	acked := make(chan error, 1)
	go func() {
		_, err := s.Deliver(slacktest.Slash, slash(s, "t1", "a fox"))
		acked <- err
	}()
	next(t, came)
	select {
	case err := <-acked:
		t.Errorf("acknowledged too early: %v", err)
	case <-time.After(maxAck / 10):
	}
	close(free)
	if err := next(t, acked); err != nil {
		t.Error(err)
	}
}

func TestSocketRunsACommandOnceAndAcknowledgesBeforeItIsDone(t *testing.T) {
	a, s := newAdapter(t)
	came, free := make(chan bot.Command, 10), make(chan struct{})
	stop := run(t, a, &talk{do: func(_ context.Context, c bot.Command) (bot.Reply, error) {
		came <- c
		<-free
		return bot.Reply{}, &bot.Error{Code: "refused", Text: "No <weasels> & such."}
	}})
	fox := slash(s, "t1", "a fox & a <hen> —count 2")
	if fox["text"] != "a fox &amp; a &lt;hen&gt; —count 2" {
		t.Fatalf("the text is not escaped: %v", fox)
	}
	hear(t, s, slacktest.Slash, fox)
	got := next(t, came)
	want := bot.Command{Key: "slack:T1:t1", Place: here, Person: ada, Name: "imagine", Text: "a fox & a <hen> —count 2"}
	if got.Key != want.Key || got.Place != want.Place || got.Person != want.Person || got.Name != want.Name || got.Text != want.Text || got.Options != nil {
		t.Errorf("got %+v, want %+v", got, want)
	}
	hear(t, s, slacktest.Slash, fox) // delivered again
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	select {
	case err := <-stopped:
		t.Fatalf("Run returned (%v) before the command was done", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(free)
	if err := next(t, stopped); err != nil {
		t.Errorf("Run returned %v, want nil", err)
	}
	if said := s.Await(t, slacktest.Responses, 1); said.Get("response_type") != "ephemeral" || said.Get("text") != "No &lt;weasels&gt; &amp; such." {
		t.Errorf("the refusal was told as %v", said)
	}
	if len(came) > 0 {
		t.Error("a command that was delivered twice ran twice")
	}
}

func TestSocketReopensAfterDisconnect(t *testing.T) {
	a, s := newAdapter(t)
	came := make(chan bot.Action, 1)
	run(t, a, &talk{press: func(_ context.Context, c bot.Action) (bot.Reply, error) {
		came <- c
		return bot.Reply{Details: []bot.Detail{{Name: "Prompt", Value: "a *fox*"}, {Name: "Seed", Value: "7"}}}, nil
	}})
	s.Connected(t)
	s.Refresh()
	hear(t, s, slacktest.Interactive, pressed(s, "t2", "e1:details:3", "01JOB"))
	want := bot.Action{Key: "slack:T1:t2", Place: here, Person: ada, Name: "details", Job: "01JOB", Index: 3}
	if got := next(t, came); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if said := s.Await(t, slacktest.Responses, 1); said.Get("text") != "Prompt: a *fox*\nSeed: 7" {
		t.Errorf("the details were told as %v", said)
	}
}

func TestRunEndsWhenATokenIsRefused(t *testing.T) {
	for _, method := range []string{"auth.test", "apps.connections.open"} {
		a, s := newAdapter(t)
		s.Fail(method, "invalid_auth")
		if err := a.Run(t.Context(), &talk{}); err == nil || !strings.Contains(err.Error(), "invalid_auth") {
			t.Errorf("%s: Run returned %v, want that the token is refused", method, err)
		}
	}
}

func TestAPanicIsAnsweredAndEndsNothing(t *testing.T) {
	a, s := newAdapter(t)
	run(t, a, &talk{do: func(context.Context, bot.Command) (bot.Reply, error) { panic("boo") }})
	hear(t, s, slacktest.Slash, slash(s, "t1", "a fox"))
	if said := s.Await(t, slacktest.Responses, 1); !strings.Contains(said.Get("text"), "went wrong") {
		t.Errorf("the person was told %v", said)
	}
}

func TestOpenChecksItsOptions(t *testing.T) {
	good := Options{BotToken: slacktest.BotToken, AppToken: slacktest.AppToken, Pictures: shelf{}}
	for name, change := range map[string]func(*Options){
		"bot token":      func(o *Options) { o.BotToken = "" },
		"signing secret": func(o *Options) { o.AppToken = "" },
		"xapp-":          func(o *Options) { o.AppToken = "xoxb-1" },
		"pictures":       func(o *Options) { o.Pictures = nil },
	} {
		o := good
		change(&o)
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: Open returned %v", name, err)
		}
	}
	if _, err := Open(good); err != nil {
		t.Error(err)
	}
}

func TestPostShowAndRemove(t *testing.T) {
	a, s := newAdapter(t)
	s.Fail("chat.postMessage", slacktest.RateLimited)
	id, err := a.Post(t.Context(), here, message(jobs.Queued))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := a.Post(t.Context(), here, message(jobs.Queued)); err != nil || again != id || len(s.Calls("chat.postMessage")) != 2 {
		t.Errorf("posted again: %q, %v after %d calls, want %q after one 429 and one post", again, err, len(s.Calls("chat.postMessage")), id)
	}
	posted := s.Await(t, "chat.postMessage", 2)
	if text := posted.Get("text"); !strings.HasPrefix(text, "a &lt;!channel&gt; *fox* &amp; @here") || posted.Get("mrkdwn") != "false" || posted.Get("link_names") != "false" {
		t.Errorf("the text is %q (%v), want it escaped and no markup", text, posted)
	}
	if strings.Contains(posted.Get("blocks"), "mrkdwn") {
		t.Errorf("the blocks hold markup: %s", posted.Get("blocks"))
	}
	m := message(jobs.Done)
	m.Pictures = append(m.Pictures, bot.Picture{Job: m.Job, Index: 2, Veiled: true, Alt: "Picture 3 was withheld"})
	if err := a.Show(t.Context(), here, id, m); err != nil {
		t.Fatal(err)
	}
	if err := a.Show(t.Context(), here, id, m); err != nil { // repeated
		t.Fatal(err)
	}
	var blocks []struct {
		Type string `json:"type"`
	}
	seen := s.Messages(here.Channel)
	if len(seen) != 1 || seen[0].ID != id {
		t.Fatalf("there is %v, want %s alone", seen, id)
	}
	if err := json.Unmarshal(seen[0].Blocks, &blocks); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, b := range blocks {
		kinds = append(kinds, b.Type)
	}
	if got, want := strings.Join(kinds, " "), "rich_text image image context context actions actions"; got != want {
		t.Errorf("the message shows %s, want %s", got, want)
	}
	if p := seen[0].Pictures; len(p) != 2 || string(p[0].Bytes) != picture0 || string(p[1].Bytes) != picture1 || p[1].Alt != "AI picture: a fox" {
		t.Errorf("the message shows the pictures %q", p)
	}
	if alt := s.Await(t, "files.getUploadURLExternal", 2).Get("alt_txt"); alt != "AI picture: a fox" || s.Files() != 2 || len(s.Calls("files.completeUploadExternal")) != 1 {
		t.Errorf("slack has %d files, the second is %q", s.Files(), alt)
	}
	if err := a.Remove(t.Context(), here, id); err != nil || len(s.Messages(here.Channel)) != 0 || s.Files() != 0 {
		t.Errorf("removed: %v, and %v and %d files stay", err, s.Messages(here.Channel), s.Files())
	}
	if err := a.Remove(t.Context(), here, id); err != nil {
		t.Errorf("removed again: %v", err)
	}
	if err := a.Show(t.Context(), here, id, message(jobs.Cancelled)); !errors.Is(err, jobs.ErrGone) {
		t.Errorf("shown when it is gone: %v", err)
	}
}

func TestAPressTellsWhichFilesToDelete(t *testing.T) {
	before, s := newAdapter(t)
	id, err := before.Post(t.Context(), here, message(jobs.Queued))
	if err == nil {
		err = before.Show(t.Context(), here, id, message(jobs.Done))
	}
	if err != nil || s.Files() != 2 {
		t.Fatalf("%v, and there are %d files", err, s.Files())
	}
	a := join(t, s) // started again
	removed := make(chan error, 1)
	run(t, a, &talk{press: func(ctx context.Context, _ bot.Action) (bot.Reply, error) {
		removed <- a.Remove(ctx, here, id)
		return bot.Reply{}, nil
	}})
	s.Connected(t)
	if _, err := s.Press(ada.ID, id, "Delete"); err != nil {
		t.Fatal(err)
	}
	if err := next(t, removed); err != nil || s.Files() != 0 {
		t.Errorf("%v, and %d files stay", err, s.Files())
	}
}

func TestPostElsewhere(t *testing.T) {
	tests := []struct {
		name, told, channel string
		fail                map[string]string
	}{
		{"a direct message", toldDirect, slacktest.Direct(ada.ID), nil},
		{"no way", toldNoWay, nowhere, map[string]string{"conversations.open": "missing_scope"}},
	}
	for _, test := range tests {
		a, s := newAdapter(t)
		s.Expel(here.Channel)
		for method, problem := range test.fail {
			s.Fail(method, problem)
		}
		a.doors.keep(here, ada, s.ResponseURL(ada.ID, here.Channel), time.Now())
		id, err := a.Post(t.Context(), here, message(jobs.Queued))
		if channel, _, _ := strings.Cut(id, ":"); err != nil || channel != test.channel {
			t.Errorf("%s: posted as %q, %v, want it in %q", test.name, id, err, test.channel)
		}
		if told := s.Ephemeral(ada.ID); len(told) != 1 || told[0].Text != test.told {
			t.Errorf("%s: the author was told %v", test.name, told)
		}
		if err := a.Show(t.Context(), here, id, message(jobs.Done)); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		for _, m := range s.Messages(test.channel) {
			if m.Buttons[0].Value != "01JOB@C1" {
				t.Errorf("%s: the buttons do not name the job's channel: %v", test.name, m.Buttons)
			}
		}
	}
}

func TestErrorsAreTriedAgainAndHoldNoSecret(t *testing.T) {
	a, s := newAdapter(t)
	s.Fail("chat.postMessage", "internal_error")
	if _, err := a.Post(t.Context(), here, message(jobs.Queued)); err == nil || code(err) != "internal_error" {
		t.Errorf("Post returned %v, want internal_error for the journal to try again", err)
	}
	s.Close()
	_, err := a.Post(t.Context(), here, message(jobs.Queued))
	if err == nil || strings.Contains(err.Error(), "http://") {
		t.Errorf("Post returned %v, want an error without an address", err)
	}
}

func TestTell(t *testing.T) {
	a, s := newAdapter(t)
	for range 2 {
		if err := a.Tell(t.Context(), "k", here, ada, "It failed."); err != nil {
			t.Error(err)
		}
	}
	if n := len(s.Calls("chat.postEphemeral")); n != 1 {
		t.Errorf("the same key was told %d times, want once", n)
	}
	s.Fail("chat.postEphemeral", "user_not_in_channel", "internal_error")
	if err := a.Tell(t.Context(), "k2", here, ada, "It failed."); err != nil || s.Await(t, "chat.postMessage", 1).Get("channel") != slacktest.Direct(ada.ID) {
		t.Errorf("%v, want it told in a direct message", err)
	}
	if err := a.Tell(t.Context(), "k3", here, ada, "It failed."); err == nil {
		t.Error("an error of slack was taken for success")
	}
	if err := a.Tell(t.Context(), "k3", here, ada, "It failed."); err != nil || len(s.Calls("chat.postEphemeral")) != 4 {
		t.Errorf("told again after an error: %v", err)
	}
}

func TestProgressIsRareAndNeverLast(t *testing.T) {
	a, s := newAdapter(t)
	id, err := a.Post(t.Context(), here, message(jobs.Running))
	if err != nil {
		t.Fatal(err)
	}
	half := jobs.Progress{Calls: 5, Total: 10}
	a.Progress(here, "01JOB", half) // too early
	l := a.lives.of("01JOB")
	l.next = time.Time{}
	for range 10 {
		a.Progress(here, "01JOB", half)
	}
	if got := s.Await(t, "chat.update", 1).Get("text"); !strings.Contains(got, "Painting, 50 %") {
		t.Errorf("progress is shown as %q", got)
	}
	if err := a.Show(t.Context(), here, id, message(jobs.Cancelled)); err != nil {
		t.Fatal(err)
	}
	a.advance(t.Context(), here, l, half)
	a.work.drain()
	if n := len(s.Calls("chat.update")); n != 2 {
		t.Errorf("the message was updated %d times, want once for progress and once at the end", n)
	}
}
