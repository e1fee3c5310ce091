package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to read the journal when all is over
)

// TestKilledTwentyTimes lets five people paint, vary, pick, cancel and delete while the server is killed at twenty
// random moments. They do what the page does: what was not acknowledged is sent again under the same key. In the end
// every job that was acknowledged has exactly one message with one result, or was cancelled, refused or given up with
// its credits back, and nothing else is there.
func TestKilledTwentyTimes(t *testing.T) {
	data, address := filepath.Join(t.TempDir(), "data"), freeAddress(t)
	const people = 5
	crowd := make([]*teller, people)
	acting, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range crowd {
		crowd[i] = newTeller(acting, t, address, uint64(i))
		all.Go(crowd[i].act)
	}
	rng := rand.New(rand.NewPCG(20, 26))
	for kill := range 20 {
		s := serving(t, data, "EASEL_LISTEN="+address)
		moment := time.NewTimer(time.Duration(rng.IntN(1500)) * time.Millisecond)
		<-moment.C
		if err := s.cmd.Process.Kill(); err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		_ = s.cmd.Wait() // which says that it was killed
	}
	s := serving(t, data, "EASEL_LISTEN="+address)
	for _, p := range crowd {
		p.finish.Store(true)
	}
	all.Wait()
	stop()

	messages := crowd[0].untilOver(t)
	told := map[string]int{}
	foxes := map[[32]byte]bool{}
	for _, m := range messages {
		if m.Deleted || m.Kind != "job" {
			continue
		}
		told[m.Job.Job]++
		for _, p := range m.Job.Pictures {
			if p.Veiled { // now and then the filter doubts a picture of a random seed
				t.Logf("picture %d of %s is veiled: %s", p.Index, p.Job, p.Alt)
				continue
			}
			status, file := crowd[1].request(t, http.MethodGet, fmt.Sprintf("pictures/%s/%d.png", p.Job, p.Index), "")
			picture, err := png.Decode(bytes.NewReader(file))
			if status != http.StatusOK || err != nil || picture.Bounds().Dx() != p.Width {
				t.Errorf("picture %d of %s: %d, %v", p.Index, p.Job, status, err)
			}
			if m.Job.Prompt == "a red fox" && p.Index == 0 && p.Seed == 7 && m.Job.Origin == nil {
				foxes[sha256.Sum256(file)] = true
			}
		}
		if m.Job.State == "done" && len(m.Job.Pictures) == 0 {
			t.Errorf("%s is done and shows nothing", m.Job.Job)
		}
	}
	if len(foxes) != 1 {
		t.Errorf("the fox of seed 7 came out in %d ways, want 1 however often painting was interrupted", len(foxes))
	}
	deleted, accepted := 0, 0
	for _, p := range crowd {
		accepted += len(p.accepted)
		for key, job := range p.accepted {
			switch n := told[job]; {
			case n > 1:
				t.Errorf("job %s has %d messages", job, n)
			case n == 0 && p.deleted[job]:
				deleted++
			case n == 0:
				t.Errorf("job %s of %s has no message", job, key)
			}
		}
	}
	s.end(t, syscall.SIGTERM)
	states := checkJournal(t, filepath.Join(data, "easel.db"), accepted)
	t.Logf("%d jobs of %d people through 20 kills: %v, %d deleted", accepted, people, states, deleted)
}

// checkJournal looks at the database that is left.
func checkJournal(t *testing.T, file string, accepted int) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	count := func(query string) (n int) {
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return n
	}
	if n := count(`SELECT count(*) FROM jobs`); n != accepted {
		t.Errorf("%d jobs are written down, and %d were acknowledged", n, accepted)
	}
	for wrong, query := range map[string]string{
		"jobs are not over":    `SELECT count(*) FROM jobs WHERE state NOT IN ('done', 'refused', 'failed', 'cancelled')`,
		"effects were not run": `SELECT count(*) FROM outbox WHERE done IS NULL`,
		"jobs without a result were not paid back": `SELECT count(*) FROM jobs j WHERE state <> 'done' AND credits > 0
			AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.job = j.id AND o.effect = 'refund')`,
		"jobs with a result were paid back": `SELECT count(*) FROM jobs j JOIN outbox o ON o.job = j.id WHERE state = 'done' AND o.effect = 'refund'`,
		"pictures of jobs without a result": `SELECT count(*) FROM pictures p JOIN jobs j ON p.job = j.id WHERE j.state <> 'done'`,
	} {
		if n := count(query); n > 0 {
			t.Errorf("%d %s", n, wrong)
		}
	}
	states := map[string]int{}
	for _, state := range []string{"done", "refused", "failed", "cancelled"} {
		states[state] = count(`SELECT count(*) FROM jobs WHERE state = '` + state + `'`)
	}
	return states
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A message is what the page reads.
type message struct {
	ID      int64
	Kind    string
	Deleted bool
	Job     struct {
		Job, State, Prompt string
		Origin             *struct{}
		Pictures           []struct {
			Job, Alt     string
			Index, Width int
			Seed         int64
			Veiled       bool
		}
	}
}

// A teller is somebody who tells, in the end, what was promised.
type teller struct {
	visitor
	t        testing.TB
	ctx      context.Context
	rand     *rand.Rand
	finish   atomic.Bool
	accepted map[string]string // key -> job
	deleted  map[string]bool
}

func newTeller(ctx context.Context, tb testing.TB, address string, seed uint64) *teller {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return &teller{
		visitor: visitor{Client: http.Client{Jar: jar}, url: "http://" + address + "/"}, t: tb, ctx: ctx,
		rand: rand.New(rand.NewPCG(seed, 5)), accepted: map[string]string{}, deleted: map[string]bool{},
	}
}

// act asks and presses until it is to finish.
func (p *teller) act() {
	p.insist(http.MethodGet, "", "")
	var mine []string
	for turn := 0; !p.finish.Load() && p.ctx.Err() == nil; turn++ {
		key := fmt.Sprintf("key-%d", turn)
		var last string
		if len(mine) > 0 {
			last = mine[p.rand.IntN(len(mine))]
		}
		switch n := p.rand.IntN(20); {
		case n < 8 || last == "":
			last = p.send(key, "api/commands", map[string]any{"text": p.wish()})
		case n < 16:
			action := []string{"vary", "upscale", "reroll"}[n%3]
			last = p.send(key, "api/actions", map[string]any{"action": action, "job": last, "index": 0})
		case n < 18:
			p.send(key, "api/actions", map[string]any{"action": "cancel", "job": last})
			last = ""
		default:
			p.send(key, "api/actions", map[string]any{"action": "delete", "job": last})
			p.deleted[last], last = true, ""
		}
		if last != "" {
			mine = append(mine, last)
		}
		p.pause(time.Duration(200+p.rand.IntN(1200)) * time.Millisecond)
	}
}

func (p *teller) wish() string {
	wishes := []string{
		"/imagine a red fox --seed 7 --count 1", "/imagine an owl on a green background", "/imagine a pizza --steps 40 --count 2", "/imagine a car --size 64x64",
		"/imagine hardcore porn",
	}
	return wishes[p.rand.IntN(len(wishes))]
}

// send sends a request until it is answered, and returns the job that it began.
func (p *teller) send(key, path string, body map[string]any) string {
	body["key"] = key
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Error(err)
	}
	status, answer := p.insist(http.MethodPost, path, string(text))
	switch status {
	case http.StatusAccepted:
		job := jobOf(p.t, answer)
		p.accepted[key] = job
		return job
	case 0, http.StatusOK, http.StatusForbidden, http.StatusNotFound, http.StatusConflict: // gone, refused, too late, …
	default:
		p.t.Errorf("%s: %d %s", text, status, answer)
	}
	return ""
}

// begin sends a command and returns the job it began, or "".
func (p *teller) begin(key, text string) string {
	body, err := json.Marshal(map[string]string{"key": key, "text": text})
	if err != nil {
		p.t.Error(err)
	}
	status, answer := p.insist(http.MethodPost, "api/commands", string(body))
	if status != http.StatusAccepted {
		p.t.Errorf("%s: %d %s", text, status, answer)
		return ""
	}
	return jobOf(p.t, answer)
}

func jobOf(tb testing.TB, answer []byte) string {
	tb.Helper()
	var begun struct{ Job string }
	if err := json.Unmarshal(answer, &begun); err != nil {
		tb.Error(err)
	}
	return begun.Job
}

// insist repeats a request while the server is away or starting.
func (p *teller) insist(method, path, body string) (int, []byte) {
	for p.ctx.Err() == nil {
		req, err := http.NewRequestWithContext(p.ctx, method, p.url+path, strings.NewReader(body))
		if err != nil {
			p.t.Error(err)
			break
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := p.Do(req)
		if err == nil {
			var b []byte
			b, err = io.ReadAll(res.Body)
			res.Body.Close()
			if err == nil && res.StatusCode != http.StatusServiceUnavailable {
				return res.StatusCode, b
			}
		}
		p.pause(50 * time.Millisecond)
	}
	return 0, nil
}

func (p *teller) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ctx.Done():
	}
}

// untilOver follows the events until no job is on its way, and returns all messages.
func (p *teller) untilOver(tb testing.TB) map[int64]message {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 5*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"api/events?after=0", http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	res, err := p.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	messages := map[int64]message{}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for event := ""; lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || event != "message" {
			continue
		}
		var m message
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			tb.Fatal(err)
		}
		messages[m.ID] = m
		if over(messages) && p.caughtUp(tb, messages) {
			return messages
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		tb.Fatal(err)
	}
	tb.Fatalf("the jobs are not over after five minutes: %v", messages)
	return nil
}

func over(messages map[int64]message) bool {
	for _, m := range messages {
		switch m.Job.State {
		case "queued", "running", "inspecting":
			return false
		}
	}
	return true
}

// caughtUp tells whether the messages read are all that the server has.
func (p *teller) caughtUp(tb testing.TB, messages map[int64]message) bool {
	tb.Helper()
	_, answer := p.request(tb, http.MethodGet, "api/messages?limit=1", "")
	var newest struct{ Messages []message }
	if err := json.Unmarshal(answer, &newest); err != nil {
		tb.Fatalf("%s: %v", answer, err)
	}
	for _, m := range newest.Messages {
		if _, ok := messages[m.ID]; !ok {
			return false
		}
	}
	return true
}
