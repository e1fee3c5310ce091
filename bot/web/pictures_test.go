package web

import (
	"database/sql"
	"net/http"
	"testing"
	"time"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/imagine"
)

// hang puts a picture into the gallery.
func (h *house) hang(t *testing.T, job string, owner bot.Person, v gallery.Visibility, file []byte) {
	t.Helper()
	blob := ""
	var err error
	if file != nil {
		if blob, err = h.gallery.Keep(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	err = h.db.Write(t.Context(), func(tx *sql.Tx) error {
		return h.gallery.Put(t.Context(), tx, gallery.Entry{
			Job: job, Index: 1, Tenant: general.Tenant, Channel: general.Channel, Owner: owner.ID, Visibility: v,
			Request: imagine.Request{Prompt: "a red fox", Width: 1, Height: 1, Count: 2, Seed: 41, Sampler: "ddim", Steps: 1},
			Width:   1, Height: 1, Blob: blob, Verdict: "allow", Created: time.Now(),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPictures(t *testing.T) {
	h := newHouse(t)
	v, other := h.visitor(t), h.visitor(t)
	file := []byte("\x89PNG what is in it does not matter here")
	h.hang(t, "01SHARED", v.me, gallery.InChannel, file)
	h.hang(t, "01OWN", v.me, gallery.Private, []byte("\x89PNG private"))
	h.hang(t, "01VEILED", v.me, gallery.InChannel, nil)

	a := other.send("GET", "/pictures/01SHARED/1.png", "")
	if a.status != http.StatusOK || string(a.body) != string(file) {
		t.Fatalf("%d %q", a.status, a.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/png", "Cache-Control": "private, no-cache",
		"X-Content-Type-Options": "nosniff", "Content-Disposition": "",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	a = other.send("GET", "/pictures/01SHARED/1.png?download=1", "")
	if got, want := a.header.Get("Content-Disposition"), `attachment; filename="easel-42.png"`; got != want {
		t.Errorf("Content-Disposition is %q, want %q", got, want)
	}
	if a := v.send("GET", "/pictures/01OWN/1.png", ""); a.status != http.StatusOK {
		t.Errorf("one's own picture: %d", a.status)
	}

	stranger := h.visitor(t)
	stranger.client.Jar = nil
	for _, test := range []struct {
		who  *visitor
		path string
	}{
		{other, "/pictures/01OWN/1.png"},
		{v, "/pictures/01VEILED/1.png"},
		{stranger, "/pictures/01SHARED/1.png"},
		{v, "/pictures/01SHARED/0.png"},
		{v, "/pictures/01SHARED/1.jpg"},
		{v, "/pictures/01SHARED/1"},
		{v, "/pictures/01SHARED/-1.png"},
		{v, "/pictures/01SHARED/99999999999.png"},
		{v, "/pictures/..%2f..%2feasel.db/1.png"},
	} {
		a := test.who.send("GET", test.path, "")
		if a.status != http.StatusNotFound || a.header.Get("Content-Type") == "image/png" {
			t.Errorf("%s: %d", test.path, a.status)
		}
	}
}
