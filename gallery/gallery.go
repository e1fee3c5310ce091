// Package gallery keeps what was made, by whom, and from what: a row for each picture, and its bytes in a folder, once
// for each content.
//
// Every row carries tenant, channel, owner and visibility, and there is no question about rows that does not name who
// asks and where ([Scope]): what they may not see is not found. Whoever made a picture sees it wherever they are in its
// tenant; of other people's they see what is public, what is the tenant's, and what is their channel's, within theirs. The
// rule stands once, in SQL, and is part of every query.
//
// The bytes are kept before the row and removed after it, so a row's file is always there; a file that no row names is
// swept an hour later. A file's name is the SHA-256 of its bytes and is checked when they are read.
package gallery

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/store"
)

// ErrNotFound is returned for what is not there and for what the one who asks may not see, alike.
var ErrNotFound = errors.New("there is no such picture")

// A Visibility says who may see what was made.
type Visibility string

// The visibilities, from narrow to wide.
const (
	Private   Visibility = "private" // its owner
	InChannel Visibility = "channel" // who is in the channel
	InTenant  Visibility = "tenant"  // who is in the server or workspace
	Public    Visibility = "public"
)

// A Scope is who asks, and where they are. What is empty is nowhere and nobody.
type Scope struct{ Tenant, Channel, Viewer string }

// An Entry is one picture.
type Entry struct {
	Job   string // ULID of the job that made it
	Index int    // 0 to Request.Count-1

	Tenant, Channel, Owner string
	Visibility             Visibility

	Request imagine.Request // the whole request of the job
	Model   string
	Parent  *Parent       // what it came from, or nil
	Took    time.Duration // kept in whole milliseconds

	Width, Height int
	Blob          string    // what [Gallery.Keep] returned; empty when moderation withheld the picture
	Held          string    // the same of a picture that waits for a moderator, while Blob is empty
	Verdict       string    // "allow", "review" or "block"
	Created       time.Time // kept in whole milliseconds
}

// A Parent is a picture that another was made from.
type Parent struct {
	Job   string
	Index int
}

// A Gallery is the database's table of pictures and a folder of their bytes. Its methods may be called by many goroutines
// at once; only one process may keep and sweep in a folder.
type Gallery struct {
	db  *store.DB
	dir string

	removing sync.Mutex // held to spare a file that exists, and to remove one
}

// Open returns the gallery over a database and a folder, which is made (mode 0700).
func Open(db *store.DB, dir string) (*Gallery, error) {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = syncFolder(filepath.Dir(dir))
	}
	if err != nil {
		return nil, fmt.Errorf("making the gallery's folder %s: %w; let easel's user write to it, or use another data_dir", dir, err)
	}
	return &Gallery{db: db, dir: dir}, nil
}
