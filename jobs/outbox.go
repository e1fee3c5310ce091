package jobs

import (
	"context"
	"database/sql"
	"time"

	"github.com/easelbot/easel/moderation/review"
)

// An effect is what the outbox does to the world.
type effect string

const (
	post   effect = "post"   // the job's message
	show   effect = "show"   // in the message, what the job is now
	tell   effect = "tell"   // its owner, alone
	refund effect = "refund" // credits
	remove effect = "remove" // the message
	resume effect = "resume" // a job whose prompt was approved

	postCase effect = "post_case" // a case, where moderators are
	showCase effect = "show_case" // in it, how it was decided
)

// A row of the outbox.
type row struct {
	id       int64
	key      string
	job      string
	about    string // the case of postCase and showCase
	effect   effect
	amount   float64 // credits of a refund
	attempts int
}

// put writes effects down, due at once whatever the clock says. The state is what they follow from: an effect of the same job, name and state is put once.
func put(ctx context.Context, tx *sql.Tx, now time.Time, j Job, state State, effects ...row) error {
	for _, r := range effects {
		key := string(r.effect) + ":" + j.ID
		switch {
		case r.about != "":
			key = string(r.effect) + ":" + r.about
		case r.effect == show:
			key += ":" + string(state)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO outbox (key, job, about, effect, amount, created, due)
			VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (key) DO NOTHING`, key, j.ID, r.about, r.effect, r.amount, now.UnixMilli())
		if err != nil {
			return err
		}
	}
	return nil
}

// repostCases makes waiting cases be posted again: there may be a review channel now, or another, or somebody has removed
// them there.
func repostCases(ctx context.Context, tx *sql.Tx, now time.Time, waiting []review.Case) error {
	for _, c := range waiting {
		r := row{effect: postCase, about: c.ID}
		if err := put(ctx, tx, now, Job{ID: c.Job}, Held, r); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE outbox SET done = NULL, due = 0, attempts = 0, error = '' WHERE key = $1`, string(r.effect)+":"+r.about); err != nil {
			return err
		}
	}
	return nil
}

// foremost holds for the rows o that are not done and the first of their job, or of their case: effects of one run in
// order.
const foremost = `done IS NULL AND NOT EXISTS (SELECT 1 FROM outbox e
	WHERE e.job = o.job AND e.about = o.about AND e.done IS NULL AND e.id < o.id)`

// dueRows lists what is to be done, oldest first. What is due later than any pause could make it was put off before the
// clock was set back. The plus keeps SQLite from walking through all rows in the order of their IDs.
func dueRows(ctx context.Context, q querier, l lane, now time.Time, limit int) ([]row, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, key, job, about, effect, amount, attempts FROM outbox o
		WHERE (due <= $1 OR due > $2) AND `+l.where+` AND `+foremost+` ORDER BY +id LIMIT $3`,
		now.UnixMilli(), now.Add(longestPause).UnixMilli(), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var due []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.key, &r.job, &r.about, &r.effect, &r.amount, &r.attempts); err != nil {
			return nil, err
		}
		due = append(due, r)
	}
	return due, rows.Err()
}

// nextDue tells when the next row is due, if one is.
func nextDue(ctx context.Context, q querier, l lane) (time.Time, bool, error) {
	rows, err := q.QueryContext(ctx, `SELECT min(due) FROM outbox o WHERE `+l.where+` AND `+foremost)
	if err != nil {
		return time.Time{}, false, err
	}
	defer rows.Close()
	var due sql.NullInt64
	if rows.Next() {
		err = rows.Scan(&due)
	}
	if err == nil {
		err = rows.Err()
	}
	return moment(due), due.Valid, err
}

func finishRow(ctx context.Context, tx *sql.Tx, r row, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE outbox SET done = $1, error = '' WHERE id = $2`, now.UnixMilli(), r.id)
	return err
}

func postponeRow(ctx context.Context, tx *sql.Tx, r row, due time.Time, cause error) error {
	_, err := tx.ExecContext(ctx, `UPDATE outbox SET attempts = attempts + 1, due = $1, error = $2 WHERE id = $3`,
		due.UnixMilli(), cause.Error(), r.id)
	return err
}

// pause is how long to wait after an effect has failed so often.
func pause(attempts int) time.Duration {
	return min(500*time.Millisecond<<min(attempts, 10), longestPause)
}

const longestPause = 5 * time.Minute
