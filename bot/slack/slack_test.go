package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/easelbot/easel/bot"
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

const signingSecret = "shhh-secret"

// newAdapter opens an adapter on a server of its own.
func newAdapter(t *testing.T, change ...func(*Options)) (*Adapter, *server) {
	t.Helper()
	s, l := newServer(t), &logs{}
	o := Options{
		BotToken: botToken, AppToken: appToken, SigningSecret: signingSecret, APIURL: s.URL + "/api",
		Log: slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})), Pictures: shelf{0: []byte("picture 0"), 1: []byte("picture 1")},
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
		for _, hidden := range []string{botToken, appToken, signingSecret, "/door/", "/upload/", "ticket"} {
			if strings.Contains(l.String(), hidden) {
				t.Errorf("the log holds %q:\n%s", hidden, l)
			}
		}
	})
	return a, s
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

func envelope(t *testing.T, conn *websocket.Conn, id, kind string, payload map[string]any) {
	t.Helper()
	if err := conn.WriteJSON(map[string]any{"envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": true}); err != nil {
		t.Fatal(err)
	}
}

func slash(s *server, trigger, text string) map[string]any {
	return map[string]any{
		"team_id": "T1", "channel_id": "C1", "user_id": "U1", "user_name": "ada", "command": "/imagine", "text": text,
		"trigger_id": trigger, "response_url": s.URL + "/door/" + trigger,
	}
}

func pressed(s *server, trigger, action, value string, blocks ...any) map[string]any {
	return map[string]any{
		"type": "block_actions", "team": map[string]any{"id": "T1"}, "user": map[string]any{"id": "U1", "name": "ada"},
		"channel": map[string]any{"id": "C1"}, "trigger_id": trigger, "response_url": s.URL + "/door/" + trigger,
		"container": map[string]any{"type": "message", "message_ts": "1.2", "channel_id": "C1"},
		"message":   map[string]any{"blocks": blocks},
		"actions":   []any{map[string]any{"type": "button", "action_id": action, "value": value, "block_id": "b"}},
	}
}

var (
	here = bot.Place{Platform: "slack", Tenant: "T1", Channel: "C1", Visibility: gallery.InChannel}
	ada  = bot.Person{ID: "U1", Name: "ada"}
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

func TestSocketRunsACommandOnceAndAcknowledgesBeforeItIsDone(t *testing.T) {
	a, s := newAdapter(t)
	came, free := make(chan bot.Command, 10), make(chan struct{})
	stop := run(t, a, &talk{do: func(_ context.Context, c bot.Command) (bot.Reply, error) {
		came <- c
		<-free
		return bot.Reply{}, &bot.Error{Code: "refused", Text: "No <weasels> & such."}
	}})
	conn := next(t, s.socket)
	envelope(t, conn, "e1", "slash_commands", slash(s, "t1", "a fox &amp; a &lt;hen&gt; —count 2"))
	got := next(t, came)
	want := bot.Command{Key: "slack:T1:t1", Place: here, Person: ada, Name: "imagine", Text: "a fox & a <hen> —count 2"}
	if got.Key != want.Key || got.Place != want.Place || got.Person != want.Person || got.Name != want.Name || got.Text != want.Text || got.Options != nil {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if ack := next(t, s.acks); ack != `{"envelope_id":"e1"}` {
		t.Errorf("got the acknowledgement %s, want a silent one", ack)
	}
	envelope(t, conn, "e2", "slash_commands", slash(s, "t1", "a fox")) // delivered again
	next(t, s.acks)
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
	if said := s.await("door", 1); said.Get("response_type") != "ephemeral" || said.Get("text") != "No &lt;weasels&gt; &amp; such." {
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
	conn := next(t, s.socket)
	if err := conn.WriteJSON(map[string]any{"type": "disconnect", "reason": "refresh_requested"}); err != nil {
		t.Fatal(err)
	}
	conn = next(t, s.socket)
	envelope(t, conn, "e1", "interactive", pressed(s, "t2", "e1:details:3", "01JOB"))
	want := bot.Action{Key: "slack:T1:t2", Place: here, Person: ada, Name: "details", Job: "01JOB", Index: 3}
	if got := next(t, came); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if said := s.await("door", 1); said.Get("text") != "Prompt: a *fox*\nSeed: 7" {
		t.Errorf("the details were told as %v", said)
	}
}

func TestRunEndsWhenATokenIsRefused(t *testing.T) {
	for _, method := range []string{"auth.test", "apps.connections.open"} {
		a, s := newAdapter(t)
		s.fail[method] = []string{"invalid_auth"}
		if err := a.Run(t.Context(), &talk{}); err == nil || !strings.Contains(err.Error(), "invalid_auth") {
			t.Errorf("%s: Run returned %v, want that the token is refused", method, err)
		}
	}
}

func TestAPanicIsAnsweredAndEndsNothing(t *testing.T) {
	a, s := newAdapter(t)
	run(t, a, &talk{do: func(context.Context, bot.Command) (bot.Reply, error) { panic("boo") }})
	envelope(t, next(t, s.socket), "e1", "slash_commands", slash(s, "t1", "a fox"))
	if said := s.await("door", 1); !strings.Contains(said.Get("text"), "went wrong") {
		t.Errorf("the person was told %v", said)
	}
}

func TestOpenChecksItsOptions(t *testing.T) {
	good := Options{BotToken: botToken, AppToken: appToken, Pictures: shelf{}}
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
	s.slow = 1
	s.limited["chat.postMessage"] = 1
	id, err := a.Post(t.Context(), here, message(jobs.Queued))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := a.Post(t.Context(), here, message(jobs.Queued)); err != nil || again != id || s.count("chat.postMessage") != 2 {
		t.Errorf("posted again: %q, %v after %d calls, want %q after one 429 and one post", again, err, s.count("chat.postMessage"), id)
	}
	posted := s.await("chat.postMessage", 2)
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
	if err := json.Unmarshal([]byte(s.blocks(id)), &blocks); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, b := range blocks {
		kinds = append(kinds, b.Type)
	}
	if got, want := strings.Join(kinds, " "), "rich_text image image context context actions actions"; got != want {
		t.Errorf("the message shows %s, want %s", got, want)
	}
	if f := s.files["F1"]; len(s.files) != 2 || string(f.body) != "picture 1" || f.alt != "AI picture: a fox" || s.count("files.completeUploadExternal") != 1 {
		t.Errorf("slack has the files %v", s.files)
	}
	if err := a.Remove(t.Context(), here, id); err != nil || len(s.shows) != 0 || len(s.files) != 0 {
		t.Errorf("removed: %v, and %d messages and %d files stay", err, len(s.shows), len(s.files))
	}
	if err := a.Remove(t.Context(), here, id); err != nil {
		t.Errorf("removed again: %v", err)
	}
	if err := a.Show(t.Context(), here, id, message(jobs.Cancelled)); err != nil {
		t.Errorf("shown when it is gone: %v", err)
	}
}

func TestAPressTellsWhichFilesToDelete(t *testing.T) {
	a, s := newAdapter(t)
	s.shows["C1:1.2"], s.files["F9"] = "[]", &file{}
	removed := make(chan error, 1)
	run(t, a, &talk{press: func(ctx context.Context, _ bot.Action) (bot.Reply, error) {
		removed <- a.Remove(ctx, here, "C1:1.2")
		return bot.Reply{}, nil
	}})
	image := map[string]any{"type": "image", "alt_text": "a fox", "slack_file": map[string]any{"id": "F9"}}
	envelope(t, next(t, s.socket), "e1", "interactive", pressed(s, "t1", "e1:delete:0", "01JOB", image))
	if err := next(t, removed); err != nil {
		t.Error(err)
	}
	s.await("files.delete", 1)
}

func TestPostElsewhere(t *testing.T) {
	tests := []struct {
		name, told, id string
		fail           map[string][]string
	}{
		{"a direct message", toldDirect, "DU1:1700000000.000002", map[string][]string{"chat.postMessage": {"not_in_channel"}}},
		{"no way", toldNoWay, nowhere, map[string][]string{"chat.postMessage": {"channel_not_found"}, "conversations.open": {"missing_scope"}}},
	}
	for _, test := range tests {
		a, s := newAdapter(t)
		s.fail = test.fail
		a.doors.keep(here, ada, s.URL+"/door/x", time.Now())
		id, err := a.Post(t.Context(), here, message(jobs.Queued))
		if err != nil || id != test.id {
			t.Errorf("%s: posted as %q, %v, want %q", test.name, id, err, test.id)
		}
		if said := s.await("door", 1); said.Get("text") != test.told {
			t.Errorf("%s: the author was told %v", test.name, said)
		}
		if err := a.Show(t.Context(), here, id, message(jobs.Done)); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if shown := s.blocks(id); id != nowhere && !strings.Contains(shown, `"value":"01JOB@C1"`) {
			t.Errorf("%s: the buttons do not name the job's channel: %s", test.name, shown)
		}
	}
}

func TestErrorsAreTriedAgainAndHoldNoSecret(t *testing.T) {
	a, s := newAdapter(t)
	s.fail["chat.postMessage"] = []string{"internal_error"}
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
	if n := s.count("chat.postEphemeral"); n != 1 {
		t.Errorf("the same key was told %d times, want once", n)
	}
	s.fail["chat.postEphemeral"] = []string{"user_not_in_channel", "internal_error"}
	if err := a.Tell(t.Context(), "k2", here, ada, "It failed."); err != nil || s.await("chat.postMessage", 1).Get("channel") != "DU1" {
		t.Errorf("%v, want it told in a direct message", err)
	}
	if err := a.Tell(t.Context(), "k3", here, ada, "It failed."); err == nil {
		t.Error("an error of slack was taken for success")
	}
	if err := a.Tell(t.Context(), "k3", here, ada, "It failed."); err != nil || s.count("chat.postEphemeral") != 4 {
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
	if got := s.await("chat.update", 1).Get("text"); !strings.Contains(got, "Painting, 50 %") {
		t.Errorf("progress is shown as %q", got)
	}
	if err := a.Show(t.Context(), here, id, message(jobs.Cancelled)); err != nil {
		t.Fatal(err)
	}
	a.advance(t.Context(), here, l, half)
	a.work.drain()
	if n := s.count("chat.update"); n != 2 {
		t.Errorf("the message was updated %d times, want once for progress and once at the end", n)
	}
}
