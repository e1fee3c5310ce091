package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A visitor is somebody who has the page open: their cookie goes with them from one start of the server to the next.
type visitor struct {
	http.Client
	url string
}

func (v *visitor) request(tb testing.TB, method, path, body string) (int, []byte) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, v.url+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := v.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return res.StatusCode, b
}

// until reads events from the first on, until one of a kind holds a text.
func (v *visitor) until(t *testing.T, kind, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"api/events?after=0", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := v.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var event, seen string
	lines := bufio.NewReader(res.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%s: the events ended before a %s with %s: %v\n%s", res.Status, kind, text, err, seen)
		}
		seen += line
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			event = strings.TrimSpace(name)
		}
		if event == kind && strings.HasPrefix(line, "data: ") && strings.Contains(line, text) {
			return
		}
	}
}

// TestServePaintsAfterARestart stops a server in the middle of painting, and finds the picture after the next start.
func TestServePaintsAfterARestart(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	ada := visitor{Client: http.Client{Jar: jar}}
	s := serving(t, data)
	ada.url = s.url
	ada.request(t, http.MethodGet, "", "")
	status, answer := ada.request(t, http.MethodPost, "api/commands", `{"key":"first","text":"/imagine a red fox --count 1 --steps 200 --seed 7"}`)
	var begun struct{ Job string }
	if err := json.Unmarshal(answer, &begun); err != nil || status != http.StatusAccepted {
		t.Fatalf("%d %s, %v", status, answer, err)
	}
	ada.until(t, "progress", `"total":200`)
	s.end(t, syscall.SIGTERM)

	s = serving(t, data, "EASEL_LISTEN="+s.address()) // where the page still looks for it
	ada.until(t, "message", `"pictures":[{`)
	status, file := ada.request(t, http.MethodGet, "pictures/"+begun.Job+"/0.png", "")
	if _, err := png.Decode(bytes.NewReader(file)); err != nil || status != http.StatusOK {
		t.Errorf("the picture: %d, %v", status, err)
	}
	if log := s.stderr.String(); strings.Contains(log, "fox") {
		t.Errorf("the log tells the prompt:\n%s", log)
	}
	s.end(t, syscall.SIGTERM)
}

// TestServeThroughAFullDisk fills the disk while a picture is painted: nothing new is taken on, what is painted waits,
// and once there is room it is saved and shown.
func TestServeThroughAFullDisk(t *testing.T) {
	data := t.TempDir()
	s, _ := begin(t, jailed(t, `mount -t tmpfs -o size=96m none "$EASEL_DATA_DIR"`), "EASEL_DATA_DIR="+data)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	ada := visitor{Client: http.Client{Jar: jar}, url: s.url}
	ada.request(t, http.MethodGet, "", "")
	ada.request(t, http.MethodPost, "api/commands", `{"key":"first","text":"/imagine a red fox --count 1 --steps 300"}`)
	ada.until(t, "progress", `"total":300`)

	ballast := fmt.Sprintf("/proc/%d/root%s/ballast", s.cmd.Process.Pid, data) // the folder as the server sees it
	fill(t, ballast)
	status, answer := ada.request(t, http.MethodPost, "api/commands", `{"key":"second","text":"/imagine an owl"}`)
	if status != http.StatusServiceUnavailable || !strings.Contains(string(answer), "disk is full") {
		t.Errorf("asked on a full disk: %d %s", status, answer)
	}
	if status, body := s.get(t, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz on a full disk: %d %s", status, body)
	}
	s.stderr.wait(t, "it is tried again")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	ada.until(t, "message", `"pictures":[`)
	if status, answer := ada.request(t, http.MethodPost, "api/commands", `{"key":"second","text":"/imagine an owl"}`); status != http.StatusAccepted {
		t.Errorf("asked when there is room: %d %s", status, answer)
	}
	ada.until(t, "message", `"prompt":"an owl","status":"4 pictures`)
	s.end(t, syscall.SIGTERM)
}

// fill writes a file until the disk is full.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
