package review_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/store"
)

var now = time.UnixMilli(1_700_000_000_000)

var home = review.Scope{Platform: "web", Tenant: "local"}

// open returns a database with a job in it.
func open(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "easel.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	write(t, db, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO jobs (id, key, platform, tenant, channel, visibility, owner, owner_name, kind, request, model, credits, state, created)
			VALUES ('job', 'k', 'web', 'local', 'general', 'channel', 'ada', 'Ada', 'imagine', '{}', 'm', 1, 'held', 0)`)
		return err
	})
	return db
}

func write(t *testing.T, db *store.DB, f func(tx *sql.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func a(id string) review.Case {
	return review.Case{
		ID: id, Job: "job", Subject: review.Prompt, Platform: "web", Tenant: "local", Channel: "general", Owner: "ada", OwnerName: "Ada",
		Prompt: "a lighthouse", Negative: "fog", Reasons: []moderation.Reason{{Rule: "custom/review", Category: moderation.Custom, Span: "lighthouse", Score: 1}}, Opened: now.UTC(),
	}
}

func TestACaseReadsBack(t *testing.T) {
	db := open(t)
	want := a("1")
	write(t, db, func(tx *sql.Tx) error { return review.Open(t.Context(), tx, want) })
	write(t, db, func(tx *sql.Tx) error { return review.Open(t.Context(), tx, a("2")) }) // of the same job and subject
	waiting, err := review.Waiting(t.Context(), db, home)
	if err != nil || len(waiting) != 1 || fmt.Sprint(waiting[0]) != fmt.Sprint(want) {
		t.Errorf("waiting are %+v, %v\nwant %+v", waiting, err, want)
	}
	for _, s := range []review.Scope{{"web", "other"}, {"web", "loca"}, {"discord", "local"}, {"web", ""}, {"", "local"}} {
		if _, err := review.Get(t.Context(), db, s, "1"); !errors.Is(err, review.ErrNotFound) {
			t.Errorf("%v: %v", s, err)
		}
		if waiting, err := review.Waiting(t.Context(), db, s); err != nil || len(waiting) > 0 {
			t.Errorf("%v sees %+v, %v", s, waiting, err)
		}
	}
	if _, err := review.Get(t.Context(), db, review.Scope{}, "1"); err != nil {
		t.Errorf("the operator: %v", err)
	}
}

// TestManyDecideOnce: of twenty moderators who press at once, one decides.
func TestManyDecideOnce(t *testing.T) {
	db := open(t)
	write(t, db, func(tx *sql.Tx) error { return review.Open(t.Context(), tx, a("1")) })
	var first, late atomic.Int32
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			d := []review.Decision{review.Approve, review.Reject}[i%2]
			err := db.Write(context.Background(), func(tx *sql.Tx) error {
				return review.Decide(context.Background(), tx, "1", d, review.Moderator{ID: fmt.Sprint("mo ", i), Name: "Mo"}, now)
			})
			switch {
			case err == nil:
				first.Add(1)
			case errors.Is(err, review.ErrDecided):
				late.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	c, err := review.Get(t.Context(), db, home, "1")
	if first.Load() != 1 || late.Load() != 19 || err != nil || c.Decision == review.Undecided || c.By == "" || c.ByName != "Mo" || !c.Decided.Equal(now) {
		t.Errorf("%d decided, %d were late; the case is %+v, %v", first.Load(), late.Load(), c, err)
	}
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		return review.Decide(t.Context(), tx, "2", review.Approve, review.Moderator{}, now)
	})
	if !errors.Is(err, review.ErrNotFound) {
		t.Errorf("a case that is not there: %v", err)
	}
}

func TestWithdraw(t *testing.T) {
	db := open(t)
	write(t, db, func(tx *sql.Tx) error { return review.Open(t.Context(), tx, a("1")) })
	for _, want := range []string{"[1]", "[]"} {
		write(t, db, func(tx *sql.Tx) error {
			closed, err := review.Withdraw(t.Context(), tx, "job", review.Moderator{ID: "ada", Name: "Ada"}, now)
			if fmt.Sprint(closed) != want {
				t.Errorf("it closed %v, want %s", closed, want)
			}
			return err
		})
	}
	c, err := review.Get(t.Context(), db, home, "1")
	if err != nil || c.Decision != review.Withdrawn || c.ByName != "Ada" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestPosted(t *testing.T) {
	db := open(t)
	write(t, db, func(tx *sql.Tx) error { return review.Open(t.Context(), tx, a("1")) })
	write(t, db, func(tx *sql.Tx) error { return review.Posted(t.Context(), tx, "1", "12:34") })
	if c, err := review.Get(t.Context(), db, home, "1"); err != nil || c.Message != "12:34" {
		t.Errorf("%+v, %v", c, err)
	}
}
