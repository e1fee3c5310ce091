package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A tinyHub has the model of random weights as ada/crayons, under a licence of one's choice.
type tinyHub struct {
	*httptest.Server
	licence string
	asked   atomic.Int64                                                      // requests for files
	before  func(w http.ResponseWriter, r *http.Request, content []byte) bool // may answer in its place
}

func newTinyHub(t *testing.T, licence string) *tinyHub {
	t.Helper()
	h := &tinyHub{licence: licence}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/models/ada/crayons/revision/main", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"sha": %q, "cardData": {"license": %q}}`, strings.Repeat("c", 40), h.licence)
	})
	mux.HandleFunc("GET /api/models/ada/crayons/tree/{commit}", func(w http.ResponseWriter, _ *http.Request) { h.list(w) })
	mux.HandleFunc("GET /ada/crayons/resolve/{commit}/{file...}", h.file)
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

func (h *tinyHub) list(w http.ResponseWriter) {
	var list []map[string]any
	_ = fs.WalkDir(os.DirFS(tiny), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(tiny, name))
		blob := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(content)), content...))
		list = append(list, map[string]any{"type": "file", "path": name, "size": len(content), "oid": fmt.Sprintf("%x", blob)})
		return err
	})
	_ = json.NewEncoder(w).Encode(list)
}

func (h *tinyHub) file(w http.ResponseWriter, r *http.Request) {
	h.asked.Add(1)
	content, err := os.ReadFile(filepath.Join(tiny, r.PathValue("file")))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if h.before != nil && h.before(w, r, content) {
		return
	}
	w.Header().Set("ETag", `"crayons"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// pulls runs the command as somebody does who has the hub's address, and a token, in the environment.
func (h *tinyHub) pulls(t *testing.T, data string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	t.Setenv("EASEL_MODELS_URL", h.URL)
	t.Setenv("EASEL_DATA_DIR", data)
	t.Setenv("HF_TOKEN", "hf_mustNotBeSeen")
	var out, said bytes.Buffer
	status = run(t.Context(), append([]string{"models", "pull"}, args...), &out, &said)
	if strings.Contains(out.String()+said.String(), "mustNotBeSeen") {
		t.Errorf("the token is told: %s%s", &out, &said)
	}
	return status, out.String(), said.String()
}

func TestPull(t *testing.T) {
	h, data := newTinyHub(t, "mit"), t.TempDir()
	status, stdout, stderr := h.pulls(t, data, "ada/crayons")
	if status != 0 || !strings.HasPrefix(stdout, "crayons can be used: easel imagine --model crayons") {
		t.Fatalf("status %d, %s%s", status, stdout, stderr)
	}
	for _, want := range []string{"licence: mit", "878 kB in 12 files", "fetching crayons: 100%"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("it does not say %q: %s", want, stderr)
		}
	}
	var out bytes.Buffer
	if run(t.Context(), []string{"models", "list"}, &out, &out); !strings.Contains(out.String(), "Random weights for tests.") || strings.Contains(out.String(), ".pull") {
		t.Errorf("models list: %s", &out)
	}

	asked := h.asked.Load()
	for _, args := range [][]string{{"ada/crayons"}, {"ada/crayons", "--verify"}} {
		status, _, stderr = h.pulls(t, data, args...)
		if status != 0 || !strings.Contains(stderr, "it is here already") || h.asked.Load() != asked {
			t.Errorf("%q: status %d, %d more requests, %s", args, status, h.asked.Load()-asked, stderr)
		}
	}

	graph := filepath.Join(data, "models/crayons/unet/model.onnx")
	if err := os.Truncate(graph, 1000); err != nil {
		t.Fatal(err)
	}
	status, _, stderr = h.pulls(t, data, "ada/crayons")
	if status != 0 || !strings.Contains(stderr, "unet/model.onnx has 1000 bytes, not 544184; it is fetched again") || h.asked.Load() != asked+1 {
		t.Errorf("mending: status %d, %d more requests, %s", status, h.asked.Load()-asked, stderr)
	}

	status, _, stderr = h.pulls(t, data, "eve/crayons")
	if status != 1 || !strings.Contains(stderr, "holds ada/crayons, not eve/crayons") {
		t.Errorf("another of the same name: status %d, %s", status, stderr)
	}
}

// TestPullAsksForAgreement: a licence that restricts is agreed to first, with the command where nobody can be asked.
func TestPullAsksForAgreement(t *testing.T) {
	for _, licence := range []string{"creativeml-openrail-m", "", "something-new"} {
		h, data := newTinyHub(t, licence), t.TempDir()
		status, _, stderr := h.pulls(t, data, "ada/crayons")
		if status != 2 || !strings.Contains(stderr, "read it at "+h.URL+"/ada/crayons, then add --accept-licence") || h.asked.Load() != 0 {
			t.Errorf("%q: status %d after %d files, %s", licence, status, h.asked.Load(), stderr)
		}
		if status, _, stderr := h.pulls(t, data, "ada/crayons", "--accept-licence", "--to", filepath.Join(data, "elsewhere")); status != 0 {
			t.Errorf("%q accepted: status %d, %s", licence, status, stderr)
		}
		if _, err := os.Stat(filepath.Join(data, "elsewhere/unet/model.onnx")); err != nil {
			t.Error(err)
		}
	}
}

// TestPullKilled kills the real program in the middle of a file. The next pull goes on from there.
func TestPullKilled(t *testing.T) {
	h, data := newTinyHub(t, "mit"), t.TempDir()
	reached, resumed := make(chan struct{}), make(chan string, 1)
	var killed atomic.Bool
	h.before = func(w http.ResponseWriter, r *http.Request, content []byte) bool {
		switch {
		case r.PathValue("file") != "unet/model.onnx":
			return false
		case killed.Load():
			resumed <- r.Header.Get("Range") + " " + r.Header.Get("If-Range")
			return false
		}
		w.Header().Set("ETag", `"crayons"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content[:300_000])
		_ = http.NewResponseController(w).Flush()
		close(reached)
		<-r.Context().Done()
		return true
	}
	command := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), program(t), "models", "pull", "ada/crayons")
		cmd.Dir, cmd.Env = t.TempDir(), append(newcomer(t), "EASEL_MODELS_URL="+h.URL, "EASEL_DATA_DIR="+data)
		return cmd
	}
	first := command()
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	part := filepath.Join(data, "models/.pull/crayons/unet/model.onnx.part")
	eventually(t, "300,000 bytes are on disk", func() bool {
		info, err := os.Stat(part)
		return err == nil && info.Size() == 300_000
	})

	var busy strings.Builder
	second := command()
	second.Stderr = &busy
	if got := exitStatus(second.Run()); got != 1 || !strings.Contains(busy.String(), "another easel is pulling this model") {
		t.Errorf("a second pull beside it: status %d, %s", got, &busy)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // which says that it was killed
	if _, err := os.Stat(filepath.Join(data, "models/crayons")); err == nil {
		t.Error("half a model is in place")
	}

	killed.Store(true)
	if out, err := command().CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := <-resumed; got != `bytes=300000- "crayons"` {
		t.Errorf("it asked for %s", got)
	}
	want, err := os.ReadFile(filepath.Join(tiny, "unet/model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, data, "models/crayons/unet/model.onnx"), want) {
		t.Error("the file is not what the hub has")
	}
}
