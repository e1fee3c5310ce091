package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/store"
)

// The names of what serve keeps in the data folder, besides the lock.
const (
	databaseFile   = "easel.db"
	picturesFolder = "pictures"
	addressFile    = "address" // where the server that holds the lock answers
)

var errNoDataFolder = errors.New("there is no home folder to keep data in; set EASEL_DATA_DIR")

// A dataFolder is one that this process serves from, and no other.
type dataFolder struct {
	dir    string
	unlock func() error
}

// occupy locks the data folder. If another server has it, the error says where that one answers.
func occupy(dir string) (*dataFolder, error) {
	if dir == "" {
		return nil, errNoDataFolder
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("the data folder %s is a file; set data_dir (or EASEL_DATA_DIR) to a folder", dir)
	}
	unlock, err := store.Lock(dir)
	var locked *store.LockedError
	if errors.As(err, &locked) {
		if url, ok := servedAt(dir); ok {
			return nil, fmt.Errorf("%w; it answers at %s", err, url)
		}
	}
	if err != nil {
		return nil, err
	}
	d := &dataFolder{dir, unlock}
	return d, d.forget() // of one that was killed
}

// tell writes down where the server answers, for the next one that wants the folder.
func (d *dataFolder) tell(url string, log *slog.Logger) {
	if err := os.WriteFile(d.file(addressFile), []byte(url+"\n"), 0o600); err != nil {
		log.Warn("the address could not be written down", "error", err)
	}
}

func (d *dataFolder) leave(log *slog.Logger) {
	if err := errors.Join(d.forget(), d.unlock()); err != nil {
		log.Warn("the data folder could not be left in order", "error", err)
	}
}

func (d *dataFolder) forget() error {
	if err := os.Remove(d.file(addressFile)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// room tells whether there is room on the disk for another job.
func (d *dataFolder) room() error {
	free, err := freeSpace(d.dir)
	if err != nil {
		return fmt.Errorf("looking at the data folder: %w", err) // it may be gone, and with it what would be written
	}
	if free < leastSpace {
		return jobs.ErrFull
	}
	return nil
}

func (d *dataFolder) file(name string) string { return filepath.Join(d.dir, name) }
