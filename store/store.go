// Package store opens the database, brings its tables up to date, and runs transactions. Which rows there are and what
// they mean is the business of the packages that own the tables; only the schema lies here, in migrations/, because the
// order of its changes runs across all of them.
//
// The database is SQLite, one file in the data folder, in WAL mode with synchronous=FULL: what [DB.Write] has committed
// survives the process and the machine. Writers take turns, one transaction at a time; readers neither wait for them nor
// hold them up. Other processes may open the same file and take their turns too. Placeholders in queries are $1, $2 and
// so on; times are Unix milliseconds; IDs are text.
//
// Nothing is tried again here. What failed is undone and told: [IsFull] knows a full disk, and the errors of [Open] and
// [Lock] say what the operator can do.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// patience is how long a transaction waits for one of another process.
const patience = 10 * time.Second

// A DB is an open database. Its methods may be called by many goroutines at once.
type DB struct {
	write *sql.DB // one connection, BEGIN IMMEDIATE
	read  *sql.DB
}

// Open opens the database in a file, made if it is not there (mode 0600, missing folders 0700), and migrates it.
// Its errors are for the operator: they name the file and say what to do.
func Open(ctx context.Context, file string) (*DB, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("finding the folder of %s: %w", file, err)
	}
	if err := create(file); err != nil {
		return nil, explain(file, err)
	}
	d := &DB{write: pool(file, writing, 1), read: pool(file, reading, max(4, runtime.NumCPU()))}
	if err := d.prepare(ctx, file); err != nil {
		return nil, errors.Join(explain(file, err), d.Close())
	}
	return d, nil
}

// Join opens a database that a server may be running on, as it is: nothing is made or migrated. One with another schema is
// an error.
func Join(ctx context.Context, file string) (*DB, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("finding the folder of %s: %w", file, err)
	}
	d := &DB{write: pool(file, writing, 1), read: pool(file, reading, max(4, runtime.NumCPU()))}
	if err := current(ctx, d.write); err != nil {
		return nil, errors.Join(explain(file, err), d.Close())
	}
	return d, nil
}

// create makes the file, since SQLite would let everyone read it. A file that exists is not opened: closing it again
// would drop the locks this process may hold on it.
func create(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// What the two kinds of connections are set to. synchronous=FULL makes every commit wait for the disk.
var (
	writing = url.Values{"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_foreign_keys": {"on"}, "_txlock": {"immediate"}}
	reading = url.Values{"_query_only": {"on"}}
)

func pool(file string, settings url.Values, connections int) *sql.DB {
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: settings.Encode()}
	dsn.RawQuery += fmt.Sprintf("&_error_rc=1&_busy_timeout=%d", patience.Milliseconds())
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		panic(err) // only for a driver that is not there
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

// prepare migrates and makes sure that rows can be written, for SQLite falls back to reading without a word.
func (d *DB) prepare(ctx context.Context, file string) error {
	if err := migrate(ctx, d.write, file); err != nil {
		return err
	}
	return d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM goose_db_version WHERE false")
		return err
	})
}

// Close waits for the transactions that have begun or wait for their turn, and closes the database. Later ones fail.
func (d *DB) Close() error {
	turn, err := d.write.Conn(context.Background())
	if err != nil {
		return errors.Join(d.read.Close(), d.write.Close()) // it is closed already, or was never open
	}
	return errors.Join(d.read.Close(), d.write.Close(), turn.Close())
}

// Write runs f in a transaction that is committed if f returns nil, and undone if it returns an error or panics, or ctx
// ends before the commit. It waits for its turn as long as ctx allows, and up to ten seconds for another process.
//
// f must use nothing of the database but tx (a Write within it would wait for itself), must not wait for anything else,
// since nobody else can write meanwhile, and must return the errors of its statements.
func (d *DB) Write(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing left to undo; else f's error matters more
	if err := f(tx); err != nil {
		return ended(ctx, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing a transaction: %w", ended(ctx, err))
	}
	return nil
}

// ended is why a transaction is over too early: database/sql undoes it when ctx ends and then says only that it is done.
func ended(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Reader is for queries outside of a transaction; it cannot write.
func (d *DB) Reader() *sql.DB { return d.read }
