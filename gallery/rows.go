package gallery

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/easelbot/easel/imagine"
)

// visible is the rule of who sees what. It takes the scope as $1, $2 and $3, which no row has empty.
const visible = `(visibility = 'public' OR tenant = $1 AND
	(visibility = 'tenant' OR visibility = 'channel' AND channel = $2 OR owner = $3))`

const columns = `job, idx, tenant, channel, owner, visibility, request, model, parent, parent_index,
	took, width, height, blob, held, verdict, created`

// Put records pictures within a transaction. A picture that is recorded already stays as it is. Job, tenant, channel,
// owner and visibility must be set, and Blob be empty or a name that [Gallery.Keep] returned.
func (g *Gallery) Put(ctx context.Context, tx *sql.Tx, entries ...Entry) error {
	for _, e := range entries {
		if err := insert(ctx, tx, e); err != nil {
			return fmt.Errorf("recording picture %d of job %s: %w", e.Index, e.Job, err)
		}
	}
	return nil
}

func insert(ctx context.Context, tx *sql.Tx, e Entry) error {
	for _, name := range []string{e.Blob, e.Held} {
		if name != "" && !isBlob(name) {
			return fmt.Errorf("its file's name %q is no SHA-256", name)
		}
	}
	request, err := json.Marshal(e.Request)
	if err != nil {
		return err
	}
	var parent, index any
	if e.Parent != nil {
		parent, index = e.Parent.Job, e.Parent.Index
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO pictures (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT (job, idx) DO NOTHING`,
		e.Job, e.Index, e.Tenant, e.Channel, e.Owner, string(e.Visibility), string(request), e.Model, parent, index,
		e.Took.Milliseconds(), e.Width, e.Height, e.Blob, e.Held, e.Verdict, e.Created.UnixMilli())
	return err
}

// Delete removes a job's pictures within a transaction. The bytes go with the next [Gallery.Sweep]. Whether the one who
// asks may do so is for the caller to know.
func (g *Gallery) Delete(ctx context.Context, tx *sql.Tx, job string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM pictures WHERE job = $1`, job); err != nil {
		return fmt.Errorf("deleting the pictures of job %s: %w", job, err)
	}
	return nil
}

// Holds returns ErrNotFound if a picture is not there any more, within a transaction that is to copy its row.
func (g *Gallery) Holds(ctx context.Context, tx *sql.Tx, p Parent) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM pictures WHERE job = $1 AND idx = $2`, p.Job, p.Index).Scan(&n)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// Release shows a job's held pictures, within a transaction.
func (g *Gallery) Release(ctx context.Context, tx *sql.Tx, job string) error {
	_, err := tx.ExecContext(ctx, `UPDATE pictures SET blob = held, held = '' WHERE job = $1 AND held <> ''`, job)
	return err
}

// Discard withholds a job's held pictures for good, within a transaction, and tells how many of the job's pictures can be seen.
// The bytes go with the next [Gallery.Sweep].
func (g *Gallery) Discard(ctx context.Context, tx *sql.Tx, job string) (visible int, err error) {
	if _, err := tx.ExecContext(ctx, `UPDATE pictures SET held = '', verdict = 'block' WHERE job = $1 AND held <> ''`, job); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM pictures WHERE job = $1 AND blob <> ''`, job).Scan(&visible)
	return visible, err
}

// Sealed returns the bytes of the held pictures of a tenant's job by their index. It is for moderators.
func (g *Gallery) Sealed(ctx context.Context, tenant, job string) (map[int][]byte, error) {
	rows, err := g.db.Reader().QueryContext(ctx,
		`SELECT idx, held FROM pictures WHERE job = $1 AND held <> '' AND tenant = $2`, job, tenant)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	files := map[int][]byte{}
	for rows.Next() {
		var index int
		var held string
		if err := rows.Scan(&index, &held); err != nil {
			return nil, err
		}
		if files[index], err = g.read(held); err != nil {
			return nil, err
		}
	}
	return files, rows.Err()
}

// OfJob lists a job's pictures in the order of their index; none if there are none to see.
func (g *Gallery) OfJob(ctx context.Context, s Scope, job string) ([]Entry, error) {
	return g.list(ctx, s, `job = $4 ORDER BY idx`, job)
}

// Picture returns one picture of a job.
func (g *Gallery) Picture(ctx context.Context, s Scope, job string, index int) (Entry, error) {
	switch found, err := g.list(ctx, s, `job = $4 AND idx = $5`, job, index); {
	case err != nil:
		return Entry{}, err
	case len(found) == 0:
		return Entry{}, ErrNotFound
	default:
		return found[0], nil
	}
}

// Recent lists what may be seen of the scope's channel, newest job first and each job's pictures in the order of their
// index, made before the job named before (ULID; empty: from the newest). A job comes whole or not at all, so that the
// next page can begin after the last job of this one: there are up to limit entries, or the first job's if it has more.
func (g *Gallery) Recent(ctx context.Context, s Scope, before string, limit int) ([]Entry, error) {
	if limit < 1 {
		return nil, nil
	}
	if before == "" {
		before = "~" // comes after every ULID
	}
	found, err := g.list(ctx, s, `tenant = $1 AND channel = $2 AND job < $4 ORDER BY job DESC, idx LIMIT $5`,
		before, limit+imagine.MaxCount) // so that the job across the limit is seen whole
	return wholeJobs(found, limit), err
}

// wholeJobs cuts a list between two jobs, at limit or before; but the first job stays.
func wholeJobs(list []Entry, limit int) []Entry {
	end := 0
	for i := range list {
		last := i+1 == len(list) || list[i+1].Job != list[i].Job
		if last && (end == 0 || i < limit) {
			end = i + 1
		}
	}
	return list[:end]
}

// list is the one way to rows: those in scope that fit a condition, whose arguments begin at $4.
func (g *Gallery) list(ctx context.Context, s Scope, condition string, args ...any) (found []Entry, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("looking for pictures: %w", err)
		}
	}()
	rows, err := g.db.Reader().QueryContext(ctx, `SELECT `+columns+` FROM pictures WHERE `+visible+` AND `+condition,
		append([]any{s.Tenant, s.Channel, s.Viewer}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, rows.Err()
}

func scan(row *sql.Rows) (e Entry, err error) {
	var request []byte
	var parent sql.NullString
	var index sql.NullInt64
	var took, created int64
	err = row.Scan(&e.Job, &e.Index, &e.Tenant, &e.Channel, &e.Owner, &e.Visibility, &request, &e.Model, &parent, &index,
		&took, &e.Width, &e.Height, &e.Blob, &e.Held, &e.Verdict, &created)
	if err != nil {
		return e, err
	}
	e.Took, e.Created = time.Duration(took)*time.Millisecond, time.UnixMilli(created).UTC()
	if parent.Valid {
		e.Parent = &Parent{Job: parent.String, Index: int(index.Int64)}
	}
	if err := json.Unmarshal(request, &e.Request); err != nil {
		return e, fmt.Errorf("the request of job %s: %w", e.Job, err)
	}
	return e, nil
}
