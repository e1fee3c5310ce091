// Package review keeps what waits for a moderator: a case for each prompt or job's pictures whose verdict was review.
//
// A case is decided once, whoever is quicker: [Decide] compares and swaps, and the second gets [ErrDecided]. What follows
// from a decision is for the package jobs, in the same transaction. Cases belong to a tenant of a platform, and every
// question names both; the zero [Scope] is the operator on their own machine, who sees all.
package review

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/store"
)

// What can go wrong with a case.
var (
	ErrNotFound = errors.New("there is no such case")
	ErrDecided  = errors.New("the case has been decided already")
)

// A Subject is what a case is about.
type Subject string

// The subjects.
const (
	Prompt   Subject = "prompt"
	Pictures Subject = "pictures" // of a job: those that are held, together
)

// A Decision ends a case.
type Decision string

// The decisions.
const (
	Undecided Decision = ""
	Approve   Decision = "approve"
	Reject    Decision = "reject"
	Withdrawn Decision = "withdrawn" // its owner cancelled or deleted what it was about
)

// A Scope is whose cases are asked for: those of a platform's tenant, or all.
type Scope struct{ Platform, Tenant string }

// A Moderator is who decides. The ID says where, too: "discord:80351110224678912", "cli:root".
type Moderator struct{ ID, Name string }

// A Case is one row.
type Case struct {
	ID      string  `json:"id"` // ULID
	Job     string  `json:"job"`
	Subject Subject `json:"subject"`
	Message string  `json:"-"` // the platform's ID of it in the review channel, once it is there

	Platform  string `json:"platform"`
	Tenant    string `json:"tenant"`
	Channel   string `json:"channel"`
	Owner     string `json:"owner"`
	OwnerName string `json:"owner_name"`

	Prompt   string              `json:"prompt"`
	Negative string              `json:"negative,omitempty"`
	Reasons  []moderation.Reason `json:"reasons"`
	Opened   time.Time           `json:"opened"`

	Decision Decision  `json:"decision,omitempty"`
	By       string    `json:"decided_by,omitempty"` // a moderator's ID
	ByName   string    `json:"decided_by_name,omitempty"`
	Decided  time.Time `json:"decided,omitzero"`
}

const columns = `id, job, subject, message, platform, tenant, channel, owner, owner_name, prompt, negative, reasons, opened,
	decision, decided_by, decided_by_name, decided`

// Open records a case within a transaction. A job's second case of the same subject is the first one.
func Open(ctx context.Context, tx *sql.Tx, c Case) error {
	reasons, err := json.Marshal(c.Reasons)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO cases (id, job, subject, platform, tenant, channel, owner, owner_name, prompt, negative, reasons, opened)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (job, subject) DO NOTHING`,
		c.ID, c.Job, c.Subject, c.Platform, c.Tenant, c.Channel, c.Owner, c.OwnerName, c.Prompt, c.Negative, string(reasons), c.Opened.UnixMilli())
	if err != nil {
		return fmt.Errorf("opening a case for job %s: %w", c.Job, err)
	}
	return nil
}

// Decide records a decision within a transaction, or returns ErrDecided or ErrNotFound.
func Decide(ctx context.Context, tx *sql.Tx, id string, d Decision, by Moderator, at time.Time) error {
	result, err := tx.ExecContext(ctx, `UPDATE cases SET decision = $1, decided_by = $2, decided_by_name = $3, decided = $4
		WHERE id = $5 AND decision = ''`, d, by.ID, by.Name, at.UnixMilli(), id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	var there bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM cases WHERE id = $1)`, id).Scan(&there); err != nil {
		return err
	}
	if there {
		return ErrDecided
	}
	return ErrNotFound
}

// Withdraw closes a job's open cases within a transaction and returns their IDs.
func Withdraw(ctx context.Context, tx *sql.Tx, job string, by Moderator, at time.Time) ([]string, error) {
	rows, err := tx.QueryContext(ctx, `UPDATE cases SET decision = $1, decided_by = $2, decided_by_name = $3, decided = $4
		WHERE job = $5 AND decision = '' RETURNING id`, Withdrawn, by.ID, by.Name, at.UnixMilli(), job)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var closed []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		closed = append(closed, id)
	}
	return closed, rows.Err()
}

// Posted records within a transaction where a case stands in its review channel.
func Posted(ctx context.Context, tx *sql.Tx, id, message string) error {
	_, err := tx.ExecContext(ctx, `UPDATE cases SET message = $1 WHERE id = $2`, message, id)
	return err
}

// Approved tells whether a moderator of the scope has approved just these words before.
func Approved(ctx context.Context, db *store.DB, s Scope, prompt, negative string) (bool, error) {
	var approved bool
	err := db.Reader().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM cases WHERE platform = $1 AND tenant = $2 AND prompt = $3
		AND negative = $4 AND subject = 'prompt' AND decision = 'approve')`, s.Platform, s.Tenant, prompt, negative).Scan(&approved)
	if err != nil {
		return false, fmt.Errorf("looking for an earlier approval: %w", err)
	}
	return approved, nil
}

// inScope is the condition for a scope's columns, of $1 and $2.
const inScope = `($1 = '' AND $2 = '' OR platform = $1 AND tenant = $2)`

// Waiting lists a scope's open cases, oldest first.
func Waiting(ctx context.Context, db *store.DB, s Scope) ([]Case, error) {
	return list(ctx, db, `decision = '' AND `+inScope, s.Platform, s.Tenant)
}

// Get returns a scope's case.
func Get(ctx context.Context, db *store.DB, s Scope, id string) (Case, error) {
	found, err := list(ctx, db, inScope+` AND id = $3`, s.Platform, s.Tenant, id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Case{}, err
	}
	return found[0], nil
}

func list(ctx context.Context, db *store.DB, where string, args ...any) ([]Case, error) {
	rows, err := db.Reader().QueryContext(ctx, `SELECT `+columns+` FROM cases WHERE `+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, fmt.Errorf("looking for cases: %w", err)
	}
	defer rows.Close()
	var found []Case
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("reading a case: %w", err)
		}
		found = append(found, c)
	}
	return found, rows.Err()
}

func scan(rows *sql.Rows) (Case, error) {
	var c Case
	var reasons []byte
	var opened int64
	var decided sql.NullInt64
	err := rows.Scan(&c.ID, &c.Job, &c.Subject, &c.Message, &c.Platform, &c.Tenant, &c.Channel, &c.Owner, &c.OwnerName, &c.Prompt, &c.Negative,
		&reasons, &opened, &c.Decision, &c.By, &c.ByName, &decided)
	if err != nil {
		return c, err
	}
	c.Opened = time.UnixMilli(opened).UTC()
	if decided.Valid {
		c.Decided = time.UnixMilli(decided.Int64).UTC()
	}
	return c, json.Unmarshal(reasons, &c.Reasons)
}
