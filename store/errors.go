package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// IsFull tells whether something failed because the disk is full or a quota is used up, in the database or in a file.
func IsFull(err error) bool {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return true
		}
	}
	code := resultCode(err)
	// SHMSIZE: the index beside the database could not grow.
	return code == sqlite3.SQLITE_FULL || code == sqlite3.SQLITE_IOERR_SHMSIZE
}

// resultCode is SQLite's extended result code, or 0. See https://www.sqlite.org/rescode.html.
func resultCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return sqlite3.SQLITE_OK
}

// newerError is about a database that a newer program has migrated.
type newerError struct{ have, know int64 }

func (e *newerError) Error() string {
	return fmt.Sprintf("a newer easel has written it (schema %d; this one knows %d)", e.have, e.know)
}

// olderError is about a database that no program as new as this one has migrated.
type olderError struct{ have, know int64 }

func (e *olderError) Error() string {
	return fmt.Sprintf("an older easel has written it (schema %d; this one knows %d)", e.have, e.know)
}

// explain says of an error about a file what the operator can do.
func explain(file string, err error) error {
	return fmt.Errorf("the database %s cannot be opened: %w; %s", file, err, remedy(file, err))
}

func remedy(file string, err error) string {
	var newer *newerError
	var older *olderError
	switch code := resultCode(err) & 0xff; {
	case errors.As(err, &newer):
		return "update easel, or use a backup from before"
	case errors.As(err, &older):
		return "end the older easel serve and start this one, which brings it up to date"
	case IsFull(err):
		return "the disk is full: make room and start again"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS),
		code == sqlite3.SQLITE_READONLY, code == sqlite3.SQLITE_CANTOPEN, code == sqlite3.SQLITE_PERM:
		return fmt.Sprintf("let easel's user write to %s and what is in it, or use another data_dir", filepath.Dir(file))
	case code == sqlite3.SQLITE_NOTADB, code == sqlite3.SQLITE_CORRUPT:
		return "it is damaged or something else: put a backup in its place, or move it away to begin with an empty one"
	case code == sqlite3.SQLITE_BUSY:
		return "another process is writing to it for long: let it finish, or stop it"
	}
	return "look at the folder and its disk, and try again"
}
