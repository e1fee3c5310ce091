package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantLocked(t, dir, os.Getpid())
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = Lock(dir)
	if err != nil {
		t.Fatalf("Lock after unlock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

// What a dead process, or anything else, left in the file does not matter.
func TestLockStaleFile(t *testing.T) {
	for _, text := range []string{"", "4711\n", "what"} {
		dir := t.TempDir()
		file := filepath.Join(dir, "lock")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		unlock, err := Lock(dir)
		if err != nil {
			t.Fatalf("Lock with %q in the file: %v", text, err)
		}
		if got := holder(file); got != os.Getpid() {
			t.Errorf("the file names process %d, want %d", got, os.Getpid())
		}
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLockedByNobodyKnown(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unlock() }()
	if err := os.Truncate(filepath.Join(dir, "lock"), 0); err != nil {
		t.Fatal(err)
	}
	wantLocked(t, dir, 0)
}

// wantLocked tries to lock a folder that a process holds.
func wantLocked(t *testing.T, dir string, pid int) {
	t.Helper()
	_, err := Lock(dir)
	var locked *LockedError
	if !errors.As(err, &locked) || locked.PID != pid || locked.Dir != dir {
		t.Fatalf("Lock: %v, want a LockedError of process %d", err, pid)
	}
	wantWords(t, err, dir, "stop it", "data_dir")
}
