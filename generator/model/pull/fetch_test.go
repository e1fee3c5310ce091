package pull

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// part sends the first n bytes of what was promised.
func part(w http.ResponseWriter, content []byte, n int) {
	w.Header().Set("ETag", etagOf(content))
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	_, _ = w.Write(content[:n])
	_ = http.NewResponseController(w).Flush()
}

// cut sends half and breaks the connection.
func cut(w http.ResponseWriter, content []byte) {
	part(w, content, len(content)/2)
	panic(http.ErrAbortHandler)
}

func ranged(w http.ResponseWriter, from int, etag string, body []byte, size int) {
	w.Header().Set("ETag", etag)
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, size-1, size))
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(http.StatusPartialContent)
	_, _ = w.Write(body)
}

// TestMischief pulls a model from hubs that misbehave, each in its own way, with its largest file.
func TestMischief(t *testing.T) {
	type answer = func(w http.ResponseWriter, r *http.Request, content []byte, n int) bool
	after := func(answers ...func(w http.ResponseWriter, r *http.Request, content []byte)) answer {
		return func(w http.ResponseWriter, r *http.Request, content []byte, n int) bool {
			if n > len(answers) {
				return false
			}
			answers[n-1](w, r, content)
			return true
		}
	}
	always := func(a func(w http.ResponseWriter, r *http.Request, content []byte)) answer {
		return func(w http.ResponseWriter, r *http.Request, content []byte, _ int) bool {
			a(w, r, content)
			return true
		}
	}
	half := func(w http.ResponseWriter, _ *http.Request, content []byte) { cut(w, content) }
	whole := func(w http.ResponseWriter, _ *http.Request, content []byte) { part(w, content, len(content)) }
	status := func(code int, retry string) func(http.ResponseWriter, *http.Request, []byte) {
		return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Header().Set("Retry-After", retry)
			w.WriteHeader(code)
		}
	}
	tests := []struct {
		name   string
		answer answer
		asked  int    // requests for the file; 0 for any number
		err    string // "" if the model arrives all the same
	}{
		{name: "well behaved", asked: 1},
		{name: "cut midway", answer: after(half), asked: 2},
		{name: "cut again and again, with a little more each time", answer: func(w http.ResponseWriter, _ *http.Request, content []byte, n int) bool {
			if n == 1 {
				part(w, content, 1000)
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", 1000*(n-1), len(content)-1, len(content)))
			w.Header().Set("Content-Length", fmt.Sprint(len(content)-1000*(n-1)))
			w.WriteHeader(http.StatusPartialContent)
			if n > 9 {
				_, _ = w.Write(content[1000*(n-1):])
				return true
			}
			_, _ = w.Write(content[1000*(n-1) : 1000*n])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, asked: 10},
		{name: "cut before the first byte", answer: after(func(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }), asked: 2},
		{name: "Range ignored", answer: after(half, whole), asked: 2},
		{name: "Range ignored and cut", answer: after(half, half, half, whole), asked: 4},
		{name: "Range answered with wrong bytes", answer: after(half, func(w http.ResponseWriter, _ *http.Request, content []byte) {
			from := len(content) / 2
			ranged(w, from, etagOf(content), make([]byte, len(content)-from), len(content))
		}), asked: 3},
		{name: "Range from elsewhere", answer: after(half, func(w http.ResponseWriter, _ *http.Request, content []byte) {
			ranged(w, 7, etagOf(content), content[7:], len(content))
		}), asked: 3},
		{name: "Range of a file of another size", answer: after(half, func(w http.ResponseWriter, _ *http.Request, content []byte) {
			from := len(content) / 2
			ranged(w, from, etagOf(content), content[from:len(content)-1], len(content)-1)
		}), asked: 3},
		{name: "another ETag on resuming", answer: after(half, func(w http.ResponseWriter, _ *http.Request, content []byte) {
			from := len(content) / 2
			ranged(w, from, `"another"`, content[from:], len(content))
		}), asked: 3},
		{name: "206 that was not asked for", answer: after(func(w http.ResponseWriter, _ *http.Request, content []byte) {
			ranged(w, 100, etagOf(content), content[100:], len(content))
		}), asked: 2},
		{name: "range not satisfiable", answer: after(half, status(http.StatusRequestedRangeNotSatisfiable, "")), asked: 3},
		{name: "429, then 503", answer: after(status(http.StatusTooManyRequests, "0"), status(http.StatusServiceUnavailable, "")), asked: 3},
		{name: "asks for a second", answer: after(status(http.StatusTooManyRequests, "1")), asked: 2},
		{name: "asks for a day", answer: always(status(http.StatusTooManyRequests, "86400")), asked: 1, err: "asks to come back in 24h0m0s"},
		{name: "500 for ever", answer: always(status(http.StatusInternalServerError, "")), asked: 4, err: "answers 500 Internal Server Error, 4 times in a row"},
		{name: "stalls midway", answer: after(func(w http.ResponseWriter, r *http.Request, content []byte) {
			part(w, content, 1000)
			<-r.Context().Done()
		}), asked: 2},
		{name: "stalls before it answers", answer: after(func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() }), asked: 2},
		{name: "slow, but steady", answer: always(trickle), asked: 1},
		{name: "shorter than listed", answer: always(func(w http.ResponseWriter, _ *http.Request, content []byte) {
			part(w, content[1:], len(content)-1)
		}), asked: maxCorrupt, err: "where the list says"},
		{name: "shorter, without saying so", answer: always(func(w http.ResponseWriter, _ *http.Request, content []byte) {
			_, _ = w.Write(content[:len(content)-1])
			_ = http.NewResponseController(w).Flush()
		}), err: "the connection was cut"},
		{name: "longer than listed", answer: always(func(w http.ResponseWriter, _ *http.Request, content []byte) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(append(bytes.Clone(content), 0))
		}), asked: maxCorrupt, err: "more bytes come than the list says"},
		{name: "corrupt", answer: always(func(w http.ResponseWriter, _ *http.Request, content []byte) {
			content = bytes.Clone(content)
			content[len(content)/3]++
			part(w, content, len(content))
		}), asked: maxCorrupt, err: "do not have the hash that the hub lists"},
		{name: "listed and not there", answer: always(status(http.StatusNotFound, "")), asked: 1, err: "lists " + large + " but does not have it"},
		{name: "gated", answer: always(status(http.StatusForbidden, "")), asked: 1, err: "accept the licence at"},
		{name: "redirected for ever", answer: always(func(w http.ResponseWriter, r *http.Request, _ []byte) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}), err: "redirects where easel does not follow"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newFakeHub(t)
			h.mischief = func(w http.ResponseWriter, r *http.Request, file string, n int) bool {
				return file == large && tt.answer != nil && tt.answer(w, r, h.files[file], n)
			}
			dir := filepath.Join(t.TempDir(), "tiny")
			err := h.pullTiny(t, dir, nil)
			if asked := len(h.requests(large)); tt.asked != 0 && asked != tt.asked {
				t.Errorf("asked for it %d times, want %d", asked, tt.asked)
			}
			if tt.err == "" {
				if err != nil {
					t.Fatal(err)
				}
				h.arrived(t, dir)
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
			if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a folder is in place that is not complete: %v", err)
			}
		})
	}
}

// trickle sends a file in pieces over more time than a stall may last.
func trickle(w http.ResponseWriter, _ *http.Request, content []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for piece := (len(content) + 19) / 20; len(content) > 0; <-tick.C {
		n := min(piece, len(content))
		if _, err := w.Write(content[:n]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		content = content[n:]
	}
}

// TestResumeAsksForTheRest: after a pull that failed, the next asks for what is missing, of the version that it has.
func TestResumeAsksForTheRest(t *testing.T) {
	h := newFakeHub(t)
	content := h.files[large]
	h.mischief = func(w http.ResponseWriter, r *http.Request, file string, n int) bool {
		switch {
		case file != large || n > 4:
			return false
		case n == 1:
			cut(w, content)
		}
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := h.pullTiny(t, dir, nil); err == nil {
		t.Fatal("it came though the hub broke down")
	}
	small := len(h.requests("model_index.json"))
	if err := h.pullTiny(t, dir, nil); err != nil {
		t.Fatal(err)
	}
	h.arrived(t, dir)
	asked := h.requests(large)
	last := asked[len(asked)-1].Header
	if want := fmt.Sprintf("bytes=%d-", len(content)/2); last.Get("Range") != want || last.Get("If-Range") != etagOf(content) {
		t.Errorf("asked for %q if %q, want %q", last.Get("Range"), last.Get("If-Range"), want)
	}
	if again := len(h.requests("model_index.json")); again != small {
		t.Errorf("a file that was complete was asked for %d times more", again-small)
	}
}

// TestResumeDistrustsWhatIsThere: files and parts that were changed meanwhile are fetched again.
func TestResumeDistrustsWhatIsThere(t *testing.T) {
	h := newFakeHub(t)
	dir := filepath.Join(t.TempDir(), "tiny")
	aside := filepath.Join(filepath.Dir(dir), ".pull", "tiny")
	content := h.files[large]
	for name, b := range map[string][]byte{
		large + partSuffix:             make([]byte, len(content)/2),
		"text_encoder/model.onnx":      make([]byte, len(h.files["text_encoder/model.onnx"])),
		"vae_decoder/model.onnx.part":  make([]byte, len(h.files["vae_decoder/model.onnx"])+1),
		"vae_decoder/config.json":      []byte("{}"),
		"vae_encoder/old.data.part":    []byte("of another revision"),
		"tokenizer/tokenizer.json/sub": nil,
	} {
		file := filepath.Join(aside, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.pullTiny(t, dir, nil); err != nil {
		t.Fatal(err)
	}
	h.arrived(t, dir)
}
