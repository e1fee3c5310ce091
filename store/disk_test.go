package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestIsFull(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("database or disk is full"), false}, // words are not enough
		{fmt.Errorf("keeping: %w", &os.PathError{Op: "write", Err: syscall.ENOSPC}), true},
		{errors.Join(errors.New("and"), syscall.EDQUOT), true},
		{syscall.EFBIG, true},
		{syscall.EIO, false},
	} {
		if got := IsFull(c.err); got != c.want {
			t.Errorf("IsFull(%v) = %v, want %v", c.err, got, c.want)
		}
	}
}

func TestFullDatabase(t *testing.T) {
	d := open(t)
	if _, err := d.write.Exec("PRAGMA max_page_count = 1"); err != nil { // of the pages there are
		t.Fatal(err)
	}
	err := d.Write(t.Context(), insert(strings.Repeat("x", 1<<16)))
	if !IsFull(err) {
		t.Errorf("IsFull(%v) = false", err)
	}
	if _, err := d.write.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), insert("x")); err != nil {
		t.Errorf("after room was made: %v", err)
	}
	if got := count(t, d); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

// alone runs the test named by t in a process with mounts of its own, where it is root, and tells whether this is it.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv("EASEL_TEST_ALONE") == t.Name() {
		return true
	}
	if err := exec.Command("unshare", "-rm", "true").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("unshare -rm: %v", err)
		}
		t.Skipf("no mounts of our own here: unshare -rm: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-rm", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "EASEL_TEST_ALONE="+t.Name())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// disk mounts a small disk in memory.
func disk(t *testing.T, options string) (dir string, remount func(options string)) {
	t.Helper()
	dir = t.TempDir()
	mount := func(options string) {
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v: %s", err, out)
		}
	}
	mount(options)
	t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
	return dir, func(options string) { mount("remount," + options) }
}

func TestFullDisk(t *testing.T) {
	if !alone(t) {
		return
	}
	dir, remount := disk(t, "size=1m")
	d := reopen(t, filepath.Join(dir, "easel.db"))
	if err := d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	kept, err := 0, error(nil)
	for err == nil {
		if err = d.Write(t.Context(), insert(strings.Repeat("x", 10_000))); err == nil {
			kept++
		}
	}
	if !IsFull(err) {
		t.Errorf("IsFull(%v) = false", err)
	}
	if got := count(t, d); got != kept {
		t.Errorf("%d rows on the full disk, want the %d that were committed", got, kept)
	}
	remount("size=4m")
	if err := d.Write(t.Context(), insert("x")); err != nil {
		t.Errorf("after room was made: %v", err)
	}
	if got := count(t, d); got != kept+1 {
		t.Errorf("%d rows, want %d", got, kept+1)
	}
}

func TestOpenOnAFullDisk(t *testing.T) {
	if !alone(t) {
		return
	}
	dir, _ := disk(t, "size=64k")
	if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 60<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), filepath.Join(dir, "easel.db"))
	wantWords(t, err, "make room")
	if !IsFull(err) {
		t.Errorf("IsFull(%v) = false", err)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	if !alone(t) {
		return
	}
	for _, before := range []bool{false, true} {
		t.Run(fmt.Sprintf("made before=%v", before), func(t *testing.T) {
			dir, remount := disk(t, "size=4m")
			file := filepath.Join(dir, "easel.db")
			if before {
				if err := reopen(t, file).Close(); err != nil {
					t.Fatal(err)
				}
			}
			remount("ro")
			_, err := Open(t.Context(), file)
			wantWords(t, err, "write to "+dir, "data_dir")
			_, err = Lock(filepath.Join(dir, "data"))
			wantWords(t, err, "write to "+dir, "data_dir")
		})
	}
}
