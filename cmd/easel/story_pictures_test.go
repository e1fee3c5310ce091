package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	_ "modernc.org/sqlite" // the journal, as it lies on disk
)

// TestStoryOfHeldPictures: two of four pictures wait. Nobody sees them but the moderator who asks to, until they are approved.
// No prompt makes the built-in model paint what the filter doubts, so the test writes into the journal what moderation would have.
func TestStoryOfHeldPictures(t *testing.T) {
	for _, decision := range []string{"Approve", "Reject"} {
		t.Run(decision, func(t *testing.T) {
			onEveryStage(t, func(p *play) {
				p.imagine(p.t, ada, "a red fox", map[string]string{"seed": "7"})
				fox := p.result("a red fox", 4)
				p.s.end(p.t, syscall.SIGTERM)
				hold(p.t, filepath.Join(p.data, "easel.db"))
				p.start()

				seen := func(pictures int) func(post) bool {
					return func(q post) bool { return q.id == fox.id && len(q.pictures) == pictures }
				}
				veiled := p.one(p.posts, "the fox with two pictures", seen(2))
				if !strings.Contains(veiled.text, "2 waiting for a moderator") || slices.Contains(veiled.buttons, "V2") || !slices.Contains(veiled.buttons, "V3") {
					p.t.Errorf("the message is %v", brief([]post{veiled}))
				}
				p.kill()
				doubt := p.one(p.cases, "the case", says("2 of 4 pictures", "a red fox", "sexual"))
				if len(doubt.pictures) > 0 {
					p.t.Error("the case shows them to who did not ask")
				}
				p.press(p.t, moderator, doubt, "Show pictures")
				shown := p.one(func(t *testing.T) []post { t.Helper(); return p.private(t, moderator) }, "the pictures, for the moderator", func(q post) bool {
					return len(q.pictures) == 2
				})
				for i, k := range []int{1, 3} {
					if !bytes.Equal(shown.pictures[i], fox.pictures[k]) {
						p.t.Errorf("picture %d is another", k+1)
					}
				}
				p.kill()
				p.press(p.t, moderator, doubt, decision)
				p.kill()
				if decision == "Approve" {
					all := p.one(p.posts, "the whole fox", seen(4))
					for k, file := range all.pictures {
						if !bytes.Equal(file, fox.pictures[k]) {
							p.t.Errorf("picture %d is another", k+1)
						}
					}
					p.one(p.cases, "the decision", says("Approved by"))
					return
				}
				p.one(p.posts, "the fox without them", func(q post) bool { return q.id == fox.id && strings.Contains(q.text, "2 withheld by moderation") })
				p.told(ada, "A moderator did not approve what was painted")
				p.one(p.cases, "the decision", says("Rejected by"))
			})
		})
	}
}

// hold holds the second and the fourth picture of the only job, as moderation does while it saves them.
func hold(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	const now = 1_700_000_000_000
	for _, change := range []string{
		`UPDATE pictures SET held = blob, blob = '', verdict = 'review' WHERE idx IN (1, 3)`,
		fmt.Sprintf(`INSERT INTO cases (id, job, subject, platform, tenant, channel, owner, owner_name, prompt, negative, reasons, opened)
			SELECT '01HF7YAT00TESTCASE00000000', id, 'pictures', platform, tenant, channel, owner, owner_name, 'a red fox', '',
				'[{"rule":"opennsfw","category":"sexual","score":0.6}]', %d FROM jobs`, now),
		fmt.Sprintf(`INSERT INTO outbox (key, job, effect, created, due) SELECT 'show:' || id || ':held', id, 'show', %d, 0 FROM jobs`, now),
	} {
		if _, err := db.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
