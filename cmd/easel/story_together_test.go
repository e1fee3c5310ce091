package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A troupe is several stages for one program; as a stage it is the first of them.
type troupe struct {
	stage
	others []stage
}

func (all troupe) env() []string {
	env := all.stage.env()
	for _, s := range all.others {
		env = append(env, s.env()...)
	}
	return env
}

func (all troupe) await(t *testing.T, s *served) {
	t.Helper()
	all.stage.await(t, s)
	for _, other := range all.others {
		other.await(t, s)
	}
}

// TestStoryOfTenants: the local channel, Discord and Slack in one process. Nothing of one is seen in another, by nobody.
func TestStoryOfTenants(t *testing.T) {
	web := newWebStage(t)
	named := map[string]stage{"web": web, "discord": newDiscordStage(t), "slack": newSlackStage(t, true)}
	p := newPlay(t, storyConfig, troupe{web, []stage{named["discord"], named["slack"]}})
	for name, s := range named {
		s.imagine(t, ada, "a fox for "+name, nil)
		s.imagine(t, ada, "a lighthouse for "+name, nil)
	}
	for name, s := range named {
		at := &play{stage: s, t: t, s: p.s, seen: map[string]bool{}}
		at.result("a fox for "+name, 4)
		at.one(s.cases, "its case", says("a lighthouse for "+name))
	}
	for name, s := range named {
		for _, q := range slices.Concat(s.posts(t), s.cases(t), s.private(t, ada), s.private(t, moderator)) {
			if held := strings.Contains(q.text, "A prompt waits"); !held && !strings.Contains(q.text, " for "+name) {
				t.Errorf("%s has %q", name, q.text)
			}
		}
	}
	for _, elsewhere := range foreign(t, filepath.Join(p.data, "easel.db")) {
		for _, action := range []string{"vary", "reroll", "upscale", "details", "cancel", "delete", "approve", "reject", "reveal"} {
			body := fmt.Sprintf(`{"key":"%s-%s","job":%q,"action":%q,"index":0}`, action, elsewhere, elsewhere, action)
			if status, answer := web.guest(t, moderator).request(t, http.MethodPost, "api/actions", body); status < 400 || !strings.Contains(string(answer), "not here") {
				t.Errorf("%s of what is elsewhere: %d %s", action, status, answer)
			}
		}
		for _, folder := range []string{"pictures", "sealed"} {
			if status, answer := web.guest(t, moderator).request(t, http.MethodGet, folder+"/"+elsewhere+"/0.png", ""); status != http.StatusNotFound {
				t.Errorf("%s of what is elsewhere: %d %s", folder, status, answer)
			}
		}
	}
	p.s.end(t, syscall.SIGTERM)
	p.keepsSecrets()
}

// foreign are the IDs of all jobs and cases that are not the local channel's.
func foreign(t *testing.T, file string) (ids []string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT id FROM jobs WHERE platform <> 'web' UNION ALL SELECT id FROM cases WHERE platform <> 'web'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil || len(ids) != 6 {
		t.Fatalf("%d jobs and cases of Discord and Slack, %v; want 6", len(ids), err)
	}
	return ids
}
