package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// open opens a database of the test's own, with a table to try things on.
func open(tb testing.TB) *DB {
	tb.Helper()
	d := reopen(tb, filepath.Join(tb.TempDir(), "easel.db"))
	err := d.Write(tb.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)")
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func reopen(tb testing.TB, file string) *DB {
	tb.Helper()
	d, err := Open(tb.Context(), file)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return d
}

// insert returns what Write is to do.
func insert(name string) func(tx *sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO things (name) VALUES ($1)", name)
		return err
	}
}

func count(tb testing.TB, d *DB) (n int) {
	tb.Helper()
	if err := d.Reader().QueryRowContext(tb.Context(), "SELECT count(*) FROM things").Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}

func TestSettings(t *testing.T) {
	d := open(t)
	for _, c := range []struct {
		pool          *sql.DB
		pragma, value string
	}{
		{d.write, "journal_mode", "wal"},
		{d.write, "synchronous", "2"}, // FULL
		{d.write, "foreign_keys", "1"},
		{d.write, "busy_timeout", "10000"},
		{d.read, "query_only", "1"},
		{d.read, "busy_timeout", "10000"},
	} {
		var got string
		if err := c.pool.QueryRow("PRAGMA " + c.pragma).Scan(&got); err != nil || got != c.value {
			t.Errorf("%s = %q (%v), want %q", c.pragma, got, err, c.value)
		}
	}
}

// The names a folder may have are not those a URI may have.
func TestFilesAreForTheOwner(t *testing.T) {
	for _, name := range []string{"new", "50% off? #1&x=y", "ünter"} {
		dir := filepath.Join(t.TempDir(), name)
		d := reopen(t, filepath.Join(dir, "easel.db"))
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec("CREATE TABLE x (y)"); return err }); err != nil {
			t.Fatal(err)
		}
		for file, want := range map[string]fs.FileMode{".": fs.ModeDir | 0o700, "easel.db": 0o600, "easel.db-wal": 0o600, "easel.db-shm": 0o600} {
			info, err := os.Stat(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != want {
				t.Errorf("%s in %q: mode %v, want %v", file, name, info.Mode(), want)
			}
		}
	}
}

func TestWriteAndRead(t *testing.T) {
	d := open(t)
	if err := d.Write(t.Context(), insert("a")); err != nil {
		t.Fatal(err)
	}
	if got := count(t, d); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestErrorUndoes(t *testing.T) {
	d, want := open(t), errors.New("changed my mind")
	err := d.Write(t.Context(), func(tx *sql.Tx) error { return errors.Join(insert("a")(tx), want) })
	if !errors.Is(err, want) {
		t.Errorf("Write: %v, want %v", err, want)
	}
	if got := count(t, d); got != 0 {
		t.Errorf("%d rows, want none", got)
	}
}

func TestPanicUndoes(t *testing.T) {
	d := open(t)
	func() {
		defer func() {
			if r := recover(); r != "oh" {
				t.Errorf("recovered %v, want oh", r)
			}
		}()
		_ = d.Write(t.Context(), func(tx *sql.Tx) error { _ = insert("a")(tx); panic("oh") })
	}()
	if err := d.Write(t.Context(), insert("b")); err != nil { // the turn was given back
		t.Fatal(err)
	}
	if got := count(t, d); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestForeignKeysHold(t *testing.T) {
	d := open(t)
	err := d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO outbox (key, job, effect, created, due) VALUES ('k', 'no such job', 'post', 0, 0)")
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "FOREIGN KEY") {
		t.Errorf("an effect of no job: %v, want a foreign key's error", err)
	}
}

func TestReaderCannotWrite(t *testing.T) {
	d := open(t)
	if _, err := d.Reader().Exec("INSERT INTO things (name) VALUES ('a')"); err == nil {
		t.Error("the reader wrote")
	}
	if got := count(t, d); got != 0 {
		t.Errorf("%d rows, want none", got)
	}
}

// Readers see what is committed, whole, and neither wait for a writer nor hold one up.
func TestReadersBesideAWriter(t *testing.T) {
	d := open(t)
	rows, err := d.Reader().QueryContext(t.Context(), "SELECT count(*) FROM things")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	err = d.Write(t.Context(), func(tx *sql.Tx) error {
		err := insert("a")(tx)
		if got := count(t, d); got != 0 {
			t.Errorf("%d rows before the commit, want none", got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := count(t, d); got != 1 {
		t.Errorf("%d rows after the commit, want 1", got)
	}
	if rows.Err() != nil {
		t.Error(rows.Err())
	}
}

// Each adds one to what it read: a lost turn would lose a number.
func TestWritersTakeTurns(t *testing.T) {
	const writers, each = 8, 10
	file := filepath.Join(t.TempDir(), "easel.db")
	dbs := []*DB{reopen(t, file), reopen(t, file)} // as two processes have it
	if err := dbs[0].Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("CREATE TABLE n (n INTEGER); INSERT INTO n VALUES (0)")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for range each {
				if err := dbs[i%2].Write(t.Context(), increment); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var got int
	if err := dbs[1].Reader().QueryRow("SELECT n FROM n").Scan(&got); err != nil || got != writers*each {
		t.Errorf("counted to %d (%v), want %d", got, err, writers*each)
	}
}

func increment(tx *sql.Tx) error {
	var n int
	if err := tx.QueryRow("SELECT n FROM n").Scan(&n); err != nil {
		return err
	}
	_, err := tx.Exec("UPDATE n SET n = $1", n+1)
	return err
}

// busy holds the writer's turn until release is called.
func busy(t *testing.T, d *DB) (release func()) {
	t.Helper()
	begun, end, done := make(chan bool), make(chan bool), make(chan error)
	go func() {
		done <- d.Write(t.Context(), func(*sql.Tx) error { close(begun); <-end; return nil })
	}()
	<-begun
	return func() {
		t.Helper()
		close(end)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestContextEndsTheWait(t *testing.T) {
	d := open(t)
	file := filepath.Join(t.TempDir(), "other.db")
	one, other := reopen(t, file), reopen(t, file)
	for name, c := range map[string]struct{ holds, waits *DB }{"in this process": {d, d}, "for another": {one, other}} {
		t.Run(name, func(t *testing.T) {
			defer busy(t, c.holds)()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			err := c.waits.Write(ctx, func(*sql.Tx) error { t.Error("it got a turn"); return nil })
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Write: %v, want %v", err, context.DeadlineExceeded)
			}
		})
	}
}

func TestContextEndsTheTransaction(t *testing.T) {
	d := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := d.Write(ctx, func(tx *sql.Tx) error {
		defer cancel()
		return insert("a")(tx)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Write: %v, want %v", err, context.Canceled)
	}
	if got := count(t, d); got != 0 {
		t.Errorf("%d rows, want none", got)
	}
}

func TestCloseWaits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "easel.db")
	d := reopen(t, file)
	begun, end, written, closed := make(chan bool), make(chan bool), make(chan error, 1), make(chan error, 1)
	go func() {
		written <- d.Write(context.Background(), func(tx *sql.Tx) error {
			close(begun)
			<-end
			_, err := tx.Exec("CREATE TABLE things (x); INSERT INTO things VALUES (1)")
			return err
		})
	}()
	<-begun
	go func() { closed <- d.Close() }()
	for d.write.Stats().WaitCount == 0 { // until Close is in the queue
		select {
		case err := <-closed:
			t.Fatalf("closed (%v) beside a transaction", err)
		default:
			runtime.Gosched()
		}
	}
	close(end)
	if err := errors.Join(<-written, <-closed); err != nil {
		t.Fatal(err)
	}
	if got := count(t, reopen(t, file)); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestClosed(t *testing.T) {
	d := open(t)
	for range 2 { // closing twice is harmless
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Write(t.Context(), insert("a")); err == nil {
		t.Error("Write after Close: no error")
	}
	if err := d.Reader().Ping(); err == nil {
		t.Error("Reader after Close: no error")
	}
}

// What a small transaction costs: mostly the wait for the disk.
func BenchmarkWrite(b *testing.B) {
	d := open(b)
	for b.Loop() {
		if err := d.Write(b.Context(), insert("a")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadBesideAWriter(b *testing.B) {
	d := open(b)
	ctx, stop := context.WithCancel(b.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		var err error
		for err == nil {
			err = d.Write(ctx, insert("a"))
		}
	})
	var name string
	for b.Loop() {
		err := d.Reader().QueryRow("SELECT name FROM things WHERE id = 1").Scan(&name)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			b.Fatal(err)
		}
	}
	stop()
	writer.Wait()
}
