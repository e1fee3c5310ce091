package pull

import (
	"context"
	"crypto/sha1" // git's hash of small files, which is what the hub has of them
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
)

const (
	partSuffix = ".part"
	etagSuffix = ".etag"
	maxCorrupt = 3 // times that a file may come with the wrong bytes
)

// A fetch brings the files of an offer into a folder.
type fetch struct {
	hub   *Hub
	offer *Offer
	root  *os.Root // paths cannot leave it, whatever lies there
	say   func(Event)
	done  int64 // bytes of the files that are complete
	total int64
}

// file brings one file, and leaves it complete and verified.
func (f *fetch) file(ctx context.Context, file File) error {
	if err := f.root.MkdirAll(path.Dir(file.Path), 0o755); err != nil {
		return err
	}
	t := &transfer{fetch: f, File: file}
	ok, err := t.here(ctx)
	if err == nil && !ok {
		err = t.bring(ctx)
	}
	f.done += file.Size
	return err
}

// bring goes on with the part there is, as often as it takes.
func (t *transfer) bring(ctx context.Context) error {
	if err := t.open(ctx); err != nil {
		return err
	}
	defer t.part.Close()
	if err := t.hub.persist(ctx, t.hub.attempts, t.say, func() (bool, error) { return t.attempt(ctx) }); err != nil {
		return t.hub.deniedFile(t.offer.Source, t.Path, err)
	}
	return nil
}

func (h *Hub) deniedFile(s Source, name string, err error) error {
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusNotFound {
		return fmt.Errorf("%s lists %s but does not have it: %w; the mirror may be incomplete", s.Repo, name, err)
	}
	return fmt.Errorf("%s: %w", name, h.denied(s, err))
}

// A transfer is one file on its way.
type transfer struct {
	*fetch
	File
	part    *os.File
	sum     hash.Hash // of what is in part
	size    int64     // of part
	most    int64     // that part ever held
	corrupt int       // times that it was thrown away
}

// here reports whether the file is here and right. One that is not is removed.
func (t *transfer) here(ctx context.Context) (bool, error) {
	switch info, err := t.root.Lstat(t.Path); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Mode().IsRegular() && info.Size() == t.Size:
		if right, err := t.right(ctx); right || err != nil {
			return right, err
		}
	}
	return false, t.root.RemoveAll(t.Path)
}

func (t *transfer) right(ctx context.Context) (bool, error) {
	file, err := t.root.Open(t.Path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	t.begin()
	if err := t.read(ctx, file); err != nil {
		return false, err
	}
	return t.matches(), nil
}

// begin starts the hash that the listing has of this file.
func (t *transfer) begin() {
	t.size = 0
	if t.SHA256 != "" {
		t.sum = sha256.New()
		return
	}
	t.sum = sha1.New()
	fmt.Fprintf(t.sum, "blob %d\x00", t.Size)
}

func (t *transfer) matches() bool {
	want := t.SHA256
	if want == "" {
		want = t.Blob
	}
	return t.size == t.Size && hex.EncodeToString(t.sum.Sum(nil)) == want
}

// read hashes what is on disk already.
func (t *transfer) read(ctx context.Context, file io.Reader) error {
	buf := make([]byte, 1<<20)
	for {
		n, err := file.Read(buf)
		t.sum.Write(buf[:n])
		if t.size += int64(n); n > 0 {
			t.tell(Checking)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

func (t *transfer) tell(kind Kind) {
	t.say(Event{Kind: kind, File: t.Path, Done: t.done + min(t.size, t.Size), Total: t.total})
}

// open opens the part and hashes what it holds.
func (t *transfer) open(ctx context.Context) (err error) {
	if t.part, err = t.root.OpenFile(t.Path+partSuffix, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	t.begin()
	if err := t.read(ctx, t.part); err != nil {
		return errors.Join(err, t.part.Close())
	}
	if t.most = t.size; t.size > t.Size {
		return t.discard()
	}
	return nil
}

// attempt asks once for what is missing, and reports whether the part grew.
func (t *transfer) attempt(ctx context.Context) (news bool, err error) {
	if t.size < t.Size {
		err = t.more(ctx)
	}
	news = t.size > t.most
	t.most = max(t.most, t.size)
	if err != nil {
		return news, err
	}
	return news, t.finish()
}

// discard forgets what is in the part.
func (t *transfer) discard() error {
	t.begin()
	if err := t.root.Remove(t.Path + partSuffix + etagSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := t.part.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return t.part.Truncate(0)
}

// more asks for what is missing and appends it.
func (t *transfer) more(ctx context.Context) error {
	header := http.Header{}
	etag := t.etag()
	if t.size > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", t.size))
		if etag != "" {
			header.Set("If-Range", etag)
		}
	}
	at := t.hub.base.JoinPath(t.offer.Source.Repo, "resolve", url.PathEscape(t.offer.Commit), escaped(t.Path))
	response, err := t.hub.get(ctx, at, header)
	if err != nil {
		return t.beyond(err)
	}
	defer response.Body.Close()
	if err := t.agree(response, etag); err != nil {
		return err
	}
	return t.append(ctx, response.Body)
}

// beyond begins anew when the server says that the range is none of the file's.
func (t *transfer) beyond(err error) error {
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusRequestedRangeNotSatisfiable && t.size > 0 {
		return t.spoilt(err)
	}
	return err
}

// agree decides whether the answer goes on where the part ends. If it is the whole file, the part is begun anew.
func (t *transfer) agree(r *http.Response, etag string) error {
	now := r.Header.Get("ETag")
	if r.StatusCode == http.StatusOK {
		if r.ContentLength >= 0 && r.ContentLength != t.Size {
			return t.spoilt(fmt.Errorf("%s sends %d bytes where the list says %d", r.Request.URL.Host, r.ContentLength, t.Size))
		}
		if err := t.discard(); err != nil {
			return err
		}
		return t.remember(now)
	}
	want := fmt.Sprintf("bytes %d-%d/%d", t.size, t.Size-1, t.Size)
	switch got := r.Header.Get("Content-Range"); {
	case got != want:
		return t.spoilt(fmt.Errorf("%s sends the range %q where %q was asked for", r.Request.URL.Host, printable(got), want))
	case etag != "" && now != "" && now != etag:
		return t.spoilt(fmt.Errorf("%s has another file now", r.Request.URL.Host))
	}
	return nil
}

// append writes what comes behind the part.
func (t *transfer) append(ctx context.Context, body io.Reader) error {
	buf := make([]byte, 256<<10)
	for {
		n, err := body.Read(buf)
		if t.size+int64(n) > t.Size {
			return t.spoilt(errors.New("more bytes come than the list says"))
		}
		if _, err := t.part.Write(buf[:n]); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
		t.sum.Write(buf[:n])
		t.size += int64(n)
		t.tell(Fetching)
		switch {
		case err == io.EOF && t.size < t.Size:
			return &againError{err: errors.New("the connection was cut")}
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// finish verifies the part and makes it the file.
func (t *transfer) finish() error {
	if !t.matches() {
		return t.spoilt(errors.New("the bytes that came do not have the hash that the hub lists"))
	}
	if err := errors.Join(t.part.Sync(), t.part.Close()); err != nil {
		return err
	}
	if err := t.root.Remove(t.Path + partSuffix + etagSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return t.root.Rename(t.Path+partSuffix, t.Path)
}

// spoilt throws the part away, to be fetched once more, and gives up when that keeps happening.
func (t *transfer) spoilt(why error) error {
	if err := t.discard(); err != nil {
		return err
	}
	if t.corrupt++; t.corrupt >= maxCorrupt {
		return fmt.Errorf("%w, %d times; try again later, or another mirror", why, t.corrupt)
	}
	return &againError{err: why}
}

var strongETag = regexp.MustCompile(`^"[!#-~]{1,200}"$`)

// etag returns what the server called the version of which the part is, or "".
func (t *transfer) etag() string {
	b, err := t.root.ReadFile(t.Path + partSuffix + etagSuffix)
	if text := strings.TrimSpace(string(b)); err == nil && strongETag.MatchString(text) {
		return text
	}
	return ""
}

func (t *transfer) remember(etag string) error {
	if !strongETag.MatchString(etag) {
		return nil
	}
	return t.root.WriteFile(t.Path+partSuffix+etagSuffix, []byte(etag+"\n"), 0o644)
}

// escaped writes a path for an address.
func escaped(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}
