package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// A LockedError says that another process has locked a data folder.
type LockedError struct {
	Dir string
	PID int // of the other process, as it sees itself; 0 if it is not known
}

func (e *LockedError) Error() string {
	who := "another easel"
	if e.PID > 0 {
		who += fmt.Sprintf(" (process %d)", e.PID)
	}
	return fmt.Sprintf("%s serves from %s: stop it, or use another data_dir", who, e.Dir)
}

// Lock makes a data folder this process's own, for a second server would run the same jobs. The folder is made if it is
// not there. While another process holds it, the error is a [*LockedError]. The lock ends when unlock is called or
// forgotten (the garbage collector closes the file: keep it, with a defer), and with the process, however that dies. The
// file "lock" stays behind and means nothing.
func Lock(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unlockable(dir, err)
	}
	file := filepath.Join(dir, "lock")
	l := flock.New(file)
	switch got, err := l.TryLock(); {
	case err != nil:
		return nil, unlockable(dir, err)
	case !got:
		return nil, &LockedError{Dir: dir, PID: holder(file)}
	}
	if err := os.WriteFile(file, fmt.Appendln(nil, os.Getpid()), 0o600); err != nil {
		return nil, unlockable(dir, errors.Join(err, l.Unlock()))
	}
	return l.Unlock, nil
}

func unlockable(dir string, err error) error {
	return fmt.Errorf("the data folder %s cannot be locked: %w; %s", dir, err, remedy(filepath.Join(dir, "lock"), err))
}

// holder is who wrote the file, or 0 while they have yet to.
func holder(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}
