package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
)

// The schema, one file a change: NNNNN_what.sql. A file that was released is never edited.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date. Processes that open one file at the same time do so one after the other.
func migrate(ctx context.Context, db *sql.DB, file string) (err error) {
	turn := flock.New(file + "-migrate")
	defer func() { err = errors.Join(err, turn.Close()) }()
	if _, err := turn.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return fmt.Errorf("waiting for another process to migrate: %w", err)
	}
	p, err := provider(db)
	if err != nil {
		return err
	}
	have, know, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > know {
		return &newerError{have: have, know: know}
	}
	_, err = p.Up(ctx)
	return err
}

// current returns an error unless the tables are up to date.
func current(ctx context.Context, db *sql.DB) error {
	p, err := provider(db)
	if err != nil {
		return err
	}
	have, know, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case have > know:
		return &newerError{have: have, know: know}
	case have < know:
		return &olderError{have: have, know: know}
	}
	return nil
}

func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}
