package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"
	"go.uber.org/goleak"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/jobs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// talk is a conversation that answers as a test wants.
type talk struct {
	do    func(bot.Command) (bot.Reply, error)
	press func(bot.Action) (bot.Reply, error)
}

func (t *talk) Do(_ context.Context, c bot.Command) (bot.Reply, error)   { return t.do(c) }
func (t *talk) Press(_ context.Context, a bot.Action) (bot.Reply, error) { return t.press(a) }
func (t *talk) Options() []bot.Hint {
	return []bot.Hint{{Name: "negative", Hint: "fog", Help: "What to keep out"}, {Name: "count", Hint: "4", Help: "How many"}, {Name: "size", Help: "Size"}}
}

// shelf has one picture.
type shelf struct{}

func (shelf) File(_ context.Context, s gallery.Scope, job string, index int) ([]byte, error) {
	if s != (gallery.Scope{Tenant: "10", Channel: "20", Viewer: "30"}) {
		return nil, fmt.Errorf("asked by %+v", s)
	}
	return []byte(job + "/" + fmt.Sprint(index)), nil
}

// Sealed has two held pictures of the tenant's job, and no tenant is every tenant, as in a gallery.
func (shelf) Sealed(_ context.Context, tenant, of string) (map[int][]byte, error) {
	if tenant != "10" && tenant != "" {
		return nil, fmt.Errorf("asked by %q", tenant)
	}
	if of != job {
		return nil, nil
	}
	return map[int][]byte{1: []byte("held 1"), 3: []byte("held 3")}, nil
}

// logs is a log that may be read while it is written.
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

func open(t *testing.T, s *server) (*Adapter, *logs) {
	t.Helper()
	log := &logs{}
	a, err := Open(t.Context(), Options{
		Token: botToken, APIURL: s.http.URL + "/api", Pictures: shelf{},
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.tasks.end(time.Second)
		a.session.Client.CloseIdleConnections()
		for _, secret := range []string{botToken, "itoken"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log holds the token %s:\n%s", secret, log)
			}
		}
	})
	s.next("GET /oauth2/applications/@me")
	return a, log
}

// run opens an adapter and runs it. The end of the test ends it.
func run(t *testing.T, s *server, c Conversation) *Adapter {
	t.Helper()
	a, _ := open(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, c) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	s.next("GET /applications/77/commands")
	s.next("PUT /applications/77/commands")
	s.next("GET /gateway")
	await(t, s.identified)
	return a
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

const (
	job  = "01JABCDEFGHJKMNPQRSTVWXYZ0"
	from = `"application_id":"77","guild_id":"10","channel_id":"20","member":{"nick":"Ada","user":{"id":"30","username":"ada"}},"token":"itoken","version":1`
)

var here = bot.Place{Platform: "discord", Tenant: "10", Channel: "20", Visibility: gallery.InChannel}

func typed(id, more string) string {
	return `{"id":"` + id + `","type":2,` + from + more + `,"data":{"id":"1","name":"imagine","type":1,"options":[
		{"name":"prompt","type":3,"value":"a fox --count 2"},{"name":"count","type":4,"value":2},{"name":"seed","type":4,"value":-9007199254740991},{"name":"guidance","type":10,"value":2.5}]}}`
}

func press(custom string) string {
	return `{"id":"40","type":3,` + from + `,"message":{"id":"5001","channel_id":"20"},"data":{"custom_id":"` + custom + `","component_type":2}}`
}

func sample(state string) bot.Message {
	m := bot.Message{Job: job, Author: bot.Person{ID: "30", Name: "Ada"}, State: state, Prompt: "a **fox** @everyone", Status: "Waiting", Count: 2}
	if state == "done" {
		m.Status = "2 pictures in 1.2 s"
		m.Pictures = []bot.Picture{{Job: job, Alt: "AI picture 1 of 2: a fox"}, {Job: job, Index: 1, Veiled: true}, {Job: job, Index: 2, Alt: strings.Repeat("x", 2000)}}
	}
	return m
}

func TestACommandIsAcknowledgedAndLeavesNothing(t *testing.T) {
	s := newServer(t)
	got := make(chan bot.Command, 1)
	run(t, s, &talk{do: func(c bot.Command) (bot.Reply, error) {
		got <- c
		return bot.Reply{Job: job}, nil
	}})
	s.push(typed("40", ""))
	want := bot.Command{
		Key: "40", Place: here, Person: bot.Person{ID: "30", Name: "Ada"}, Name: "imagine", Text: "a fox --count 2",
		Options: map[string]string{"count": "2", "seed": "-9007199254740991", "guidance": "2.5"},
	}
	if c := await(t, got); !reflect.DeepEqual(c, want) {
		t.Errorf("asked %+v\nwant %+v", c, want)
	}
	c := s.next("POST /interactions/40/itoken/callback")
	if data := c.body["data"].(map[string]any); c.body["type"] != 5.0 || data["flags"] != 64.0 {
		t.Errorf("acknowledged by %v", c.body)
	}
	s.next("DELETE /webhooks/77/itoken/messages/@original")
}

func TestWhatIsSaidIsForOnePersonAndPlain(t *testing.T) {
	s := newServer(t)
	run(t, s, &talk{
		do: func(bot.Command) (bot.Reply, error) {
			return bot.Reply{}, &bot.Error{Code: "option", Text: "--count cannot be <@1>."}
		},
		press: func(a bot.Action) (bot.Reply, error) {
			switch a.Name {
			case "details":
				return bot.Reply{Details: []bot.Detail{{Name: "Prompt", Value: "a *fox*"}, {Name: "Seed", Value: "7"}}}, nil
			case "delete":
				return bot.Reply{Notice: "Gone."}, nil
			case "cancel":
				panic("at the disco")
			default:
				return bot.Reply{}, errors.New("open /var/lib/easel: no")
			}
		},
	})
	tests := []struct{ push, says string }{
		{typed("40", ""), `\-\-count cannot be \<\@1\>.`},
		{typed("40", `,"app_permissions":"2048"`), "View Channel, Attach Files"},
		{typed("40", `,"context":2`), "cannot post in this conversation"},
		{press("e1:details:" + job + ":0"), "**Prompt** a \\*fox\\*\n**Seed** 7"},
		{press("e1:delete:" + job + ":0"), `Gone.`},
		{press("e1:vary:" + job + ":1"), "Something went wrong"},
		{press("e1:cancel:" + job + ":0"), "Something went wrong"},
		{press("e9:vary"), "another version"},
	}
	for _, tt := range tests {
		s.push(tt.push)
		c := s.next("POST /interactions/40/itoken/callback")
		data := c.body["data"].(map[string]any)
		if content := data["content"].(string); c.body["type"] != 4.0 || data["flags"] != 68.0 || !strings.Contains(content, tt.says) {
			t.Errorf("%s\nanswered %v\nwant %q", tt.push, c.body, tt.says)
		}
		if parse := data["allowed_mentions"]; !reflect.DeepEqual(parse, map[string]any{"parse": []any{}}) {
			t.Errorf("mentions %v", parse)
		}
	}
	s.quiet()
}

func TestAButtonIsAnAction(t *testing.T) {
	s := newServer(t)
	got := make(chan bot.Action, 1)
	run(t, s, &talk{press: func(a bot.Action) (bot.Reply, error) {
		got <- a
		return bot.Reply{Job: "new"}, nil
	}})
	s.push(`{"id":"41","type":3,"application_id":"77","channel_id":"20","user":{"id":"31","username":"bob"},"token":"itoken","data":{"custom_id":"e1:vary:` + job + `:1","component_type":2}}`)
	place := here
	place.Tenant = "dm:31"
	want := bot.Action{Key: "41", Place: place, Person: bot.Person{ID: "31", Name: "bob"}, Name: "vary", Job: job, Index: 1}
	if a := await(t, got); a != want {
		t.Errorf("pressed %+v\nwant %+v", a, want)
	}
	if c := s.next("POST /interactions/41/itoken/callback"); c.body["type"] != 6.0 {
		t.Errorf("acknowledged by %v", c.body)
	}
}

func TestASlowAnswerIsDeferred(t *testing.T) {
	s := newServer(t)
	slow := make(chan error)
	a, _ := open(t, s)
	a.patience = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	c := &talk{do: func(bot.Command) (bot.Reply, error) { return bot.Reply{}, <-slow }}
	go func() { ended <- a.Run(ctx, c) }()
	for _, want := range []string{"GET /applications", "PUT /applications", "GET /gateway"} {
		s.next(want)
	}
	await(t, s.identified)
	for _, err := range []error{nil, &bot.Error{Text: "No."}} {
		s.push(typed("40", ""))
		if c := s.next("POST /interactions/40/itoken/callback"); c.body["type"] != 5.0 {
			t.Errorf("answered %v", c.body)
		}
		slow <- err
		if err == nil {
			s.next("DELETE /webhooks/77/itoken/messages/@original")
		} else if c := s.next("PATCH /webhooks/77/itoken/messages/@original"); c.body["content"] != `No.` {
			t.Errorf("resolved by %v", c.body)
		}
	}
	s.push(typed("42", "")) // what was begun is finished
	s.next("POST /interactions/42")
	cancel()
	slow <- nil
	s.next("DELETE /webhooks/77/itoken/messages/@original")
	if err := await(t, ended); err != nil {
		t.Error(err)
	}
}

func TestHostileInteractionsAreSurvived(t *testing.T) {
	s := newServer(t)
	run(t, s, &talk{press: func(bot.Action) (bot.Reply, error) { return bot.Reply{Notice: "here"}, nil }})
	for _, data := range []string{
		`null`, `{}`, `[]`, `"x"`, `{"id":"1","type":2,"channel_id":"2","token":"itoken","member":{}}`,
		`{"id":"1","type":2,` + from + `,"data":5}`, `{"id":"1","type":99,` + from + `}`, `{"id":"../x","type":3,` + from + `,"data":{}}`,
		`{"id":"1","type":5,` + from + `,"data":{"custom_id":"x"}}`,
	} {
		s.push(data)
	}
	s.push(press("e1:details:" + job + ":0"))
	if c := s.next("POST /interactions/40"); c.body["type"] != 4.0 {
		t.Errorf("answered %v", c.body)
	}
}

func TestAMessageIsPostedOnceShownAndRemoved(t *testing.T) {
	s := newServer(t)
	a, _ := open(t, s)
	ctx := t.Context()
	s.failing("POST /channels/20/messages", http.StatusTooManyRequests)
	id, err := a.Post(ctx, here, sample("queued"))
	again, errAgain := a.Post(ctx, here, sample("queued"))
	if err != nil || errAgain != nil || id != "5001" || again != id {
		t.Fatalf("posted %q, %v and again %q, %v", id, err, again, errAgain)
	}
	for range 3 {
		c := s.next("POST /channels/20/messages")
		if c.body["nonce"] != job[1:] || c.body["content"] != "**a \\*\\*fox\\*\\* \\@everyone** by <@30>\n-# Waiting" {
			t.Errorf("posted %v", c.body)
		}
	}
	if err := a.Show(ctx, here, id, sample("done")); err != nil {
		t.Fatal(err)
	}
	c := s.next("PATCH /channels/20/messages/5001")
	want := []any{
		map[string]any{"id": 0.0, "filename": "easel-" + job + "-1.png", "description": "AI picture 1 of 2: a fox"},
		map[string]any{"id": 1.0, "filename": "easel-" + job + "-3.png", "description": strings.Repeat("x", 1023) + "…"},
	}
	if !reflect.DeepEqual(c.body["attachments"], want) || string(c.files["files[0]"]) != job+"/0" || string(c.files["files[1]"]) != job+"/2" || len(c.files) != 2 {
		t.Errorf("shown with %v and files %q", c.body["attachments"], c.files)
	}
	s.failing("DELETE /channels/20/messages/5001", 404, 500)
	s.failing("PATCH /channels/20/messages/5001", 404, 500)
	if err := errors.Join(a.Remove(ctx, here, id), a.Remove(ctx, here, "")); err != nil {
		t.Errorf("a message that is gone: %v", err)
	}
	if err := a.Show(ctx, here, id, sample("done")); !errors.Is(err, jobs.ErrGone) {
		t.Errorf("a message that is gone is shown: %v", err)
	}
	if a.Show(ctx, here, id, sample("done")) == nil || a.Remove(ctx, here, id) == nil {
		t.Error("failures of Discord's are not told")
	}
}

func TestTell(t *testing.T) {
	s := newServer(t)
	a, log := open(t, s)
	ada := bot.Person{ID: "30"}
	tell := func(key string) {
		t.Helper()
		if err := a.Tell(t.Context(), key, here, ada, "Not *this*."); err != nil {
			t.Fatal(err)
		}
	}
	tell("job:1")
	if c := s.next("POST /users/@me/channels"); c.body["recipient_id"] != "30" {
		t.Errorf("opened %v", c.body)
	}
	if c := s.next("POST /channels/900/messages"); c.body["content"] != `Not \*this\*.` || c.body["enforce_nonce"] != true {
		t.Errorf("told %v", c.body)
	}
	tell("job:1")
	s.quiet()
	a.tokens.put("20", "30", "itoken")
	tell("job:2")
	if c := s.next("POST /webhooks/77/itoken"); c.body["flags"] != 68.0 {
		t.Errorf("told %v", c.body)
	}
	s.failing("POST /webhooks/77/itoken", 401)
	s.failing("POST /channels/900/messages", 403)
	tell("job:3")
	if !strings.Contains(log.String(), "takes no direct messages") {
		t.Errorf("logged %s", log)
	}
}

func TestProgressIsFewEditsAndNoneAfterTheResult(t *testing.T) {
	s := newServer(t)
	a, _ := open(t, s)
	a.pace = time.Hour
	id, err := a.Post(t.Context(), here, sample("queued"))
	if err != nil {
		t.Fatal(err)
	}
	s.next("POST /channels/20/messages")
	a.Progress(here, "unknown", jobs.Progress{Ahead: 3})
	for k := range 100 {
		a.Progress(here, job, jobs.Progress{Calls: k + 1, Total: 100})
	}
	c := s.next("PATCH /channels/20/messages/5001")
	if content, _ := c.body["content"].(string); !strings.Contains(content, "-# Painting, step ") || c.body["attachments"] != nil {
		t.Errorf("edited %v", c.body)
	}
	if err := a.Show(t.Context(), here, id, sample("done")); err != nil {
		t.Fatal(err)
	}
	s.next("PATCH /channels/20/messages/5001")
	a.Progress(here, job, jobs.Progress{Calls: 1, Total: 2})
	a.tasks.end(time.Millisecond)
	s.quiet()
}

func TestABrokenConnectionIsMadeAgain(t *testing.T) {
	s := newServer(t)
	a := run(t, s, &talk{press: func(bot.Action) (bot.Reply, error) { return bot.Reply{Notice: "here"}, nil }})
	s.mu.Lock()
	_ = s.socket.UnderlyingConn().Close()
	s.mu.Unlock()
	await(t, s.identified) // the resume is refused, so it identifies anew
	s.push(press("e1:details:" + job + ":0"))
	s.next("POST /interactions/40")
	if !a.Connected() {
		t.Error("it says that it is not connected")
	}
}

func TestWhatCannotBeMendedIsSaid(t *testing.T) {
	s := newServer(t)
	_, err := Open(t.Context(), Options{Token: "wrong-token", APIURL: s.http.URL + "/api"})
	if err == nil || !strings.Contains(err.Error(), "developer portal") || strings.Contains(err.Error(), "wrong-token") {
		t.Errorf("a wrong token: %v", err)
	}
	for _, o := range []Options{{}, {Token: "x", APIURL: "nowhere"}} {
		if _, err := Open(t.Context(), o); err == nil {
			t.Errorf("%+v opens", o)
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	s.refuse = 4004
	a, _ := open(t, s)
	if err := a.Run(t.Context(), &talk{}); err == nil || !strings.Contains(err.Error(), "4004") {
		t.Errorf("Run: %v", err)
	}
}

func TestErrorsHoldNoTokens(t *testing.T) {
	s := newServer(t)
	a, _ := open(t, s)
	s.failing("POST /webhooks/77/itoken", 429, 429, 429, 429, 429)
	errDone := a.followupError(t)
	s.http.CloseClientConnections()
	s.http.Listener.Close()
	errGone := a.followupError(t)
	for _, err := range []error{errDone, errGone} {
		if err == nil || strings.Contains(err.Error(), "itoken") {
			t.Errorf("got %v", err)
		}
	}
}

func (a *Adapter) followupError(t *testing.T) error {
	t.Helper()
	a.tokens.put("20", "30", "itoken")
	a.session.Client.CloseIdleConnections()
	return a.followup(t.Context(), here, bot.Person{ID: "30"}, "x")
}

func TestCommandsAreWrittenOnlyWhenTheyDiffer(t *testing.T) {
	s := newServer(t)
	a, _ := open(t, s)
	hints := (&talk{}).Options()
	for range 2 {
		if err := a.register(t.Context(), hints); err != nil {
			t.Fatal(err)
		}
	}
	s.next("GET /applications/77/commands")
	s.next("PUT /applications/77/commands")
	s.next("GET /applications/77/commands")
	s.quiet()
	a.options.GuildID = "10"
	if err := a.register(t.Context(), hints[:1]); err != nil {
		t.Fatal(err)
	}
	s.next("GET /applications/77/guilds/10/commands")
	s.next("PUT /applications/77/guilds/10/commands")
}

func TestManyCommandsAtOnceAreAllAcknowledged(t *testing.T) {
	const many = 200
	s := newServer(t)
	run(t, s, &talk{do: func(bot.Command) (bot.Reply, error) { return bot.Reply{Job: job}, nil }})
	for k := range many {
		s.push(typed(fmt.Sprint(1000+k), ""))
	}
	acknowledged := map[string]bool{}
	for range 2 * many { // each is acknowledged, and its place given up
		if c := s.next(""); strings.HasSuffix(c.path, "/callback") {
			acknowledged[c.path] = true
		}
	}
	if len(acknowledged) != many {
		t.Errorf("%d were acknowledged", len(acknowledged))
	}
}

// nowhere is a network that is down.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("down") }

func FuzzInteraction(f *testing.F) {
	for _, s := range []string{typed("40", ""), press("e1:vary:" + job + ":1"), `{"id":"1","type":2,"member":{}}`, `null`, `{"type":2,"data":{"options":[null]}}`} {
		f.Add(s)
	}
	s, err := discordgo.New("Bot x")
	if err != nil {
		f.Fatal(err)
	}
	s.Client = &http.Client{Transport: nowhere{}}
	a := &Adapter{options: Options{Log: slog.New(slog.DiscardHandler), Pictures: shelf{}, ReviewChannel: "20"}, session: s, patience: time.Second}
	home := "10"
	a.guild.Store(&home)
	a.tasks.ctx = f.Context()
	f.Fuzz(func(t *testing.T, data string) {
		c := &talk{
			do: func(c bot.Command) (bot.Reply, error) {
				if !snowflake(c.Person.ID) || c.Options == nil || c.Key == "" || c.Place.Tenant == "" {
					t.Errorf("%s: asked %+v", data, c)
				}
				return bot.Reply{}, nil
			},
			press: func(a bot.Action) (bot.Reply, error) {
				if a.Moderator && (a.Place.Channel != "20" || a.Place.Tenant != home) {
					t.Errorf("%s: a moderator did %+v", data, a)
				}
				return bot.Reply{}, nil
			},
		}
		var e discordgo.InteractionCreate
		_ = json.Unmarshal([]byte(data), &e) // discordgo goes on with what it could read
		a.interaction(t.Context(), c, e.Interaction)
	})
}
