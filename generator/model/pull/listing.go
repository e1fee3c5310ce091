package pull

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// A File is one file of a model on the hub.
type File struct {
	Path   string `json:"path"`   // relative, with slashes
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // of the content, for files in LFS; else ""
	Blob   string `json:"blob"`   // git's SHA-1 of the blob, for files that are not in LFS; else ""
}

// Bounds of what a hub may list.
const (
	maxEntries = 20_000
	maxPages   = 200
	maxPage    = 16 << 20 // bytes of one page
	maxFile    = 64 << 30 // bytes of one file
	maxBlob    = 64 << 20 // of one that is not in LFS
	maxModel   = 128 << 30
)

type entry struct {
	Type string `json:"type"`
	Path string `json:"path"`
	Size int64  `json:"size"`
	OID  string `json:"oid"`
	LFS  *struct {
		OID  string `json:"oid"`
		Size int64  `json:"size"`
	} `json:"lfs"`
}

var (
	sha1Form   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// A listing gathers the files of a repository from the pages in which a hub tells of them.
type listing struct {
	files map[string]File
	seen  int // entries, folders included
}

// add reads one page: a JSON array of entries.
func (l *listing) add(body io.Reader) error {
	page, err := io.ReadAll(io.LimitReader(body, maxPage+1))
	switch {
	case err != nil:
		return err
	case len(page) > maxPage:
		return fmt.Errorf("the hub's list of files does not end after %d MiB; this is no model", maxPage>>20)
	}
	dec := json.NewDecoder(bytes.NewReader(page))
	if open, err := dec.Token(); err != nil || open != json.Delim('[') {
		return unreadable(err)
	}
	for dec.More() {
		var e entry
		if err := dec.Decode(&e); err != nil {
			return unreadable(err)
		}
		if l.seen++; l.seen > maxEntries {
			return fmt.Errorf("the hub's list of files does not end after %d of them; this is no model", maxEntries)
		}
		if err := l.take(e); err != nil {
			return fmt.Errorf("the hub's list of files is not to be trusted: it has %w", err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return unreadable(err)
	}
	return nil
}

// unreadable words what is wrong with a page.
func unreadable(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &againError{err: errors.New("the hub's list of files was cut short")}
	}
	return errors.New("the hub's list of files is not in the form that Hugging Face uses; is the mirror's address right?")
}

func (l *listing) take(e entry) error {
	if e.Type != "file" {
		return nil
	}
	if err := plain(e.Path); err != nil {
		return err
	}
	if _, twice := l.files[e.Path]; twice {
		return fmt.Errorf("%q twice", e.Path)
	}
	f := File{Path: e.Path, Size: e.Size}
	limit := int64(maxFile)
	if e.LFS != nil {
		f.SHA256 = strings.TrimPrefix(e.LFS.OID, "sha256:")
	} else {
		f.Blob, limit = e.OID, maxBlob
	}
	switch {
	case f.Size < 0 || f.Size > limit || e.LFS != nil && e.LFS.Size != f.Size:
		return fmt.Errorf("%q of %d bytes", e.Path, e.Size)
	case e.LFS != nil && !sha256Form.MatchString(f.SHA256), e.LFS == nil && !sha1Form.MatchString(f.Blob):
		return fmt.Errorf("%q without a hash", e.Path)
	}
	l.files[e.Path] = f
	return nil
}
