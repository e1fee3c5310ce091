package main

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestReviewOnTheCommandLine holds two prompts, kills the server, and decides while it runs again: the approved one is painted
// where it was asked for, the rejected one told to its owner alone.
func TestReviewOnTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "easel.yaml")
	if err := os.WriteFile(config, []byte("moderation:\n  review: [lighthouse]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	easel := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), program(t), append(args, "--config", config)...)
		cmd.Env = append(newcomer(t), "EASEL_DATA_DIR="+data)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := easel("review", "list"); err == nil || !strings.Contains(out, "nothing has been served") {
		t.Errorf("before the first start: %s, %v", out, err)
	}
	serve := func(address string) *served {
		s, _ := begin(t, exec.CommandContext(t.Context(), program(t), "serve", "--config", config), "EASEL_DATA_DIR="+data, "EASEL_LISTEN="+address)
		return s
	}
	s := serve("127.0.0.1:0")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	ada := visitor{Client: http.Client{Jar: jar}, url: s.url}
	ada.request(t, http.MethodGet, "", "")
	for _, what := range []string{"red", "blue"} {
		body := fmt.Sprintf(`{"key":%q,"text":"/imagine a %s lighthouse --count 1"}`, what, what)
		if status, answer := ada.request(t, http.MethodPost, "api/commands", body); status != http.StatusAccepted {
			t.Fatalf("%d %s", status, answer)
		}
		ada.until(t, "message", `"state":"held","prompt":""`)
	}
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // which says that it was killed
	s = serve(s.address())

	list, err := easel("review", "list")
	if err != nil {
		t.Fatal(list, err)
	}
	id := func(what string) string {
		found := regexp.MustCompile(`(?m)^(\S+) .*"a ` + what + ` lighthouse"$`).FindStringSubmatch(list)
		if found == nil {
			t.Fatalf("no case of %s in\n%s", what, list)
		}
		return found[1]
	}
	if out, err := easel("review", "show", id("red")); err != nil || !strings.Contains(out, `"rule":`) || !strings.Contains(out, "lighthouse") {
		t.Errorf("shown is %s, %v", out, err)
	}
	if out, err := easel("review", "approve", id("red")); err != nil {
		t.Error(out, err)
	}
	if out, err := easel("review", "reject", id("blue")); err != nil {
		t.Error(out, err)
	}
	if out, err := easel("review", "reject", id("red")); err == nil || !strings.Contains(out, "decided already") {
		t.Errorf("decided twice: %s, %v", out, err)
	}
	ada.until(t, "message", `1 picture in `)
	ada.until(t, "message", `A moderator did not approve your prompt “a blue lighthouse”.`)
	if out, err := easel("review", "list"); err != nil || !strings.Contains(out, "nothing waits") {
		t.Errorf("in the end there waits %s, %v", out, err)
	}
	s.end(t, syscall.SIGTERM)
}
