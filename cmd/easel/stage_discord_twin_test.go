package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A twin is discord-digital-twin, a small Discord, in a process of its own. testdata/twin/twin.mjs says what it can be asked.
type twin struct {
	API, Gateway, Door     string // where it is
	Guild, Channel, Review string // their IDs
	client                 http.Client
}

// startTwin starts one. Where it is not installed the test is skipped, which on a machine meant for tests is a failure.
func startTwin(t *testing.T, token string) *twin {
	t.Helper()
	folder := twinFolder(t)
	if _, err := os.Stat(folder); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("there is no Discord for tests: %v; run make twin", err)
		}
		t.Skipf("there is no Discord for tests; make twin installs one: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "twin", "twin.mjs"), folder, token)
	stderr := &syncBuffer{}
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe() // it ends when this is closed, also if this process is killed
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; run it with Node.js 18 or newer", err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() && stderr.String() != "" {
			t.Logf("the twin says:\n%s", stderr)
		}
	})
	w := &twin{client: http.Client{
		Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64},
	}}
	t.Cleanup(w.client.CloseIdleConnections)
	if err := json.NewDecoder(stdout).Decode(w); err != nil {
		t.Fatalf("the twin does not start: %v", err)
	}
	return w
}

// twinFolder is EASEL_TWIN, or where testdata/twin/install.sh puts it.
func twinFolder(t *testing.T) string {
	t.Helper()
	if folder := os.Getenv("EASEL_TWIN"); folder != "" {
		return folder
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Skipf("nobody can say where the cache is: %v", err)
	}
	cache := cmp.Or(os.Getenv("EASEL_CACHE"), filepath.Join(cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(home, ".cache")), "easel"))
	if !filepath.IsAbs(cache) { // make is called at the top
		cache = filepath.Join("..", "..", cache)
	}
	lock := sha256.Sum256(read(t, filepath.Join("testdata", "twin"), "package-lock.json"))
	return filepath.Join(cache, "discord-twin-"+hex.EncodeToString(lock[:])[:12])
}

// ask makes it do something.
func (w *twin) ask(task string, what map[string]any, answer any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	status, said, err := w.request(http.MethodPost, w.Door+"/"+task, body)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("the twin cannot %s: %s", task, said)
	}
	return json.Unmarshal(said, answer)
}

// call makes a request to its REST API, which is that of version 10.
func (w *twin) call(method, path string, body []byte) (status int, answer []byte, err error) {
	return w.request(method, w.API+"/v10/"+path, body)
}

func (w *twin) request(method, address string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := w.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// gateway is its address for a bot.
func (w *twin) gateway() string { return strings.TrimSuffix(w.Gateway, "/") + "/?v=10&encoding=json" }
