package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/inference/graph"
)

// A Place is where a model will lie, and this process alone may pull into it.
type Place struct {
	dir   string // the model
	aside string // the same while it is being fetched
	lock  *flock.Flock
}

// ErrBusy says that another process pulls into the same place.
var ErrBusy = errors.New("another easel is pulling this model; wait for it, or stop it")

// Take makes a place this process's own until [Place.Leave], or until it ends, however that is. The folder above dir is made.
func Take(dir string) (*Place, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	aside := filepath.Join(filepath.Dir(dir), ".pull", filepath.Base(dir))
	if err := os.MkdirAll(filepath.Dir(aside), 0o755); err != nil {
		return nil, err
	}
	p := &Place{dir: dir, aside: aside, lock: flock.New(aside + ".lock")}
	switch mine, err := p.lock.TryLock(); {
	case err != nil:
		return nil, err
	case !mine:
		return nil, ErrBusy
	}
	return p, nil
}

// Leave lets others pull into the place.
func (p *Place) Leave() { _ = p.lock.Unlock() } // which the end of the process does as well

// Aside is where files wait until the model is complete.
func (p *Place) Aside() string { return p.aside }

// SetAside takes a damaged model out of its place, so that the next fetch mends it: what is right in it is kept.
func (p *Place) SetAside() error {
	if err := os.RemoveAll(p.aside); err != nil {
		return err
	}
	return os.Rename(p.dir, p.aside)
}

// An UnusableError says that all files came as the hub has them, and that the model cannot be used nevertheless.
type UnusableError struct {
	Dir      string // where the files are kept
	Problems []model.Finding
}

// Error lists the problems.
func (e *UnusableError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "all files came as the hub has them, but easel cannot use the model; they are kept in %s", e.Dir)
	for _, problem := range e.Problems {
		fmt.Fprintf(&b, "\n  %v", problem)
	}
	return b.String()
}

// Fetch brings what the hub offers to the place, going on with what is there from before. The defaults, if any, become its easel.json when the
// repository has none. A model that cannot be used is left aside, and the error is an [*UnusableError].
func (p *Place) Fetch(ctx context.Context, h *Hub, o *Offer, d *Defaults, say func(Event)) error {
	if err := os.MkdirAll(p.aside, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(p.aside)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // nothing is lost by it
	f := &fetch{hub: h, offer: o, root: root, say: say}
	if err := f.everything(ctx, p.aside); err != nil {
		return err
	}
	if err := f.furnish(d); err != nil {
		return err
	}
	if problems := problems(p.aside); len(problems) > 0 {
		return &UnusableError{p.aside, problems}
	}
	return os.Rename(p.aside, p.dir)
}

// everything brings the files of the offer, then those that only the graphs among them name.
func (f *fetch) everything(ctx context.Context, aside string) error {
	for files := f.offer.Files; len(files) > 0; {
		f.total += Sum(files)
		if err := f.room(aside, files); err != nil {
			return err
		}
		for _, file := range files {
			if err := f.file(ctx, file); err != nil {
				return err
			}
		}
		files = f.named()
		f.offer.Files = append(f.offer.Files, files...)
		if err := bounded(f.offer.Files); err != nil {
			return err
		}
	}
	return nil
}

// named lists the weights that graphs ask for, that the repository has, and that were not fetched as their names are unusual.
func (f *fetch) named() []File {
	var more []File
	for _, file := range f.offer.Files {
		if path.Base(file.Path) != graphFile {
			continue
		}
		for _, name := range f.external(file.Path) {
			full := path.Join(path.Dir(file.Path), name)
			weights, ok := f.offer.all[full]
			same := func(f File) bool { return f.Path == full }
			if ok && filepath.IsLocal(name) && !slices.ContainsFunc(f.offer.Files, same) && !slices.ContainsFunc(more, same) {
				more = append(more, weights)
			}
		}
	}
	return more
}

// external lists the weights beside a graph; one that cannot be read names none, and the check at the end says why.
func (f *fetch) external(name string) []string {
	file, err := f.root.Open(name)
	if err != nil {
		return nil
	}
	defer file.Close()
	signature, err := graph.Read(file)
	if err != nil {
		return nil
	}
	return signature.External
}

// room checks that the disk can hold what is missing of files, and a little more.
func (f *fetch) room(aside string, files []File) error {
	room, known := freeBytes(aside)
	missing := int64(64 << 20)
	for _, file := range files {
		missing += file.Size - f.held(file)
	}
	if known && room < missing {
		return fmt.Errorf("the disk of %s has %s free, and %s are needed; make room, or pull to another disk with --to",
			filepath.Dir(aside), SizeText(room), SizeText(missing))
	}
	return nil
}

// held returns how much of a file is on disk.
func (f *fetch) held(file File) int64 {
	for _, name := range []string{file.Path, file.Path + partSuffix} {
		if info, err := f.root.Stat(name); err == nil {
			return min(info.Size(), file.Size)
		}
	}
	return 0
}

// furnish adds what is ours, and clears away parts that no file needs any more.
func (f *fetch) furnish(d *Defaults) error {
	o := f.offer
	record := Record{Repo: o.Source.Repo, Revision: o.Source.Revision, Commit: o.Commit, Licence: o.Licence, Files: o.Files}
	if err := errors.Join(f.sweep(), record.write(f.root)); err != nil {
		return err
	}
	if _, err := f.root.Lstat("easel.json"); d == nil || !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return f.root.WriteFile("easel.json", append(b, '\n'), 0o644)
}

func (f *fetch) sweep() error {
	return fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (strings.HasSuffix(name, partSuffix) || strings.HasSuffix(name, partSuffix+etagSuffix)) {
			return f.root.Remove(name)
		}
		return err
	})
}

func problems(dir string) []model.Finding {
	return slices.DeleteFunc(model.CheckDir(dir), func(f model.Finding) bool { return !f.Problem })
}
