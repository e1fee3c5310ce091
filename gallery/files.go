package gallery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// spared is how long a file is kept without a row: longer than any job needs from keeping it to recording it.
const spared = time.Hour

// unfinished begins the names of files that are being written.
const unfinished = "unfinished-"

// isBlob tells whether a name is one that Keep returns, 64 lower-case hexadecimal digits. Nothing else becomes a path.
func isBlob(name string) bool {
	return len(name) == 2*sha256.Size && strings.Trim(name, "0123456789abcdef") == ""
}

func (g *Gallery) path(blob string) string { return filepath.Join(g.dir, blob[:2], blob) }

// Keep stores a file's bytes durably and returns the name they have from now on, the SHA-256 of the bytes in
// hexadecimal. To keep the same bytes again changes nothing, but mends a damaged file. A row must name them within the
// hour, or [Gallery.Sweep] takes them for left over. On a full disk store.IsFull knows the error.
func (g *Gallery) Keep(ctx context.Context, file []byte) (blob string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	sum := sha256.Sum256(file)
	blob = hex.EncodeToString(sum[:])
	if !g.spare(blob, file) {
		err = replace(g.path(blob), file)
	}
	if err == nil {
		err = g.settle(blob)
	}
	if err != nil {
		return "", fmt.Errorf("keeping a picture's file: %w", err)
	}
	return blob, nil
}

// settle makes the file's name durable, and its folder's: also for what was there, since whoever wrote it may have died
// before this.
func (g *Gallery) settle(blob string) error {
	if err := syncFolder(filepath.Dir(g.path(blob))); err != nil {
		return err
	}
	return syncFolder(g.dir)
}

// spare tells whether the bytes are there already and gives them another hour.
func (g *Gallery) spare(blob string, file []byte) bool {
	g.removing.Lock()
	defer g.removing.Unlock()
	held, err := os.ReadFile(g.path(blob))
	if err != nil || !bytes.Equal(held, file) {
		return false
	}
	now := time.Now()
	return os.Chtimes(g.path(blob), now, now) == nil
}

// replace writes a file that is there whole or not at all, whatever happens.
func replace(path string, file []byte) error {
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), unfinished) // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(file)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// syncFolder makes the names in a folder durable; see fsync(2).
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// File returns a picture's bytes. A picture that moderation withheld has none: [ErrNotFound].
func (g *Gallery) File(ctx context.Context, s Scope, job string, index int) ([]byte, error) {
	e, err := g.Picture(ctx, s, job, index)
	if err != nil {
		return nil, err
	}
	if e.Blob == "" {
		return nil, ErrNotFound
	}
	file, err := g.read(e.Blob)
	if err != nil {
		return nil, fmt.Errorf("picture %d of job %s: %w; put it back from a backup, or paint it again from its request", index, job, err)
	}
	return file, nil
}

func (g *Gallery) read(blob string) ([]byte, error) {
	if !isBlob(blob) {
		return nil, fmt.Errorf("its file's name %q is no SHA-256", blob)
	}
	file, err := os.ReadFile(g.path(blob))
	if err != nil {
		return nil, fmt.Errorf("its file cannot be read: %w", err)
	}
	if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != blob {
		return nil, fmt.Errorf("its file %s is damaged: it holds other bytes than were kept", g.path(blob))
	}
	return file, nil
}

// Sweep removes files that no row names and that were kept longer than an hour ago, and what a crash left half written.
// Files that are not the gallery's stay.
func (g *Gallery) Sweep(ctx context.Context) (removed int, err error) {
	names, err := fs.Glob(os.DirFS(g.dir), "[0-9a-f][0-9a-f]/*")
	if err != nil {
		return 0, fmt.Errorf("sweeping the gallery: %w", err)
	}
	before := time.Now().Add(-spared)
	for _, name := range names {
		gone, err := g.sweep(ctx, filepath.Join(g.dir, name), before)
		if err != nil {
			return removed, fmt.Errorf("sweeping the gallery: %w", err)
		}
		if gone {
			removed++
		}
	}
	return removed, nil
}

func (g *Gallery) sweep(ctx context.Context, path string, before time.Time) (gone bool, err error) {
	g.removing.Lock() // nobody spares it between the question and the answer
	defer g.removing.Unlock()
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // it was unfinished and has its name now
	}
	if err != nil || !info.Mode().IsRegular() || !info.ModTime().Before(before) {
		return false, err
	}
	needed, err := g.needs(ctx, filepath.Base(path))
	if err != nil || needed {
		return false, err
	}
	return true, os.Remove(path)
}

// needs tells whether a file must stay.
func (g *Gallery) needs(ctx context.Context, name string) (needed bool, err error) {
	if strings.HasPrefix(name, unfinished) {
		return false, nil
	}
	if !isBlob(name) {
		return true, nil
	}
	err = g.db.Reader().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pictures WHERE blob = $1 OR held = $1)`, name).Scan(&needed)
	return needed, err
}
