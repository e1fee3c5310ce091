package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A served program is one that answers.
type served struct {
	cmd    *exec.Cmd
	url    string
	stdout *bufio.Reader
	stderr *syncBuffer
}

// begin starts a command that serves, with more of an environment, and waits until it is ready. What it says before
// that is in said.
func begin(tb testing.TB, cmd *exec.Cmd, env ...string) (s *served, said string) {
	tb.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	s = &served{cmd: cmd, stdout: bufio.NewReader(stdout), stderr: &syncBuffer{}}
	cmd.Stderr, cmd.Env = s.stderr, append(newcomer(tb), env...)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for {
		line, err := s.stdout.ReadString('\n')
		if err != nil {
			tb.Fatalf("it is not ready: %v; stdout: %s; stderr:\n%s", err, said+line, s.stderr)
		}
		if url, ok := strings.CutPrefix(line, "Easel is ready: "); ok {
			s.url = strings.TrimSpace(url)
			return s, said
		}
		said += line
	}
}

// serving starts the built program on a free port.
func serving(tb testing.TB, data string, env ...string) *served {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), program(tb), "serve")
	cmd.Dir = tb.TempDir()
	s, said := begin(tb, cmd, append([]string{"EASEL_LISTEN=127.0.0.1:0", "EASEL_DATA_DIR=" + data}, env...)...)
	if said != "" {
		tb.Errorf("before the one line, stdout says %q", said)
	}
	return s
}

func (s *served) address() string {
	return strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/")
}

func (s *served) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	res, err := http.Get(strings.TrimSuffix(s.url, "/") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// end sends a signal and expects the program to end in order, with nothing more on stdout.
func (s *served) end(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(s.stdout)
	if err != nil || len(rest) > 0 {
		t.Errorf("after the one line, stdout says %q, %v", rest, err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("%v: %v; stderr:\n%s", signal, err, s.stderr)
	}
	if bad := inside.FindString(s.stderr.String()); bad != "" {
		t.Errorf("stderr speaks to programmers (%q):\n%s", bad, s.stderr)
	}
}

// fails runs the program and expects it to end with status 1, saying all of want.
func fails(t *testing.T, cmd *exec.Cmd, env []string, want ...string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr, cmd.Env = &stderr, append(newcomer(t), env...)
	if got := exitStatus(cmd.Run()); got != 1 {
		t.Errorf("status: got %d, want 1", got)
	}
	for _, want := range append(want, "easel: ") {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &stderr)
		}
	}
	if bad := inside.FindString(stderr.String()); bad != "" {
		t.Errorf("stderr speaks to programmers (%q):\n%s", bad, &stderr)
	}
}

func TestServe(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		data := filepath.Join(t.TempDir(), "data")
		s := serving(t, data)
		if !regexp.MustCompile(`^http://127\.0\.0\.1:\d+/$`).MatchString(s.url) {
			t.Errorf("it answers at %s", s.url)
		}
		if status, body := s.get(t, "/"); status != http.StatusOK || !strings.Contains(body, "<html") {
			t.Errorf("the channel: %d %s", status, body)
		}
		if status, body := s.get(t, "/healthz"); status != http.StatusOK {
			t.Errorf("/healthz: %d %s", status, body)
		}
		status, body := s.get(t, "/readyz")
		var ready readiness
		if err := json.Unmarshal([]byte(body), &ready); err != nil || status != http.StatusOK || !ready.Ready || len(ready.Parts) != 4 {
			t.Errorf("/readyz: %d %s, %v", status, body, err)
		}
		if got := string(read(t, data, addressFile)); got != s.url+"\n" {
			t.Errorf("written down is %q", got)
		}
		s.end(t, signal)
		if _, err := os.Stat(filepath.Join(data, addressFile)); err == nil {
			t.Error("it is gone, and its address still written down")
		}
	}
}

func TestServeWhereAnotherServes(t *testing.T) {
	data := t.TempDir()
	s := serving(t, data)
	fails(t, exec.CommandContext(t.Context(), program(t), "serve"), []string{"EASEL_DATA_DIR=" + data, "EASEL_LISTEN=127.0.0.1:0"},
		fmt.Sprintf("process %d", s.cmd.Process.Pid), data, s.url)
	address := s.address()
	fails(t, exec.CommandContext(t.Context(), program(t), "serve"), []string{"EASEL_DATA_DIR=" + t.TempDir(), "EASEL_LISTEN=" + address},
		address+" is in use", "EASEL_LISTEN")
	doctor := exec.CommandContext(t.Context(), program(t), "doctor")
	doctor.Env = append(newcomer(t), "EASEL_DATA_DIR="+data, "EASEL_LISTEN="+address)
	if said, err := doctor.Output(); err != nil || !strings.Contains(string(said), "easel serves at "+s.url) {
		t.Errorf("the doctor: %v\n%s", err, said)
	}
	if status, body := s.get(t, "/readyz"); status != http.StatusOK {
		t.Errorf("the first one suffered: %d %s", status, body)
	}
	s.end(t, os.Interrupt)
}

// TestServeAfterKill starts again where one was killed: neither its lock nor its address is in the way.
func TestServeAfterKill(t *testing.T) {
	data := t.TempDir()
	s := serving(t, data)
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // which says that it was killed
	serving(t, data).end(t, os.Interrupt)
}

// TestServeSecondSignal ends at once what waits for a request that does not end.
func TestServeSecondSignal(t *testing.T) {
	s := serving(t, t.TempDir())
	res, err := http.Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	stuck, err := net.Dial("tcp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stuck.Close() })
	fmt.Fprintf(stuck, "POST /api/session HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n", s.address(), strings.Split(res.Header.Get("Set-Cookie"), ";")[0])
	fmt.Fprint(stuck, "Content-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
	if line, err := bufio.NewReader(stuck).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the request is not read: %q, %v", line, err)
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	s.stderr.wait(t, "shutting down")
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	again := time.NewTicker(100 * time.Millisecond) // as impatient people do; the first may come before it is listened for
	defer again.Stop()
	for {
		_ = s.cmd.Process.Signal(os.Interrupt)
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), "interrupt") {
				t.Errorf("got %v, want it ended by the signal", err)
			}
			return
		case <-again.C:
		}
	}
}

// jailed is the program in a name space of its own, after a command that makes mounts there.
func jailed(t *testing.T, mounts string) *exec.Cmd {
	t.Helper()
	if out, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("this machine gives no name spaces of its own: %v %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-rm", "bash", "-euc", mounts+"\nexec "+program(t)+" serve")
	cmd.Dir = t.TempDir()
	return cmd
}

// TestServeWritesItsDataAlone is what a container with a read-only root rests on.
func TestServeWritesItsDataAlone(t *testing.T) {
	data := t.TempDir()
	readOnly := `mount --bind "$EASEL_DATA_DIR" "$EASEL_DATA_DIR"
		while read -r _ where _; do
			[[ $where == "$EASEL_DATA_DIR" || $where == /proc* || $where == /dev* || $where == /sys* ]] || mount -o remount,bind,ro "$where" 2>/dev/null || true
		done </proc/mounts
		! touch /tmp/easel-can-write 2>/dev/null`
	s, _ := begin(t, jailed(t, readOnly), "EASEL_DATA_DIR="+data, "EASEL_LISTEN=127.0.0.1:0")
	if status, body := s.get(t, "/readyz"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	s.end(t, syscall.SIGTERM)
}

func TestServeOnReadOnlyData(t *testing.T) {
	data := t.TempDir()
	cmd := jailed(t, `mount --bind "$EASEL_DATA_DIR" "$EASEL_DATA_DIR"; mount -o remount,bind,ro "$EASEL_DATA_DIR"`)
	fails(t, cmd, []string{"EASEL_DATA_DIR=" + data, "EASEL_LISTEN=127.0.0.1:0"}, data, "read-only file system", "data_dir")
}

func TestServeOnFullDisk(t *testing.T) {
	data := t.TempDir()
	cmd := jailed(t, `mount -t tmpfs -o size=64k none "$EASEL_DATA_DIR"; cat /dev/zero >"$EASEL_DATA_DIR/ballast" 2>/dev/null || true`)
	fails(t, cmd, []string{"EASEL_DATA_DIR=" + data, "EASEL_LISTEN=127.0.0.1:0"}, data, "disk is full", "make room")
}

// TestServeOnSmallDisk is told by /readyz, and serves.
func TestServeOnSmallDisk(t *testing.T) {
	cmd := jailed(t, `mount -t tmpfs -o size=16m none "$EASEL_DATA_DIR"`)
	s, _ := begin(t, cmd, "EASEL_DATA_DIR="+t.TempDir(), "EASEL_LISTEN=127.0.0.1:0")
	if status, body := s.get(t, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "nearly full") {
		t.Errorf("%d %s", status, body)
	}
	s.end(t, os.Interrupt)
}

// demo returns how to start scripts/demo.sh, as `make demo` does, in a tree that has nothing else but the program.
func demo(t *testing.T) func() *exec.Cmd {
	t.Helper()
	top := t.TempDir()
	bin, err := filepath.Abs(filepath.Dir(program(t)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(top, "scripts"), os.DirFS(filepath.Join(tree, "scripts"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(bin, filepath.Join(top, "bin")); err != nil {
		t.Fatal(err)
	}
	return func() *exec.Cmd {
		return exec.CommandContext(t.Context(), "bash", filepath.Join(top, "scripts", "demo.sh"))
	}
}

// TestDemo starts the demo where the usual port is taken, and again beside it.
func TestDemo(t *testing.T) {
	demo := demo(t)
	if l, err := net.Listen("tcp", "127.0.0.1:8321"); err == nil { // else somebody else has it
		t.Cleanup(func() { _ = l.Close() })
	}
	const usual = "EASEL_LISTEN=" // as if nothing was said of it
	s, said := begin(t, demo(), usual)
	if !strings.Contains(said, "Port 8321 is taken") || strings.HasSuffix(s.url, ":8321/") {
		t.Errorf("it says %q and answers at %s", said, s.url)
	}
	if status, body := s.get(t, "/"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	fails(t, demo(), []string{usual}, "out/demo", "answers at "+s.url)
	s.end(t, os.Interrupt)
}
