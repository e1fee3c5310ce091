package gallery

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// keep stores bytes and names them in a row, if job is not empty.
func keep(tb testing.TB, g *Gallery, job string, file []byte) (blob string) {
	tb.Helper()
	blob, err := g.Keep(tb.Context(), file)
	if err != nil {
		tb.Fatal(err)
	}
	if job != "" {
		e := picture(job, 0)
		e.Blob = blob
		put(tb, g, e)
	}
	return blob
}

func TestKeepAndFile(t *testing.T) {
	g := open(t)
	rapid.Check(t, func(r *rapid.T) {
		file := rapid.SliceOf(rapid.Byte()).Draw(r, "file")
		keep(t, g, "01A", file)
		defer remove(t, g, "01A")
		if got, err := g.File(t.Context(), member, "01A", 0); err != nil || !bytes.Equal(got, file) {
			r.Errorf("File: %v (%v), want %v", got, err, file)
		}
	})
}

func TestKeepNamesByContent(t *testing.T) {
	g := open(t)
	const want = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // FIPS 180-4, of "hello"
	for range 2 {
		if got := keep(t, g, "", []byte("hello")); got != want {
			t.Errorf("Keep: %s, want %s", got, want)
		}
	}
	info, err := os.Stat(filepath.Join(g.dir, "2c", want))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != 0o600 {
		t.Errorf("mode %v, want 0600", got)
	}
	if got := files(t, g); len(got) != 1 {
		t.Errorf("files %v, want one", got)
	}
}

// files lists all files of the gallery.
func files(t *testing.T, g *Gallery) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS(g.dir), "*/*")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestDamagedFile(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(path string) error
		want string
	}{
		"a changed byte": {func(path string) error { return os.WriteFile(path, []byte("jello"), 0o600) }, "is damaged"},
		"cut short":      {func(path string) error { return os.Truncate(path, 3) }, "is damaged"},
		"gone":           {os.Remove, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			blob := keep(t, g, "01A", []byte("hello"))
			if err := c.harm(g.path(blob)); err != nil {
				t.Fatal(err)
			}
			_, err := g.File(t.Context(), member, "01A", 0)
			if err == nil || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), blob) {
				t.Errorf("File: %v, want that %s %s", err, blob, c.want)
			}
			keep(t, g, "", []byte("hello")) // mends it
			if got, err := g.File(t.Context(), member, "01A", 0); err != nil || string(got) != "hello" {
				t.Errorf("File after it was kept again: %q, %v", got, err)
			}
		})
	}
}

func TestWithheldPictureHasNoFile(t *testing.T) {
	g := open(t)
	e := picture("01A", 0)
	e.Verdict = "block"
	put(t, g, e)
	if _, err := g.File(t.Context(), member, "01A", 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("File: %v, want %v", err, ErrNotFound)
	}
}

func TestKeepFails(t *testing.T) {
	g := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Keep(ctx, []byte("hello")); !errors.Is(err, context.Canceled) {
		t.Errorf("Keep: %v, want %v", err, context.Canceled)
	}
	if err := os.RemoveAll(g.dir); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Keep(t.Context(), []byte("hello")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Keep without its folder: %v, want %v", err, fs.ErrNotExist)
	}
	if err := os.WriteFile(g.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(g.db, g.dir); err == nil || !strings.Contains(err.Error(), "data_dir") {
		t.Errorf("Open with a file in the way: %v, want an error that says what to do", err)
	}
}

// age makes a file look as if it was kept before.
func age(tb testing.TB, path string, by time.Duration) {
	tb.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(path, then, then); err != nil {
		tb.Fatal(err)
	}
}

func TestSweep(t *testing.T) {
	g := open(t)
	place := func(name string, old time.Duration) (path string) {
		path = filepath.Join(g.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		age(t, path, old)
		return path
	}
	named, old, young, again := g.path(keep(t, g, "01A", []byte("named"))), g.path(keep(t, g, "", []byte("old"))),
		g.path(keep(t, g, "", []byte("young"))), g.path(keep(t, g, "", []byte("again")))
	for _, path := range []string{named, old, again} {
		age(t, path, 2*time.Hour)
	}
	age(t, young, 59*time.Minute)
	keep(t, g, "", []byte("again"))
	deleted := g.path(keep(t, g, "01B", []byte("deleted")))
	age(t, deleted, 2*time.Hour)
	remove(t, g, "01B")

	stays := []string{
		named, young, again,
		place("ab/"+unfinished+"1", 59*time.Minute),
		place("ab/notes.txt", 9*time.Hour),
		place("README", 9*time.Hour),
		place("ab/"+strings.Repeat("G", 64), 9*time.Hour),
	}
	goes := []string{old, deleted, place("ab/"+unfinished+"2", 2*time.Hour)}

	if removed, err := g.Sweep(t.Context()); err != nil || removed != len(goes) {
		t.Errorf("Sweep: %d removed (%v), want %d", removed, err, len(goes))
	}
	for _, path := range stays {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("it should have stayed: %v", err)
		}
	}
	for _, path := range goes {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s should have gone (%v)", path, err)
		}
	}
	if removed, err := g.Sweep(t.Context()); err != nil || removed != 0 {
		t.Errorf("a second Sweep: %d removed (%v), want none", removed, err)
	}
}

func TestSweepFails(t *testing.T) {
	g := open(t)
	path := g.path(keep(t, g, "", []byte("old")))
	age(t, path, 2*time.Hour)
	if err := g.db.Close(); err != nil {
		t.Fatal(err)
	}
	if removed, err := g.Sweep(t.Context()); err == nil || removed != 0 {
		t.Errorf("Sweep without a database: %d removed (%v), want an error", removed, err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("what could not be asked about should have stayed: %v", err)
	}
}

// A file that was left over is kept again while it is swept: once Keep has returned, it stays.
func TestKeepBesideSweep(t *testing.T) {
	g, file := open(t), []byte("hello")
	path := g.path(keep(t, g, "", file))
	ctx, stop := context.WithCancel(t.Context())
	var sweeper sync.WaitGroup
	defer sweeper.Wait()
	defer stop()
	sweeper.Go(func() {
		for ctx.Err() == nil {
			if _, err := g.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 200 {
		age(t, path, 2*time.Hour)
		keep(t, g, "", file)
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
}
