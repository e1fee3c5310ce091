package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// opened is a door on a free port, what its log says, and how to ask it.
func opened(t *testing.T, l net.Listener) (*door, *syncBuffer, func(path string) (int, http.Header, string)) {
	t.Helper()
	var said syncBuffer
	d := openDoor(l, slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { _ = d.server.Close() })
	return d, &said, func(path string) (int, http.Header, string) {
		t.Helper()
		res, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, res.Header, string(body)
	}
}

func freePort(t *testing.T) net.Listener {
	t.Helper()
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestDoorFromStartToEnd(t *testing.T) {
	d, _, get := opened(t, freePort(t))
	status, header, body := get("/")
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(body, `http-equiv="refresh"`) {
		t.Errorf("while it starts: %d, %v, %s", status, header, body)
	}
	if status, _, body := get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "starting") {
		t.Errorf("while it starts: /readyz: %d %s", status, body)
	}
	d.show(&rooms{
		channel: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the channel") }),
		ready: func(context.Context) readiness {
			return readiness{Ready: true, Parts: map[string]string{"engine": fine}}
		},
	})
	if status, _, body := get("/anything"); status != http.StatusOK || body != "the channel" {
		t.Errorf("open: %d %s", status, body)
	}
	if status, _, body := get("/readyz"); status != http.StatusOK || body != `{"ready":true,"parts":{"engine":"ok"}}`+"\n" {
		t.Errorf("open: /readyz: %d %s", status, body)
	}
	d.leave()
	if status, _, body := get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "shutting down") {
		t.Errorf("leaving: /readyz: %d %s", status, body)
	}
	if status, _, body := get("/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("leaving: /healthz: %d %s", status, body)
	}
	if err := d.close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := d.watch(canceled(t)); err != nil {
		t.Errorf("closed on purpose, it says: %v", err)
	}
}

func TestDoorBreaks(t *testing.T) {
	l := freePort(t)
	d, _, _ := opened(t, l)
	_ = l.Close() // behind its back
	if err := d.watch(t.Context()); err == nil || !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want the listener's error", err)
	}
}

func TestDoorCutsOffWhoDoesNotGo(t *testing.T) {
	d, log, _ := opened(t, freePort(t))
	entered := make(chan struct{})
	d.show(&rooms{channel: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})})
	go func() {
		if res, err := http.Get("http://" + d.address + "/"); err == nil {
			res.Body.Close()
		}
	}()
	<-entered
	if err := d.close(canceled(t)); err != nil || !strings.Contains(log.String(), "cut off") {
		t.Errorf("got %v, want it logged that requests were cut off: %s", err, log)
	}
}

// TestDoorForStrangers opens a door that other machines can reach, where only health answers.
func TestDoorForStrangers(t *testing.T) {
	l, err := listen(t.Context(), "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	d, _, get := opened(t, l)
	d.show(&rooms{
		channel: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a stranger came in") }),
		ready:   func(context.Context) readiness { return readiness{Ready: true} },
	})
	for _, path := range []string{"/", "/api/session", "/pictures/x/0.png", "/healthz/../api/session", "//api/session"} {
		if status, _, body := get(path); status != http.StatusForbidden || !strings.Contains(body, "--network host") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, _, body := get(path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestDoorSurvivesPanics(t *testing.T) {
	d, said, get := opened(t, freePort(t))
	d.show(&rooms{channel: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			fmt.Fprint(w, "half an ans")
		}
		panic("the floor gave way")
	})})
	if status, _, body := get("/at-once"); status != http.StatusInternalServerError || strings.Contains(body, "floor") {
		t.Errorf("%d %s", status, body)
	}
	if res, err := http.Get("http://" + d.address + "/late"); err == nil {
		if _, err = io.ReadAll(res.Body); err == nil {
			t.Error("half an answer looked like a whole one")
		}
		res.Body.Close()
	}
	if log := said.String(); !strings.Contains(log, "the floor gave way") || !strings.Contains(log, "stack=") {
		t.Errorf("the log does not say what happened: %s", log)
	}
}

func TestDoorLogsNoQueries(t *testing.T) {
	d, said, get := opened(t, freePort(t))
	d.show(&rooms{channel: http.NotFoundHandler()})
	get("/somewhere?prompt=secret")
	if err := d.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if log := said.String(); !strings.Contains(log, "path=/somewhere status=404") || strings.Contains(log, "secret") {
		t.Error(log)
	}
}

// TestDoorStreams flushes through the door's own writer.
func TestDoorStreams(t *testing.T) {
	d, _, _ := opened(t, freePort(t))
	read := make(chan struct{})
	d.show(&rooms{channel: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "one")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-read
	})})
	res, err := http.Get("http://" + d.address + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 3)); err != nil {
		t.Error(err)
	}
	close(read)
}

func TestHealthIsAskedOnceASecond(t *testing.T) {
	var asked atomic.Int32
	now := time.Unix(1_700_000_000, 0)
	well := true
	h := health{now: func() time.Time { return now }, probes: map[string]probe{
		"store": func(context.Context) error { asked.Add(1); return nil },
		"disk": func(context.Context) error {
			if well {
				return nil
			}
			return errors.New("the disk is nearly full")
		},
	}}
	for range 3 {
		if r := h.check(t.Context()); !r.Ready || r.Parts["store"] != fine {
			t.Fatalf("got %+v", r)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	well, now = false, now.Add(healthAge)
	b, err := json.Marshal(h.check(canceled(t)))
	if want := `{"ready":false,"parts":{"disk":"the disk is nearly full","store":"ok"}}`; err != nil || string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
}

func TestHealthOfADisk(t *testing.T) {
	dir := t.TempDir()
	if err := diskProbe(dir)(t.Context()); err != nil {
		t.Skipf("this machine's disk: %v", err)
	}
	err := diskProbe(dir + "/gone")(t.Context())
	if err == nil || strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want an error without the path", err)
	}
}

func canceled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
