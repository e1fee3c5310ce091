package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// leastSpace is the free disk space below which Easel takes itself for unready: a journal that cannot grow loses work.
const leastSpace = 64 << 20 // bytes

// healthAge is how long an answer about health is good for, so that asking often costs nothing.
const healthAge = time.Second

// fine is what a part says of itself when all is well.
const fine = "ok"

// readiness is the JSON of /readyz. It names neither paths nor errors of the system: anybody may ask.
type readiness struct {
	Ready bool              `json:"ready"`
	Parts map[string]string `json:"parts"` // "ok", or what is wrong
}

// degraded is what is wrong and yet no reason to send people elsewhere.
type degraded struct{ error }

// A probe looks at one part.
type probe func(context.Context) error

// health asks probes in turn and remembers the answer for a while.
type health struct {
	probes map[string]probe
	now    func() time.Time

	mu    sync.Mutex
	asked time.Time
	last  readiness
}

func (h *health) check(ctx context.Context) readiness {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.now(); h.asked.IsZero() || now.Sub(h.asked) >= healthAge {
		h.asked, h.last = now, ask(context.WithoutCancel(ctx), h.probes) // the answer is for others too
	}
	return h.last
}

func ask(ctx context.Context, probes map[string]probe) readiness {
	r := readiness{Ready: true, Parts: map[string]string{}}
	for name, probe := range probes {
		r.Parts[name] = fine
		if err := probe(ctx); err != nil {
			r.Parts[name] = err.Error()
			r.Ready = r.Ready && errors.As(err, new(degraded))
		}
	}
	return r
}

// alone is a readiness of which only one thing is to be said.
func alone(part, text string) readiness {
	return readiness{Parts: map[string]string{part: text}}
}

// A writer is what of the store is looked at.
type writer interface {
	Write(ctx context.Context, f func(tx *sql.Tx) error) error
}

// storeProbe takes the writers' turn, and gives it back.
func storeProbe(db writer) probe {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if db.Write(ctx, func(*sql.Tx) error { return nil }) != nil {
			return errors.New("the database cannot be written")
		}
		return nil
	}
}

// diskProbe writes a file and takes it away again.
func diskProbe(dir string) probe {
	return func(context.Context) error {
		if free, err := freeSpace(dir); err == nil && free < leastSpace {
			return errors.New("the disk is nearly full")
		}
		f, err := create(dir)
		if err == nil {
			_, err = f.Write(make([]byte, 4<<10)) // an empty file fits on a full disk
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
		if err != nil {
			return errors.New("the data folder cannot be written")
		}
		return nil
	}
}

// freeSpace is how many bytes an ordinary user can still write to a folder's disk.
func freeSpace(dir string) (uint64, error) {
	var s syscall.Statfs_t
	err := syscall.Statfs(dir, &s)
	return s.Bavail * uint64(s.Bsize), err
}
