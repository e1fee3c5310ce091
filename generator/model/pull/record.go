package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// recordFile lies in each folder that was pulled.
const recordFile = "pulled.json"

// A Record says what a folder was pulled from.
type Record struct {
	Repo     string  `json:"repo"`
	Revision string  `json:"revision"` // that was asked for
	Commit   string  `json:"commit"`   // that it was then
	Licence  Licence `json:"licence"`
	Files    []File  `json:"files"`
}

// Source returns what was asked for.
func (r *Record) Source() Source { return Source{r.Repo, r.Revision} }

// ReadRecord reads the record of a model's folder. The error is [fs.ErrNotExist] when there is no folder, and [ErrNotPulled] when there is one without a record.
func ReadRecord(dir string) (*Record, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotPulled
	}
	if err != nil {
		return nil, err
	}
	var r Record
	if json.Unmarshal(b, &r) != nil {
		return nil, ErrNotPulled
	}
	if _, err := ParseSource(r.Repo + "@" + r.Revision); err != nil {
		return nil, ErrNotPulled
	}
	for _, f := range r.Files {
		if plain(f.Path) != nil || portable(f.Path) != nil {
			return nil, ErrNotPulled
		}
	}
	return &r, nil
}

// ErrNotPulled says that a folder was not made by a pull.
var ErrNotPulled = errors.New("the folder was not made by a pull")

// Damage lists what has become of the files of a folder that was pulled: those that are missing or have another length, and, with hashes, another
// content. say is told of the reading.
func (r *Record) Damage(ctx context.Context, dir string, hashes bool, say func(Event)) ([]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // nothing is lost by it
	f := &fetch{root: root, say: say, total: Sum(r.Files)}
	var damage []string
	for _, file := range r.Files {
		switch info, err := root.Stat(filepath.FromSlash(file.Path)); {
		case errors.Is(err, fs.ErrNotExist):
			damage = append(damage, file.Path+" is missing")
		case err != nil:
			return nil, err
		case info.Size() != file.Size:
			damage = append(damage, fmt.Sprintf("%s has %d bytes, not %d", file.Path, info.Size(), file.Size))
		case hashes:
			right, err := (&transfer{fetch: f, File: file}).right(ctx)
			if err != nil {
				return nil, err
			}
			if !right {
				damage = append(damage, file.Path+" has another content")
			}
		}
		f.done += file.Size
	}
	return damage, nil
}

func (r *Record) write(root *os.Root) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return root.WriteFile(recordFile, append(b, '\n'), 0o644)
}
