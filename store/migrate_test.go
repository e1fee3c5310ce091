package store

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func tables(t *testing.T, d *DB) (names []string) {
	t.Helper()
	rows, err := d.Reader().Query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func TestMigrateFromNothingAndAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "easel.db")
	first := reopen(t, file)
	got := tables(t, first)
	for _, want := range []string{"jobs", "outbox", "pictures"} {
		if !slices.Contains(got, want) {
			t.Errorf("tables %v, want %s among them", got, want)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if again := tables(t, reopen(t, file)); !slices.Equal(again, got) {
		t.Errorf("tables %v when opened again, want %v", again, got)
	}
}

func TestMigrateDown(t *testing.T) {
	d := reopen(t, filepath.Join(t.TempDir(), "easel.db"))
	p, err := provider(d.write)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if got, want := tables(t, d), []string{"goose_db_version", "sqlite_sequence"}; !slices.Equal(got, want) {
		t.Errorf("tables %v, want %v", got, want)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Errorf("up again: %v", err)
	}
}

func TestMigrateSideBySide(t *testing.T) {
	file := filepath.Join(t.TempDir(), "easel.db")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			d, err := Open(t.Context(), file)
			if err != nil {
				t.Error(err)
				return
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestNewerDatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "easel.db")
	d := reopen(t, file)
	err := d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (90000, 1)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), file)
	wantWords(t, err, file, "newer easel", "schema 90000", "update easel")
}

func TestOtherFiles(t *testing.T) {
	for name, text := range map[string]string{
		"text":    strings.Repeat("Dear diary, ", 1000),
		"torn":    "SQLite format 3\x00" + strings.Repeat("\xff", 4080),
		"a short": "hello",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "easel.db")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), file)
			wantWords(t, err, file, "damaged or something else", "backup")
			if got, err := os.ReadFile(file); err != nil || string(got) != text {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func TestAFolderInTheWay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "easel.db")
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), file)
	wantWords(t, err, file, "data_dir")
}

func wantWords(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q, want %q in it", err, word)
		}
	}
}
