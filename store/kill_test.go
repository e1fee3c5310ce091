package store

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestMain is the child of TestKilled as well.
func TestMain(m *testing.M) {
	if dir := os.Getenv("EASEL_TEST_WRITER"); dir != "" {
		fmt.Fprintln(os.Stderr, writeForEver(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForEver commits 1, 2, 3 and so on, and prints each number after its commit.
func writeForEver(dir string) error {
	ctx := context.Background()
	unlock, err := Lock(dir)
	if err != nil {
		return err
	}
	defer unlock() //nolint:errcheck // it ends by a kill
	d, err := Open(ctx, filepath.Join(dir, "easel.db"))
	if err != nil {
		return err
	}
	for i := 1; ; i++ {
		err := d.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec("CREATE TABLE IF NOT EXISTS n (n INTEGER); INSERT INTO n VALUES ($1); INSERT INTO n VALUES (-$1)", i)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// After kill -9 every row is there whose commit was told, each transaction is whole, and the lock is free.
func TestKilled(t *testing.T) {
	dir, last := t.TempDir(), 0
	for _, rows := range []int{1, 10, 50} {
		first := killAfter(t, dir, rows)
		unlock, err := Lock(dir)
		if err != nil {
			t.Fatalf("Lock after kill -9: %v", err)
		}
		d := reopen(t, filepath.Join(dir, "easel.db"))
		var plus, minus, sum int
		err = d.Reader().QueryRow("SELECT count(*) FILTER (WHERE n > 0), count(*) FILTER (WHERE n < 0), sum(n) FROM n").Scan(&plus, &minus, &sum)
		if err != nil {
			t.Fatal(err)
		}
		if plus < last+first || plus != minus || sum != 0 {
			t.Errorf("%d rows and %d counterparts, sum %d; want as many of both, at least %d", plus, minus, sum, last+first)
		}
		last = plus
		if err := errors.Join(unlock(), d.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// killAfter starts the child and kills it once it has told of so many rows; it returns how many it told of in all.
func killAfter(t *testing.T, dir string, rows int) (told int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "EASEL_TEST_WRITER="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if told, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		if told == rows {
			wantLocked(t, dir, cmd.Process.Pid)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || told < rows {
		t.Fatalf("the child ended after %d rows (%v), want it killed after %d", told, err, rows)
	}
	return told
}
