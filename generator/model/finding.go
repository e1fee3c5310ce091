package model

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Finding is something to know about a model folder.
type Finding struct {
	File    string // relative to the folder, with slashes; "" for the folder as a whole
	Text    string // what was found and what to do about it
	Problem bool   // the model cannot be used until this is mended
}

// String returns "file: text".
func (f Finding) String() string {
	if f.File == "" {
		return f.Text
	}
	return f.File + ": " + f.Text
}

// An Error says why a model cannot be used.
type Error struct {
	Model    string
	Problems []Finding // one or more
}

// Error returns one line for one problem, a list for several.
func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return fmt.Sprintf("model %s: %v", e.Model, e.Problems[0])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "model %s has %d problems:", e.Model, len(e.Problems))
	for _, p := range e.Problems {
		fmt.Fprintf(&b, "\n  %v", p)
	}
	return b.String()
}

// Check examines the model at the root of fsys and returns everything worth knowing, in the
// order of the layout. A model without problems opens. The parameters are those of [Open].
func Check(fsys fs.FS, name, dir string) []Finding { return inspect(fsys, name, dir).findings }

// CheckDir is [Check] for a folder on disk.
func CheckDir(dir string) []Finding {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return []Finding{{Text: err.Error(), Problem: true}}
	}
	return Check(os.DirFS(abs), filepath.Base(abs), abs)
}

// An Entry is one line of a list of models.
type Entry struct {
	Name, Dir   string
	Description string // from easel.json
	Problem     error  // why it cannot be used, or nil
}

// List returns the folders directly within dir, sorted by name, and of those that are no models the problem. What begins with a dot
// is left out. A dir that does not exist has none.
func List(dir string) ([]Entry, error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing models: %w", err)
	}
	var list []Entry
	for _, e := range entries {
		d := filepath.Join(dir, e.Name())
		if info, err := os.Stat(d); err == nil && info.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			list = append(list, entry(d))
		}
	}
	return list, nil
}

func entry(dir string) Entry {
	f, err := OpenDir(dir)
	if err != nil {
		return Entry{Name: filepath.Base(dir), Dir: dir, Problem: err}
	}
	return Entry{Name: f.Name, Dir: dir, Description: f.About.Description}
}
