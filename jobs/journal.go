package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/easelbot/easel/gallery"
)

// The journal is the table of jobs. Its functions take what both a transaction and a database can do.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

const columns = `id, key, platform, tenant, channel, visibility, owner, owner_name, kind, parent, parent_index, request,
	model, credits, state, reason, cause, attempts, message, created, started, finished, took, deleted`

func insertJob(ctx context.Context, tx *sql.Tx, j Job) error {
	request, err := json.Marshal(j.Request)
	if err != nil {
		return err
	}
	var parent sql.NullString
	var index sql.NullInt64
	if j.Parent != nil {
		parent = sql.NullString{String: j.Parent.Job, Valid: true}
		index = sql.NullInt64{Int64: int64(j.Parent.Index), Valid: true}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO jobs (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
		j.ID, j.Key, j.Place.Platform, j.Place.Tenant, j.Place.Channel, j.Place.Visibility, j.Owner.ID, j.Owner.Name,
		j.Kind, parent, index, string(request), j.Model, j.Credits, j.State, j.Reason, j.Cause, j.Attempts, j.Message,
		j.Created.UnixMilli(), stamp(j.Started), stamp(j.Finished), j.Took.Milliseconds(), j.Deleted)
	return err
}

// stamp is a time as a column has it, where zero is null.
func stamp(t time.Time) sql.NullInt64 { return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()} }

func moment(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMilli(n.Int64)
}

// findJobs returns the jobs of a condition, oldest first.
func findJobs(ctx context.Context, q querier, where string, args ...any) ([]Job, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM jobs WHERE `+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []Job
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, j)
	}
	return found, rows.Err()
}

func scanJob(rows *sql.Rows) (Job, error) {
	var j Job
	var parent sql.NullString
	var index, started, finished sql.NullInt64
	var created, took int64
	var request string
	err := rows.Scan(&j.ID, &j.Key, &j.Place.Platform, &j.Place.Tenant, &j.Place.Channel, &j.Place.Visibility, &j.Owner.ID, &j.Owner.Name,
		&j.Kind, &parent, &index, &request, &j.Model, &j.Credits, &j.State, &j.Reason, &j.Cause, &j.Attempts, &j.Message,
		&created, &started, &finished, &took, &j.Deleted)
	if err != nil {
		return j, err
	}
	if parent.Valid {
		j.Parent = &gallery.Parent{Job: parent.String, Index: int(index.Int64)}
	}
	j.Created, j.Started, j.Finished = time.UnixMilli(created), moment(started), moment(finished)
	j.Took = time.Duration(took) * time.Millisecond
	if err := json.Unmarshal([]byte(request), &j.Request); err != nil {
		return j, fmt.Errorf("job %s: its request: %w", j.ID, err)
	}
	return j, nil
}

// oneJob returns the job of a condition, or ErrNotFound.
func oneJob(ctx context.Context, q querier, where string, args ...any) (Job, error) {
	found, err := findJobs(ctx, q, where, args...)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Job{}, err
	}
	return found[0], nil
}

const unfinished = `state NOT IN ('done', 'refused', 'failed', 'cancelled')`

// errMoved tells that a job is no longer in the state that a change starts from: somebody else has changed it.
var errMoved = errors.New("the job has changed its state meanwhile")

// change is a step from one of some states to another, and what it writes with it.
type change struct {
	from []State
	to   State
	set  string // more columns to set, with placeholders from $3 on
	args []any
}

// move changes a job's state, or returns errMoved.
func move(ctx context.Context, tx *sql.Tx, id string, c change) error {
	query := `UPDATE jobs SET state = $1` + c.set + ` WHERE id = $2 AND state IN (`
	args := append([]any{c.to, id}, c.args...)
	for i, from := range c.from {
		if i > 0 {
			query += ", "
		}
		args = append(args, from)
		query += fmt.Sprintf("$%d", len(args))
	}
	return changedOne(tx.ExecContext(ctx, query+")", args...))
}

func changedOne(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return errMoved
	}
	return err
}
