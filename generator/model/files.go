package model

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode"
)

// Sizes above which a file is not what it should be.
const (
	maxConfig    = 1 << 20
	maxTokenizer = 64 << 20
	maxHead      = 256 // bytes that tell what came in place of a file
)

var (
	errOutside  = errors.New("it is a link to a place outside the model's folder; " + copyAll)
	errDeadLink = errors.New("it is a link that leads nowhere; " + copyAll)
)

const copyAll = "copy the whole folder with cp -rL, which puts files in the place of links"

// stat looks at a file that is to be used: it must be an ordinary one, since a device or a pipe may never end, and lie
// within the model (see within). It fails with fs.ErrNotExist for what is not there.
func (in *inspector) stat(file string) (fs.FileInfo, error) {
	info, err := fs.Stat(in.folder.fsys, file)
	switch {
	case isMissing(err) && in.isLink(file):
		return nil, errDeadLink
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a folder, and should be a file")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no ordinary file; copy the file again")
	}
	return info, in.within(file)
}

// within follows links: a file of a model on disk must lie in the model's folder or, if that is a snapshot in a cache of
// Hugging Face's tools (…/snapshots/REVISION), in the cache's blobs (…/blobs), into which all of a snapshot's files are
// links. A folder from elsewhere could otherwise make a network of any file that the program may read.
func (in *inspector) within(file string) error {
	if in.folder.Dir == "" {
		return nil
	}
	root, err := filepath.EvalSymlinks(in.folder.Dir)
	if err != nil {
		return ignoreMissing(err)
	}
	real, err := filepath.EvalSymlinks(filepath.Join(in.folder.Dir, filepath.FromSlash(file)))
	if err != nil {
		return ignoreMissing(err)
	}
	if inside(root, real) || filepath.Base(filepath.Dir(root)) == "snapshots" && inside(blobs(root), real) {
		return nil
	}
	return errOutside
}

func (in *inspector) isLink(file string) bool {
	info, err := fs.Lstat(in.folder.fsys, file)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// blobs is where the files of a snapshot lie.
func blobs(snapshot string) string { return filepath.Join(snapshot, "..", "..", "blobs") }

// nextTo follows links from a graph's weights, which ONNX Runtime reads only from the graph's own folder or, when the
// graph is a link, from the folder in which it truly lies.
func (in *inspector) nextTo(graph, weights string) error {
	var real [3]string
	for i, path := range []string{graph, weights, filepath.Dir(graph)} {
		var err error
		if real[i], err = filepath.EvalSymlinks(filepath.Join(in.folder.Dir, filepath.FromSlash(path))); err != nil {
			return ignoreMissing(err)
		}
	}
	if inside(real[2], real[1]) || inside(filepath.Dir(real[0]), real[1]) {
		return nil
	}
	return errors.New("it is a link out of the graph's folder, from where they are not read; put a copy of the file in its place")
}

func inside(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rel)
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// ignoreMissing passes over a file that is not on disk, which nothing can load.
func ignoreMissing(err error) error {
	if isMissing(err) {
		return nil
	}
	return fmt.Errorf("its place cannot be found out: %w", err)
}

// open opens a file that stat has nothing against.
func (in *inspector) open(file string) (fs.File, error) {
	if _, err := in.stat(file); err != nil {
		return nil, err
	}
	return in.folder.fsys.Open(file)
}

// impostor says what a file of networks or weights is that came in place of another, or "".
func (in *inspector) impostor(file string) string {
	f, err := in.open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	head, _ := io.ReadAll(io.LimitReader(f, maxHead)) // what cannot be read says nothing
	return impostor(head)
}

// impostor knows what comes in place of files by how it begins.
func impostor(file []byte) string {
	start := strings.ToLower(strings.TrimLeft(string(file[:min(len(file), maxHead)]), " \t\r\n\ufeff"))
	switch {
	case strings.HasPrefix(start, "version https://git-lfs"):
		return "it is a pointer of Git LFS, not the file itself; fetch that with git lfs pull"
	case strings.HasPrefix(start, "<!doctype") || strings.HasPrefix(start, "<html"):
		return "it is a web page, which came in place of the file; fetch it again, with a token if the model wants one"
	}
	return ""
}

// bytes reads a small file whole, and reports whether it was there and could be read.
func (in *inspector) bytes(file string, limit int64) ([]byte, bool) {
	f, err := in.open(file)
	if isMissing(err) {
		return nil, false
	}
	if err != nil {
		in.problem(file, "cannot be read: %v", err)
		return nil, false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		in.problem(file, "cannot be read: %v", err)
	case int64(len(b)) > limit:
		in.problem(file, "is larger than %d MiB, which no such file is", limit>>20)
	case impostor(b) != "":
		in.problem(file, "%s", impostor(b))
	default:
		return b, true
	}
	return nil, false
}

// plain makes what a file says fit for a message: short, on one line, and without what moves a terminal's cursor or turns the
// direction of writing.
func plain(s string) string {
	const most = 1000
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s[:min(len(s), most)])
	if len(s) >= most {
		s += "…"
	}
	return s
}
