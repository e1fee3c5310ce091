package pull

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	tiny   = "../../../testdata/tiny"
	repo   = "ada/tiny"
	commit = "0123456789abcdef0123456789abcdef01234567"
	large  = "unet/model.onnx" // of the tiny model
)

// A fakeHub serves one model as Hugging Face does, and misbehaves on demand.
type fakeHub struct {
	*httptest.Server
	files map[string][]byte

	// mischief may answer the nth request, from 1, for a file in place of the hub, and reports whether it did.
	mischief func(w http.ResponseWriter, r *http.Request, file string, n int) bool

	mu    sync.Mutex
	asked map[string][]*http.Request // by file
}

func newFakeHub(t *testing.T) *fakeHub {
	t.Helper()
	h := &fakeHub{files: map[string][]byte{}, asked: map[string][]*http.Request{}}
	root := os.DirFS(tiny)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		h.files[name], err = fs.ReadFile(root, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/models/ada/tiny/revision/{revision}", h.info)
	mux.HandleFunc("GET /api/models/ada/tiny/tree/"+commit, h.tree)
	mux.HandleFunc("GET /ada/tiny/resolve/"+commit+"/{file...}", h.resolve)
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

func (h *fakeHub) info(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("revision") != "main" {
		w.Header().Set("X-Error-Code", "RevisionNotFound")
		http.Error(w, "{}", http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, `{"sha": %q, "cardData": {"license": "mit"}}`, commit)
}

// tree lists the files in pages of five, large ones as LFS does.
func (h *fakeHub) tree(w http.ResponseWriter, r *http.Request) {
	names := h.names()
	from := 0
	_, _ = fmt.Sscan(r.URL.Query().Get("cursor"), &from)
	to := min(from+5, len(names))
	if to < len(names) {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?recursive=true&cursor=%d>; rel="next"`, h.URL, r.URL.Path, to))
	}
	entries := []map[string]any{{"type": "directory", "path": "unet", "oid": commit, "size": 0}}
	for _, name := range names[from:to] {
		entries = append(entries, listed(name, h.files[name]))
	}
	_ = json.NewEncoder(w).Encode(entries)
}

func (h *fakeHub) names() []string {
	var names []string
	for name := range h.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func listed(name string, content []byte) map[string]any {
	e := map[string]any{"type": "file", "path": name, "size": len(content), "oid": blobHash(content)}
	if len(content) > 10_000 {
		e["lfs"] = map[string]any{"oid": fmt.Sprintf("%x", sha256.Sum256(content)), "size": len(content), "pointerSize": 134}
	}
	return e
}

func blobHash(content []byte) string {
	return fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(content)), content...)))
}

func (h *fakeHub) resolve(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	h.mu.Lock()
	h.asked[name] = append(h.asked[name], r)
	n := len(h.asked[name])
	h.mu.Unlock()
	if h.mischief != nil && h.mischief(w, r, name, n) {
		return
	}
	h.serve(w, r, name)
}

// serve answers as a good server does, ranges included.
func (h *fakeHub) serve(w http.ResponseWriter, r *http.Request, name string) {
	content, ok := h.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", etagOf(content))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func etagOf(content []byte) string { return fmt.Sprintf(`"%x"`, sha256.Sum256(content)) }

func (h *fakeHub) requests(file string) []*http.Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.asked[file])
}

// hub returns a client of the fake one that does not wait long.
func (h *fakeHub) hub(t *testing.T, token string) *Hub {
	t.Helper()
	return impatient(t, h.URL, token)
}

func impatient(t *testing.T, address, token string) *Hub {
	t.Helper()
	hub, err := NewHub(address, token)
	if err != nil {
		t.Fatal(err)
	}
	hub.pause, hub.stall, hub.attempts = time.Millisecond, 300*time.Millisecond, 4
	t.Cleanup(hub.client.CloseIdleConnections)
	return hub
}

func quiet(Event) {}

// pullTiny does what the command does.
func (h *fakeHub) pullTiny(t *testing.T, dir string, d *Defaults) error {
	t.Helper()
	hub := h.hub(t, "")
	offer, err := hub.Offer(t.Context(), Source{repo, "main"}, quiet)
	if err != nil {
		return err
	}
	place, err := Take(dir)
	if err != nil {
		return err
	}
	defer place.Leave()
	return place.Fetch(t.Context(), hub, offer, d, quiet)
}

// arrived compares a folder with what the hub has.
func (h *fakeHub) arrived(t *testing.T, dir string) {
	t.Helper()
	for name, want := range h.files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(want), err)
		}
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(path, partSuffix) {
			t.Errorf("%s is left over", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
