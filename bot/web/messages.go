package web

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/easelbot/easel/bot"
)

// The kinds of messages.
const (
	kindChat   = "chat"   // a line somebody wrote
	kindJob    = "job"    // a job as it is now
	kindNotice = "notice" // for one person alone
	kindCase   = "case"   // a case as it is now, for the owner alone
)

// A Message is what the page gets of a message. Of a deleted one there are only ID, Rev and Deleted.
type Message struct {
	ID      int64           `json:"id"`  // messages are shown in this order
	Rev     int64           `json:"rev"` // of two versions of a message the one with the greater revision is newer
	Kind    string          `json:"kind,omitempty"`
	Author  *bot.Person     `json:"author,omitempty"`
	At      time.Time       `json:"at,omitzero"`
	Text    string          `json:"text,omitempty"` // of a chat or a notice: plain text
	Job     json.RawMessage `json:"job,omitempty"`  // of a job: a bot.Message
	Case    json.RawMessage `json:"case,omitempty"` // of a case: a bot.CaseMessage
	Private bool            `json:"private,omitempty"`
	Deleted bool            `json:"deleted,omitempty"`
}

// A row is what is inserted into web_messages.
type row struct {
	kind      string
	author    bot.Person
	recipient string
	job, key  string // of a case, job is the case's ID
	body      string
	created   time.Time
}

// about is the condition for the one message of a kind, $1, about a job or case, $2. The last part lets the index be used.
const about = `kind = $1 AND job = $2 AND job <> ''`

// insert adds a message, unless the one of the same job or case or of the same author and key is there, and returns its ID.
func (c *Channel) insert(ctx context.Context, r row) (id int64, err error) {
	defer c.hub.news() // also after an error: the commit may have come through
	err = c.db.Write(ctx, func(tx *sql.Tx) error {
		id, err = find(ctx, tx, r)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		id, err = r.insert(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("posting a message: %w", err)
	}
	return id, nil
}

// find returns the message that r would repeat, or sql.ErrNoRows.
func find(ctx context.Context, tx *sql.Tx, r row) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `
		SELECT id FROM web_messages WHERE `+about+`
		UNION ALL
		SELECT id FROM web_messages WHERE author = $3 AND key = $4 AND key <> ''`,
		r.kind, r.job, r.author.ID, r.key).Scan(&id)
	return id, err
}

func (r row) insert(ctx context.Context, tx *sql.Tx) (id int64, err error) {
	rev, err := nextRevision(ctx, tx)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `
		INSERT INTO web_messages (rev, kind, author, author_name, recipient, job, key, body, created)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		rev, r.kind, r.author.ID, r.author.Name, r.recipient, r.job, r.key, r.body, r.created.UnixMilli()).Scan(&id)
	return id, err
}

// nextRevision takes the next revision. Whoever commits later has the greater one, since writers take turns.
func nextRevision(ctx context.Context, tx *sql.Tx) (rev int64, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE web_revision SET rev = rev + 1 RETURNING rev`).Scan(&rev)
	return rev, err
}

// setBody changes what the message about a job or case shows, if that changes anything.
func setBody(ctx context.Context, tx *sql.Tx, kind, job, body string) error {
	var old string
	var deleted bool
	err := tx.QueryRowContext(ctx, `SELECT body, deleted FROM web_messages WHERE `+about, kind, job).Scan(&old, &deleted)
	if err != nil || deleted || old == body {
		return err
	}
	rev, err := nextRevision(ctx, tx)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE web_messages SET rev = $3, body = $4 WHERE `+about, kind, job, rev, body)
	return err
}

// bury deletes a job's message, text and all; its row remains, to tell those who still see it and to stay the one
// message of the job.
func bury(ctx context.Context, tx *sql.Tx, job string) error {
	var deleted bool
	err := tx.QueryRowContext(ctx, `SELECT deleted FROM web_messages WHERE `+about, kindJob, job).Scan(&deleted)
	if err != nil || deleted {
		return err
	}
	rev, err := nextRevision(ctx, tx)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE web_messages SET rev = $3, body = '', deleted = 1 WHERE `+about, kindJob, job, rev)
	return err
}

// revision is the newest revision there is.
func (c *Channel) revision(ctx context.Context) (rev int64, err error) {
	err = c.db.Reader().QueryRowContext(ctx, `SELECT rev FROM web_revision`).Scan(&rev)
	return rev, err
}

// since returns what changed after a revision, in the order of revisions, up to limit messages.
func (c *Channel) since(ctx context.Context, viewer string, rev int64, limit int) ([]Message, error) {
	return c.messages(ctx, `rev > $2 ORDER BY rev LIMIT $3`, viewer, rev, limit)
}

// before returns the last messages with a smaller ID, oldest first, up to limit; more tells whether there are others
// before them.
func (c *Channel) before(ctx context.Context, viewer string, id int64, limit int) (list []Message, more bool, err error) {
	list, err = c.messages(ctx, `id < $2 AND deleted = 0 ORDER BY id DESC LIMIT $3`, viewer, id, limit+1)
	if more = len(list) > limit; more {
		list = list[:limit]
	}
	slices.Reverse(list)
	return list, more, err
}

// messages are those that a viewer may see and that a condition on $2 names, up to $3.
func (c *Channel) messages(ctx context.Context, condition, viewer string, bound int64, limit int) ([]Message, error) {
	rows, err := c.db.Reader().QueryContext(ctx, `
		SELECT id, rev, kind, author, author_name, recipient, body, created, deleted FROM web_messages
		WHERE recipient IN ('', $1) AND `+condition, viewer, bound, limit)
	if err != nil {
		return nil, fmt.Errorf("reading messages: %w", err)
	}
	defer rows.Close()
	list := []Message{}
	for rows.Next() {
		m, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("reading a message: %w", err)
		}
		list = append(list, m)
	}
	return list, rows.Err()
}

func scan(rows *sql.Rows) (m Message, err error) {
	var author bot.Person
	var recipient, body string
	var created int64
	err = rows.Scan(&m.ID, &m.Rev, &m.Kind, &author.ID, &author.Name, &recipient, &body, &created, &m.Deleted)
	if m.Deleted || err != nil {
		return Message{ID: m.ID, Rev: m.Rev, Deleted: true}, err
	}
	m.Author, m.At, m.Private = &author, time.UnixMilli(created).UTC(), recipient != ""
	switch m.Kind {
	case kindJob:
		m.Job = json.RawMessage(body)
	case kindCase:
		m.Case = json.RawMessage(body)
	default:
		m.Text = body
	}
	return m, nil
}
