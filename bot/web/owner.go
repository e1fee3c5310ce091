package web

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/store"
)

// Owner returns who owns the channel and when they were last here, to the hour; nobody yet is the zero Person.
func Owner(ctx context.Context, db *store.DB) (p bot.Person, seen time.Time, err error) {
	var at int64
	err = db.Reader().QueryRowContext(ctx, `SELECT id, name, seen FROM web_people WHERE owner = 1`).Scan(&p.ID, &p.Name, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return bot.Person{}, time.Time{}, nil
	}
	if err != nil {
		return bot.Person{}, time.Time{}, fmt.Errorf("looking up the local channel's owner: %w", err)
	}
	return p, time.UnixMilli(at), nil
}

// Disown makes the channel nobody's, so that the next person who does anything in it owns it.
func Disown(ctx context.Context, db *store.DB) error {
	err := db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE web_people SET owner = 0 WHERE owner = 1`)
		return err
	})
	if err != nil {
		return fmt.Errorf("taking the local channel from its owner: %w", err)
	}
	return nil
}

func (c *Channel) owner(ctx context.Context) (id string, err error) {
	p, _, err := Owner(ctx, c.db)
	return p.ID, err
}

// claim makes who does something the owner, if nobody is. To come is not enough, since programs come, too. The cases of the
// owner before go to them.
func (c *Channel) claim(ctx context.Context, me bot.Person) error {
	if owner, err := c.owner(ctx); err != nil || owner != "" {
		return err
	}
	defer c.hub.news()
	err := c.db.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx,
			`UPDATE web_people SET owner = 1 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM web_people WHERE owner = 1)`, me.ID)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		c.options.Log.Info("the local channel has an owner, who is shown what waits for a moderator", "person", me.ID, "name", me.Name)
		return inherit(ctx, tx, me.ID)
	})
	if err != nil {
		return fmt.Errorf("writing down who owns the local channel: %w", err)
	}
	return nil
}

// inherit shows all cases to somebody, and to nobody else.
func inherit(ctx context.Context, tx *sql.Tx, to string) error {
	for {
		var id int64
		err := tx.QueryRowContext(ctx, `SELECT id FROM web_messages WHERE kind = 'case' AND recipient <> $1 LIMIT 1`, to).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		rev, err := nextRevision(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE web_messages SET recipient = $1, rev = $2 WHERE id = $3`, to, rev, id); err != nil {
			return err
		}
	}
}
