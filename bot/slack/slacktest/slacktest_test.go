package slacktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// TestSignature is the example of Slack's own page on verifying requests.
func TestSignature(t *testing.T) {
	const body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
		"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands" +
		"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	const want = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	if got := Signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCheck(t *testing.T) {
	const (
		text   = `{"type":"plain_text","text":"a fox"}`
		button = `{"type":"button","action_id":"a","value":"1","text":` + text + `}`
	)
	long := func(n int) string { return `{"type":"plain_text","text":"` + strings.Repeat("a", n) + `"}` }
	tests := []struct {
		name, block string
		ok          bool
	}{
		{"section", `{"type":"section","text":` + long(3000) + `}`, true},
		{"long section", `{"type":"section","text":` + long(3001) + `}`, false},
		{"empty section", `{"type":"section"}`, false},
		{"fields", `{"type":"section","fields":[` + text + `]}`, true},
		{"divider", `{"type":"divider"}`, true},
		{"long header", `{"type":"header","text":` + long(151) + `}`, false},
		{"image", `{"type":"image","alt_text":"a fox","slack_file":{"id":"F1"}}`, true},
		{"image without alternative text", `{"type":"image","slack_file":{"id":"F1"}}`, false},
		{"image of nothing", `{"type":"image","alt_text":"a fox"}`, false},
		{"image of two", `{"type":"image","alt_text":"a fox","slack_file":{"id":"F1"},"image_url":"https://example.org/"}`, false},
		{"context", `{"type":"context","elements":[` + text + `]}`, true},
		{"empty context", `{"type":"context","elements":[]}`, false},
		{"rich text", `{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a fox"}]}]}`, true},
		{"empty rich text", `{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":""}]}]}`, false},
		{"button", `{"type":"actions","elements":[` + button + `]}`, true},
		{"two of an action ID", `{"type":"actions","elements":[` + button + `,` + button + `]}`, false},
		{"long button", `{"type":"actions","elements":[{"type":"button","action_id":"a","text":` + long(76) + `}]}`, false},
		{"strange button", strings.Replace(`{"type":"actions","elements":[`+button+`]}`, `"value"`, `"style":"blue","value"`, 1), false},
		{"another kind", `{"type":"hologram"}`, false},
	}
	for _, tt := range tests {
		var b block
		if err := json.Unmarshal([]byte(tt.block), &b); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		b.ID = "b1"
		if err := check([]block{b}); (err == nil) != tt.ok {
			t.Errorf("%s: got %v, want it right to be %v", tt.name, err, tt.ok)
		}
	}
	many := make([]block, 51)
	for i := range many {
		many[i] = block{Type: "divider", ID: fmt.Sprint(i)}
	}
	if check(many[:50]) != nil || check(many) == nil || check([]block{many[0], many[0]}) == nil {
		t.Error("51 blocks, or two of an ID, are taken, or 50 are not")
	}
}

func TestResponseURLTakesFivePosts(t *testing.T) {
	s := New(t)
	ada := s.Person("ada")
	address := s.ResponseURL(ada, "C1")
	for i := range doorPosts + 1 {
		res, err := http.Post(address, "application/json", strings.NewReader(`{"response_type":"ephemeral","text":"a &amp; b"}`))
		if err != nil {
			t.Fatal(err)
		}
		said, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || (res.StatusCode == http.StatusOK) != (i < doorPosts) {
			t.Errorf("post %d: %s %s, %v", i+1, res.Status, said, err)
		}
	}
	if told := s.Ephemeral(ada); len(told) != doorPosts || told[0].Text != "a & b" {
		t.Errorf("ada was told %v", told)
	}
}

// ask calls a method of the Web API and returns what it says.
func ask(t *testing.T, s *Server, token, method string, v url.Values) (said map[string]any) {
	t.Helper()
	v.Set("token", token)
	res, err := http.PostForm(s.URL()+method, v)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	return said
}

func TestProblems(t *testing.T) {
	s := New(t)
	s.Channel("C1", s.Person("ada"))
	s.Channel("C2")
	s.Expel("C2")
	s.Person("bob")
	tests := []struct {
		token, method, want string
		v                   url.Values
	}{
		{"xoxb-other", "auth.test", "invalid_auth", url.Values{}},
		{"", "auth.test", "not_authed", url.Values{}},
		{BotToken, "apps.connections.open", "invalid_auth", url.Values{}},
		{BotToken, "chat.meMessage", "unknown_method", url.Values{}},
		{BotToken, "chat.postMessage", "channel_not_found", url.Values{"channel": {"C3"}, "text": {"a"}}},
		{BotToken, "chat.postMessage", "not_in_channel", url.Values{"channel": {"C2"}, "text": {"a"}}},
		{BotToken, "chat.postMessage", "no_text", url.Values{"channel": {"C1"}}},
		{BotToken, "chat.postEphemeral", "user_not_in_channel", url.Values{"channel": {"C1"}, "user": {"UBOB"}, "text": {"a"}}},
		{BotToken, "chat.update", "message_not_found", url.Values{"channel": {"C1"}, "ts": {"1.2"}, "text": {"a"}}},
		{BotToken, "chat.postMessage", "invalid_blocks", url.Values{"channel": {"C1"}, "text": {"a"}, "blocks": {`[{"type":"image","alt_text":"a","slack_file":{"id":"F9"}}]`}}},
		{BotToken, "files.completeUploadExternal", "file_not_found", url.Values{"files": {`[{"id":"F9"}]`}}},
		{BotToken, "files.getUploadURLExternal", "invalid_arguments", url.Values{"filename": {"a.png"}, "length": {"0"}}},
		{BotToken, "conversations.open", "user_not_found", url.Values{"users": {"UMAX"}}},
	}
	for _, tt := range tests {
		if said := ask(t, s, tt.token, tt.method, tt.v); said["ok"] != false || said["error"] != tt.want {
			t.Errorf("%s %v: got %v, want %s", tt.method, tt.v, said, tt.want)
		}
	}
}

// dial opens a socket and reads its hello.
func dial(t *testing.T, s *Server) *websocket.Conn {
	t.Helper()
	address, _ := ask(t, s, AppToken, "apps.connections.open", url.Values{})["url"].(string)
	conn, res, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	if hello := envelope(t, conn); hello["type"] != "hello" {
		t.Errorf("the first thing said is %v", hello)
	}
	second, res, err := websocket.DefaultDialer.Dial(address, nil)
	if err == nil {
		t.Error("an address opens two sockets")
		_ = second.Close()
	}
	res.Body.Close()
	return conn
}

func envelope(t *testing.T, conn *websocket.Conn) (e map[string]any) {
	t.Helper()
	if err := conn.ReadJSON(&e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAnEnvelopeIsDeliveredUntilItIsAcknowledged(t *testing.T) {
	s := New(t)
	ada := s.Person("ada")
	if _, err := s.Command(ada, "C1", "/imagine a fox"); !errors.Is(err, ErrDispatch) {
		t.Errorf("without a bot: %v", err)
	}
	first := dial(t, s)
	type result struct {
		ack Ack
		err error
	}
	done := make(chan result, 1)
	go func() {
		ack, err := s.Command(ada, "C1", "/imagine a fox")
		done <- result{ack, err}
	}()
	id := envelope(t, first)["envelope_id"]
	_ = first.Close()
	second := dial(t, s)
	again := envelope(t, second)
	if again["envelope_id"] != id || again["retry_attempt"] != 1.0 {
		t.Errorf("got %v, want envelope %v again", again, id)
	}
	if err := second.WriteJSON(map[string]any{"envelope_id": id, "payload": map[string]any{"response_type": "ephemeral", "text": "Busy."}}); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.err != nil || r.ack.Text != "Busy." || len(s.Ephemeral(ada)) != 1 {
		t.Errorf("got %+v, and ada was told %v", r, s.Ephemeral(ada))
	}
	if ack, err := s.Command(ada, "C1", "/imagine a fox"); !errors.Is(err, ErrTimeout) || ack.After < Patience {
		t.Errorf("not acknowledged: %v after %v", err, ack.After)
	}
}
