package web

import (
	"image"
	"image/color"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/jobs"
)

func TestStream(t *testing.T) {
	h := newHouse(t)
	v, other := h.visitor(t), h.visitor(t)
	v.say("0", "before")
	l := v.listen("")
	if e := l.until("hello"); e.data != `{"version":"1.2.3"}` || e.id != "" {
		t.Errorf("hello is %+v", e)
	}
	if e := l.until("people"); e.data != mustJSON(t, map[string]any{"people": []any{v.me}}) {
		t.Errorf("people are %s", e.data)
	}
	other.say("1", "after")
	if e := l.until("message"); e.message(t).Text != "after" || e.id != "2" {
		t.Errorf("message %+v, want the one after", e)
	}
}

func TestStreamResumes(t *testing.T) {
	v := newHouse(t).visitor(t)
	for _, text := range []string{"one", "two", "three"} {
		v.say(text, text)
	}
	for _, test := range []struct {
		query   string
		headers []string
		want    []string
	}{
		{"?after=0", nil, []string{"1", "2", "3"}},
		{"?after=2", nil, []string{"3"}},
		{"?after=0", []string{"Last-Event-ID", "1"}, []string{"2", "3"}},
		{"", []string{"Last-Event-ID", "2"}, []string{"3"}},
	} {
		l := v.listen(test.query, test.headers...)
		if got := l.text("three"); !slices.Equal(got, test.want) {
			t.Errorf("%s %v: revisions %v, want %v", test.query, test.headers, got, test.want)
		}
		l.hang()
	}
}

func TestStreamResets(t *testing.T) {
	v := newHouse(t).visitor(t)
	v.say("1", "one")
	stranger := v.house.visitor(t)
	stranger.client.Jar = nil
	for name, l := range map[string]*listener{
		"a revision of the future": v.listen("?after=2"),
		"no revision":              v.listen("", "Last-Event-ID", "one"),
		"a negative revision":      v.listen("?after=-1"),
		"a stranger":               stranger.listen("?after=0"),
	} {
		e, _ := l.next()
		if e.name != "reset" {
			t.Errorf("%s: %+v, want a reset", name, e)
		}
		if e, more := l.next(); more {
			t.Errorf("%s: after the reset there is %+v", name, e)
		}
	}
}

func TestStreamIsPrivate(t *testing.T) {
	h := newHouse(t)
	v, other := h.visitor(t), h.visitor(t)
	if err := h.Tell(t.Context(), "k", general, v.me, "for you alone"); err != nil {
		t.Fatal(err)
	}
	v.say("1", "for all")
	if got := v.listen("?after=0").text("for all"); len(got) != 2 {
		t.Errorf("who was told gets %v, want two messages", got)
	}
	if got := other.listen("?after=0").text("for all"); len(got) != 1 {
		t.Errorf("somebody else gets %v, want one message", got)
	}
}

func TestPeople(t *testing.T) {
	h := newHouse(t)
	v, other := h.visitor(t), h.visitor(t)
	l := v.listen("")
	here := func(want ...string) {
		t.Helper()
		for {
			data := l.until("people").data
			if strings.Count(data, `"id"`) == len(want) && !slices.ContainsFunc(want, func(name string) bool { return !strings.Contains(data, name) }) {
				return
			}
		}
	}
	here(v.me.ID)
	first, second := other.listen(""), other.listen("")
	first.until("people")
	second.until("people")
	here(v.me.ID, other.me.ID) // once, though the page is open twice
	other.send("POST", "/api/session", `{"name":"Ada"}`)
	here(v.me.ID, `"Ada"`)
	first.hang()
	second.hang()
	here(v.me.ID)
}

func TestProgress(t *testing.T) {
	h := newHouse(t)
	v := h.visitor(t)
	if _, err := h.Post(t.Context(), general, jobMessage("01J", v.me, "queued")); err != nil {
		t.Fatal(err)
	}
	h.Progress(general, "01J", jobs.Progress{Ahead: 2})
	l := v.listen("?after=0")
	if e := l.until("progress"); e.data != `{"job":"01J","ahead":2,"calls":0,"total":0,"left":0,"previews":{}}` || e.id != "" {
		t.Errorf("progress of before is %+v", e)
	}
	sketch := image.NewGray(image.Rect(0, 0, 2, 2))
	sketch.Set(1, 1, color.White)
	h.Progress(general, "01J", jobs.Progress{Calls: 3, Total: 20, Previews: map[int]image.Image{1: sketch}})
	e := l.until("progress")
	if want := `{"job":"01J","ahead":0,"calls":3,"total":20,"left":0,"previews":{"1":"data:image/png;base64,`; !strings.HasPrefix(e.data, want) {
		t.Errorf("progress is %s, want %s…", e.data, want)
	}

	if err := h.Show(t.Context(), general, "01J", jobMessage("01J", v.me, "done")); err != nil {
		t.Fatal(err)
	}
	late := v.listen("?after=0")
	for {
		e, ok := late.next()
		if e.name == "progress" {
			t.Error("a job that is over still gets on")
		}
		if e.name == "people" || !ok { // the last of what is sent at first
			break
		}
	}
}

func TestStreamBeats(t *testing.T) {
	v := newHouse(t, func(c *Channel) { c.beat = time.Millisecond }).visitor(t)
	l := v.listen("")
	l.until(":")
	l.until(":")
}

func TestStreamsEndAtShutdown(t *testing.T) {
	h := newHouse(t)
	v := h.visitor(t)
	l := v.listen("")
	l.until("people")
	h.Close()
	h.Close() // once is enough, twice is harmless
	for {
		if _, ok := l.next(); !ok {
			return
		}
	}
}

// Somebody who reads nothing is cut off, and nobody waits for them.
func TestSlowReader(t *testing.T) {
	h := newHouse(t, func(c *Channel) { c.linger = 2 * time.Second })
	v, slow := h.visitor(t), h.visitor(t)
	l := v.listen("")
	slow.hold(t)
	for !strings.Contains(l.until("people").data, slow.me.ID) {
		continue
	}
	big := strings.Repeat("x", 1<<20)
	for range 24 { // more than the network's buffers hold
		if _, err := h.insert(t.Context(), row{kind: kindChat, author: v.me, body: big, created: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	v.say("last", "last")
	for messages, people := false, false; !messages || !people; {
		switch e, ok := l.next(); {
		case !ok:
			t.Fatal("who does read was cut off")
		case e.name == "message":
			messages = messages || e.message(t).Text == "last"
		case e.name == "people":
			people = people || !strings.Contains(e.data, slow.me.ID)
		}
	}
}

// hold opens a stream and never reads from it.
func (v *visitor) hold(t *testing.T) {
	t.Helper()
	address := strings.TrimPrefix(v.house.url, "http://")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodGet, v.house.url+"/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range v.client.Jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
}
