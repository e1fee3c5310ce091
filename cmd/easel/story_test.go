package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The conversation is the same everywhere: each of these stories is played on every platform, and again with the program
// killed (kill -9) and started anew in the middle of each step.
var stages = []struct {
	name string
	open func(t *testing.T) stage
}{
	{"web", func(t *testing.T) stage { t.Helper(); return newWebStage(t) }},
	{"discord", func(t *testing.T) stage { t.Helper(); return newDiscordStage(t) }},
	{"slack", func(t *testing.T) stage { t.Helper(); return newSlackStage(t, true) }},
	{"slack over HTTP", func(t *testing.T) stage { t.Helper(); return newSlackStage(t, false) }},
}

const storyConfig = `
moderation:
  review: [lighthouse]
  block: [dragon]
limits:
  person: {burst: 1000, per_hour: 1}
`

func onEveryStage(t *testing.T, story func(p *play)) {
	t.Helper()
	for _, s := range stages {
		for _, kills := range []bool{false, true} {
			name := s.name
			if kills {
				name += ", killed"
			}
			t.Run(name, func(t *testing.T) {
				p := newPlay(t, storyConfig, s.open(t))
				p.kills = kills
				story(p)
				p.s.end(t, syscall.SIGTERM)
				p.keepsSecrets()
			})
		}
	}
}

// A play is the program on a stage. Whatever happens to it, it is started again over the same data.
type play struct {
	stage
	t            *testing.T
	config, data string
	kills        bool
	s            *served
	said         strings.Builder // on stderr, by those that were killed
	seen         map[string]bool // results
}

func newPlay(t *testing.T, config string, on stage) *play {
	t.Helper()
	dir := t.TempDir()
	p := &play{stage: on, t: t, config: filepath.Join(dir, "easel.yaml"), data: filepath.Join(dir, "data"), seen: map[string]bool{}}
	if err := os.WriteFile(p.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start()
	return p
}

func (p *play) start() {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), program(p.t), "serve", "--config", p.config)
	p.s, _ = begin(p.t, cmd, append(p.env(), "EASEL_DATA_DIR="+p.data, "EASEL_LOG_LEVEL=debug")...)
	p.await(p.t, p.s)
}

// kill is what happens in the middle, in the plays that have it.
func (p *play) kill() {
	p.t.Helper()
	if !p.kills {
		return
	}
	if err := p.s.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	_ = p.s.cmd.Wait() // which says that it was killed
	p.said.WriteString(p.s.stderr.String())
	p.start()
}

// settle waits until the journal knows all that was posted. Slack has no key against posting twice, so there a message that is
// posted while the program dies stays, beside the one that the next start posts.
func (p *play) settle() {
	p.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(p.data, "easel.db"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	eventually(p.t, "the outbox is empty", func() bool {
		var waiting int
		if err := db.QueryRowContext(p.t.Context(), `SELECT count(*) FROM outbox WHERE done IS NULL`).Scan(&waiting); err != nil {
			p.t.Fatal(err)
		}
		return waiting == 0
	})
}

// keepsSecrets looks for tokens in all that was logged, at debug level.
func (p *play) keepsSecrets() {
	p.t.Helper()
	p.said.WriteString(p.s.stderr.String())
	for _, line := range p.env() {
		name, value, _ := strings.Cut(line, "=")
		if strings.Contains(name, "TOKEN") || strings.Contains(name, "SECRET") {
			if strings.Contains(p.said.String(), value) {
				p.t.Errorf("%s is in the log", name)
			}
		}
	}
	if !strings.Contains(p.said.String(), "level=DEBUG") {
		p.t.Error("nothing was logged at debug level, so this test has seen nothing")
	}
}

// one waits until exactly one post of a list is as wanted, and returns it.
func (p *play) one(list func(*testing.T) []post, what string, wanted func(post) bool) post {
	p.t.Helper()
	var found []post
	defer func() {
		if p.t.Failed() {
			p.t.Logf("there are %v; it says:\n%s", brief(list(p.t)), p.s.stderr)
		}
	}()
	eventually(p.t, what, func() bool {
		found = slices.DeleteFunc(list(p.t), func(q post) bool { return !wanted(q) })
		return len(found) > 0
	})
	if len(found) > 1 {
		p.t.Fatalf("%s: there are %d of them: %v", what, len(found), brief(found))
	}
	return found[0]
}

func brief(posts []post) (list []string) {
	for _, q := range posts {
		list = append(list, fmt.Sprintf("%s: %q, %d pictures, %q", q.id, q.text, len(q.pictures), q.buttons))
	}
	return list
}

// result waits for the next post that says so much and has so many pictures of the built-in model.
func (p *play) result(says string, pictures int) post {
	p.t.Helper()
	return p.sized(says, pictures, 128)
}

// sized waits for such a post with pictures whose sides have so many pixels.
func (p *play) sized(says string, pictures, side int) post {
	p.t.Helper()
	got := p.one(p.posts, fmt.Sprintf("%q with %d pictures", says, pictures), func(q post) bool {
		return !p.seen[q.id] && strings.Contains(q.text, says) && len(q.pictures) == pictures
	})
	for i, file := range got.pictures {
		m, err := png.Decode(bytes.NewReader(file))
		if err != nil || m.Bounds().Dx() != side || m.Bounds().Dy() != side {
			p.t.Errorf("picture %d of %q: %v; want sides of %d", i+1, says, err, side)
		}
	}
	p.seen[got.id] = true
	return got
}

// told waits for something that somebody alone is told.
func (p *play) told(who, what string) {
	p.t.Helper()
	p.one(func(t *testing.T) []post { t.Helper(); return p.private(t, who) }, fmt.Sprintf("%s is told %q", who, what), func(q post) bool {
		return strings.Contains(q.text, what)
	})
}

// results counts the posts that have pictures.
func (p *play) results() (n int) {
	p.t.Helper()
	for _, q := range p.posts(p.t) {
		if len(q.pictures) > 0 {
			n++
		}
	}
	return n
}

func has(label string) func(post) bool {
	return func(q post) bool { return slices.Contains(q.buttons, label) }
}

// TestStory is what people do most: imagine, watch, vary, paint anew, delete.
func TestStory(t *testing.T) {
	onEveryStage(t, func(p *play) {
		p.imagine(p.t, ada, "a red fox on a blue background", map[string]string{"seed": "7"})
		eventually(p.t, "a message that can be cancelled", func() bool {
			return slices.ContainsFunc(p.posts(p.t), has("Cancel"))
		})
		p.kill()
		fox := p.result("a red fox on a blue background", 4)
		p.press(p.t, bob, fox, "V2")
		p.kill()
		p.result("Variations of picture 2", 4)
		p.press(p.t, ada, fox, "Reroll")
		p.kill()
		p.result("Painted anew", 4)
		p.press(p.t, ada, fox, "U3")
		p.kill()
		p.result("Picture 3", 1)
		p.press(p.t, bob, fox, "Delete")
		p.told(bob, "Only the one who asked")
		p.press(p.t, ada, fox, "Delete")
		p.kill()
		eventually(p.t, "the fox is gone", func() bool {
			return !slices.ContainsFunc(p.posts(p.t), func(q post) bool { return q.id == fox.id && len(q.pictures) > 0 })
		})
		if n := p.results(); n != 3 {
			p.t.Errorf("%d results are left, want 3: %v", n, brief(p.posts(p.t)))
		}
	})
}

// TestStoryOfRefusals: what cannot be is told to who asked for it, and to nobody else.
func TestStoryOfRefusals(t *testing.T) {
	onEveryStage(t, func(p *play) {
		tests := []struct {
			prompt  string
			options map[string]string
			told    string
		}{
			{"a dragon", nil, "was refused"},
			{"a fox", map[string]string{"steps": "0"}, "--steps"},
			{"a fox", map[string]string{"size": "12 by 14"}, "--size"},
		}
		for _, tt := range tests {
			p.imagine(p.t, ada, tt.prompt, tt.options)
			p.told(ada, tt.told)
			p.kill()
		}
		p.settle()
		if told := p.private(p.t, bob); len(told) > 0 {
			p.t.Errorf("bob is told %v", brief(told))
		}
		if posts := p.posts(p.t); len(posts) > 0 {
			p.t.Errorf("there are posts: %v", brief(posts))
		}
	})
}

// TestStoryOfHeldPrompts: one is approved and painted, one rejected and told, and each once, however often somebody presses.
func TestStoryOfHeldPrompts(t *testing.T) {
	onEveryStage(t, func(p *play) {
		p.imagine(p.t, ada, "a red lighthouse", map[string]string{"count": "1"})
		p.imagine(p.t, bob, "a blue lighthouse", map[string]string{"count": "1"})
		eventually(p.t, "both wait, and nobody reads what for", func() bool {
			waits := 0
			for _, q := range p.posts(p.t) {
				if strings.Contains(q.text, "lighthouse") {
					p.t.Fatalf("a prompt that nobody has approved is shown: %q", q.text)
				}
				if strings.Contains(q.text, "A prompt waits for a moderator") {
					waits++
				}
			}
			return waits == 2
		})
		p.settle()
		p.kill()
		red := p.one(p.cases, "a case of the red one", says("a red lighthouse", "Waiting for a moderator"))
		blue := p.one(p.cases, "a case of the blue one", says("a blue lighthouse", "Waiting for a moderator"))
		p.press(p.t, moderator, red, "Approve")
		p.kill()
		p.press(p.t, moderator, blue, "Reject")
		p.kill()
		p.result("a red lighthouse", 1)
		p.told(bob, "A moderator did not approve your prompt \u201ca blue lighthouse\u201d")
		eventually(p.t, "the blue one is gone", func() bool {
			return !slices.ContainsFunc(p.posts(p.t), says("waits for a moderator"))
		})
		p.one(p.cases, "the decision on the red one", says("a red lighthouse", "Approved by"))
		p.one(p.cases, "the decision on the blue one", says("a blue lighthouse", "Rejected by"))
		p.press(p.t, moderator, red, "Reject") // from a window that was not up to date
		p.told(moderator, "That is decided: approved by")
		if n := p.results(); n != 1 {
			p.t.Errorf("there are %d results, want 1: %v", n, brief(p.posts(p.t)))
		}
		if told := p.private(p.t, ada); len(told) > 0 {
			p.t.Errorf("ada is told %v", brief(told))
		}
	})
}

func says(words ...string) func(post) bool {
	return func(q post) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(q.text, w) })
	}
}
