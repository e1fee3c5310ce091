package web

import (
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"
	"testing"

	"github.com/easelbot/easel/bot"
)

func TestPage(t *testing.T) {
	v := newHouse(t).visitor(t)
	v.client.Jar = nil // nobody yet
	a := v.send("GET", "/", "")
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || len(a.body) == 0 {
		t.Fatalf("the page: %d %v", a.status, a.header)
	}
	cookie := a.header.Get("Set-Cookie")
	for _, part := range []string{"Path=/", "Max-Age=31536000", "HttpOnly", "SameSite=Strict"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q lacks %q", cookie, part)
		}
	}
	if !regexp.MustCompile(`^easel\d+=[A-Z2-7]{26};`).MatchString(cookie) {
		t.Errorf("cookie %q has no token of 128 bits under a name with the port", cookie)
	}
	var kept int
	token := regexp.MustCompile(`[A-Z2-7]{26}`).FindString(cookie)
	err := v.house.db.Reader().QueryRowContext(t.Context(), `SELECT count(*) FROM web_people WHERE token_hash = $1`, token).Scan(&kept)
	if err != nil || kept != 0 {
		t.Errorf("the token itself is in the database (%v)", err)
	}
	if again := v.send("GET", "/", "", "If-None-Match", a.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("the same page again: %d, want 304", again.status)
	}
}

func TestStatic(t *testing.T) {
	v := newHouse(t).visitor(t)
	for path, want := range map[string]struct {
		status int
		kind   string
	}{
		"/static/app.js":               {http.StatusOK, "text/javascript; charset=utf-8"},
		"/static/style.css":            {http.StatusOK, "text/css; charset=utf-8"},
		"/static/icon.svg":             {http.StatusOK, "image/svg+xml"},
		"/static/none.js":              {http.StatusNotFound, "application/json; charset=utf-8"},
		"/static/":                     {http.StatusNotFound, "application/json; charset=utf-8"},
		"/static/..%2fpage.go":         {http.StatusNotFound, "application/json; charset=utf-8"},
		"/static/%2e%2e%2fchannel.go":  {http.StatusNotFound, "application/json; charset=utf-8"},
		"/static/a/b.js":               {http.StatusNotFound, "application/json; charset=utf-8"},
		"/somewhere":                   {http.StatusNotFound, "application/json; charset=utf-8"},
		"/static/app.js?anything=else": {http.StatusOK, "text/javascript; charset=utf-8"},
	} {
		a := v.send("GET", path, "")
		if a.status != want.status || a.header.Get("Content-Type") != want.kind {
			t.Errorf("%s: %d %q, want %d %q", path, a.status, a.header.Get("Content-Type"), want.status, want.kind)
		}
		if a.status == http.StatusOK && (a.header.Get("ETag") == "" || a.header.Get("Cache-Control") != "no-cache") {
			t.Errorf("%s: cached without being asked about", path)
		}
	}
}

func TestSession(t *testing.T) {
	h := newHouse(t)
	v := h.visitor(t)
	var s session
	v.get("/api/session", &s)
	if s.Me != v.me || s.Me.ID == "" || !strings.Contains(s.Me.Name, " ") {
		t.Errorf("me %+v, want %+v with a friendly name", s.Me, v.me)
	}
	if s.Version != "1.2.3" || len(s.Options) != 1 || s.Options[0] != (hint{Name: "size", Hint: "128x128", Help: "width and height in pixels"}) {
		t.Errorf("session %+v", s)
	}
	if len(s.Commands) == 0 || s.Commands[0].Name != "imagine" || s.Commands[0].Example == "" {
		t.Errorf("commands %+v", s.Commands)
	}
	if other := h.visitor(t); other.me.ID == v.me.ID {
		t.Error("two browsers are one person")
	}
}

func TestSessionOfAnotherDataFolder(t *testing.T) {
	v := newHouse(t).visitor(t)
	v.house = newHouse(t) // on another port
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v.client.Jar = jar
	old := []string{"Cookie", strings.Replace(v.house.url, "http://127.0.0.1:", "easel", 1) + "=AAAAAAAAAAAAAAAAAAAAAAAAAA"}
	for path, body := range map[string]string{
		"/api/commands": `{"key":"k","text":"hello"}`,
		"/api/actions":  `{"key":"k","job":"j","action":"cancel"}`,
		"/api/session":  `{"name":"Ada"}`,
	} {
		if a := v.send("POST", path, body, old...); a.status != http.StatusUnauthorized || problemOf(t, a).Code != "session" {
			t.Errorf("%s with an old cookie: %d %s", path, a.status, a.body)
		}
	}
	if a := v.send("GET", "/api/messages", "", old...); a.status != http.StatusUnauthorized {
		t.Errorf("messages with an old cookie: %d", a.status)
	}
	if a := v.send("GET", "/api/session", "", old...); a.status != http.StatusOK || a.header.Get("Set-Cookie") == "" {
		t.Errorf("the session with an old cookie: %d, cookie %q", a.status, a.header.Get("Set-Cookie"))
	}
}

// A link on another site leads to the page without the cookie; it must not be replaced.
func TestSessionBehindLink(t *testing.T) {
	v := newHouse(t).visitor(t)
	v.client.Jar = nil
	a := v.send("GET", "/", "", "Sec-Fetch-Site", "cross-site")
	if a.status != http.StatusOK || a.header.Get("Set-Cookie") != "" {
		t.Errorf("status %d, cookie %q", a.status, a.header.Get("Set-Cookie"))
	}
	if a := v.send("GET", "/api/session", "", "Sec-Fetch-Site", "cross-site"); a.status != http.StatusUnauthorized {
		t.Errorf("another site has a session: %d", a.status)
	}
}

func TestRename(t *testing.T) {
	h := newHouse(t)
	v, other := h.visitor(t), h.visitor(t)
	before := v.say("1", "before")
	for _, who := range []*visitor{v, other} { // two may have one name
		var s session
		who.post("/api/session", map[string]string{"name": "  Ada\u202e <b>"}, http.StatusOK, &s)
		if want := (bot.Person{ID: who.me.ID, Name: "Ada <b>"}); s.Me != want {
			t.Errorf("me %+v, want %+v", s.Me, want)
		}
	}
	v.say("2", "after")
	list, _ := v.history()
	if list[0].ID != before || list[0].Author.Name != v.me.Name || list[1].Author.Name != "Ada <b>" {
		t.Errorf("names %q and %q", list[0].Author.Name, list[1].Author.Name)
	}
	for name, code := range map[string]string{
		"": "option", strings.Repeat("x", 5000): "option", "\u0301\u0302": "option", "a " + refuse: "refused",
	} {
		a := v.send("POST", "/api/session", `{"name":"`+name+`"}`)
		if p := problemOf(t, a); a.status != statuses[code] || p.Code != code || p.Message == "" {
			t.Errorf("%.20q: %d %+v, want %s", name, a.status, p, code)
		}
	}
}
