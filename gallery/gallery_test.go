package gallery

import (
	"database/sql"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/store"
)

// open opens a gallery of the test's own.
func open(tb testing.TB) *Gallery {
	tb.Helper()
	dir := tb.TempDir()
	db, err := store.Open(tb.Context(), filepath.Join(dir, "easel.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	g, err := Open(db, filepath.Join(dir, "[pictures]")) // not a pattern
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

var (
	created = time.UnixMilli(1_700_000_000_123).UTC()
	member  = Scope{Tenant: "t", Channel: "c", Viewer: "ann"}
)

// picture is an entry that member made, without a file.
func picture(job string, index int) Entry {
	return Entry{
		Job: job, Index: index, Tenant: "t", Channel: "c", Owner: "ann", Visibility: InChannel,
		Request: imagine.Request{Prompt: "a red fox", Width: 128, Height: 128, Count: 4, Seed: 7, Sampler: "ddim", Steps: 20},
		Model:   "builtin", Width: 128, Height: 128, Verdict: "allow", Created: created,
	}
}

func put(tb testing.TB, g *Gallery, entries ...Entry) {
	tb.Helper()
	if err := tryPut(tb, g, entries...); err != nil {
		tb.Fatal(err)
	}
}

func tryPut(tb testing.TB, g *Gallery, entries ...Entry) error {
	tb.Helper()
	return g.db.Write(tb.Context(), func(tx *sql.Tx) error { return g.Put(tb.Context(), tx, entries...) })
}

func remove(tb testing.TB, g *Gallery, job string) {
	tb.Helper()
	if err := g.db.Write(tb.Context(), func(tx *sql.Tx) error { return g.Delete(tb.Context(), tx, job) }); err != nil {
		tb.Fatal(err)
	}
}

func TestEntryComesBackAsItWas(t *testing.T) {
	g := open(t)
	plain := picture("01A", 0)
	full := picture("01A", 3)
	full.Visibility, full.Verdict, full.Took = Private, "review", 1500*time.Millisecond
	full.Parent, full.Blob = &Parent{Job: "019", Index: 2}, strings.Repeat("0f", 32)
	full.Request = imagine.Request{
		Prompt: "<b>\"quoted\"</b> \u202e\n漢字", Negative: "fog", Width: 64, Height: 96, Count: 4, Seed: -1 << 63,
		Path: []imagine.Variation{{Seed: 1, Strength: .25}}, Variation: imagine.Variation{Seed: 1<<63 - 1, Strength: 1. / 3},
		Sampler: "euler", Steps: 1000, Guidance: 7.5, Eta: .1,
	}
	put(t, g, full, plain)
	got, err := g.OfJob(t.Context(), member, "01A")
	if want := []Entry{plain, full}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("OfJob: %v\n%+v, want\n%+v", err, got, want)
	}
	one, err := g.Picture(t.Context(), member, "01A", 3)
	if err != nil || !reflect.DeepEqual(one, full) {
		t.Errorf("Picture: %v\n%+v, want\n%+v", err, one, full)
	}
}

func TestPutAgainChangesNothing(t *testing.T) {
	g := open(t)
	first := picture("01A", 0)
	put(t, g, first)
	second := first
	second.Owner, second.Verdict = "mallory", "block"
	put(t, g, second, picture("01A", 1))
	got, err := g.OfJob(t.Context(), member, "01A")
	if want := []Entry{first, picture("01A", 1)}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("OfJob: %v\n%+v, want\n%+v", err, got, want)
	}
}

// What nobody could find, or everybody could, is not recorded, nor is anything beside it.
func TestPutRefuses(t *testing.T) {
	g := open(t)
	for name, spoil := range map[string]func(*Entry){
		"no tenant":          func(e *Entry) { e.Tenant = "" },
		"no channel":         func(e *Entry) { e.Channel = "" },
		"no owner":           func(e *Entry) { e.Owner = "" },
		"no visibility":      func(e *Entry) { e.Visibility = "" },
		"unknown visibility": func(e *Entry) { e.Visibility = "everyone" },
		"path as blob":       func(e *Entry) { e.Blob = "../../etc/passwd" },
		"long path as blob":  func(e *Entry) { e.Blob = "../" + strings.Repeat("a", 61) },
		"capitals as blob":   func(e *Entry) { e.Blob = strings.Repeat("AB", 32) },
	} {
		t.Run(name, func(t *testing.T) {
			bad := picture("01A", 1)
			spoil(&bad)
			if err := tryPut(t, g, picture("01A", 0), bad); err == nil {
				t.Error("it was recorded")
			}
			if got, err := g.OfJob(t.Context(), member, "01A"); err != nil || len(got) != 0 {
				t.Errorf("OfJob: %d entries (%v), want none", len(got), err)
			}
		})
	}
}

func TestDeleteIsForGood(t *testing.T) {
	g := open(t)
	put(t, g, picture("01A", 0), picture("01A", 1), picture("01B", 0))
	remove(t, g, "01A")
	remove(t, g, "01A") // again is harmless
	if got := jobs(t, g, member, "", 9); got != "01B0" {
		t.Errorf("left over: %s, want 01B0", got)
	}
	var rows int
	if err := g.db.Reader().QueryRow("SELECT count(*) FROM pictures").Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d rows (%v), want 1", rows, err)
	}
}

func TestNoPicture(t *testing.T) {
	g := open(t)
	put(t, g, picture("01A", 0))
	for _, c := range []struct {
		job   string
		index int
	}{{"01A", 1}, {"01A", -1}, {"01B", 0}, {"", 0}, {"%", 0}, {"01a", 0}, {"../01A", 0}, {"01A' OR 1=1 --", 0}, {"01A\x00", 0}} {
		if _, err := g.Picture(t.Context(), member, c.job, c.index); !errors.Is(err, ErrNotFound) {
			t.Errorf("Picture(%q, %d): %v, want %v", c.job, c.index, err, ErrNotFound)
		}
		if _, err := g.File(t.Context(), member, c.job, c.index); !errors.Is(err, ErrNotFound) {
			t.Errorf("File(%q, %d): %v, want %v", c.job, c.index, err, ErrNotFound)
		}
	}
}

// What cannot be read is not taken for what is not there.
func TestClosedDatabase(t *testing.T) {
	g := open(t)
	if err := g.db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Picture(t.Context(), member, "01A", 0); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("Picture: %v, want another error", err)
	}
	if _, err := g.Recent(t.Context(), member, "", 9); err == nil {
		t.Error("Recent: no error")
	}
}
