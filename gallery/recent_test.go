package gallery

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/easelbot/easel/imagine"
)

// jobs lists what Recent gives as job and index: "01B0 01B1 01A0".
func jobs(tb testing.TB, g *Gallery, s Scope, before string, limit int) string {
	tb.Helper()
	found, err := g.Recent(tb.Context(), s, before, limit)
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	for _, e := range found {
		names = append(names, fmt.Sprint(e.Job, e.Index))
	}
	return strings.Join(names, " ")
}

func TestRecent(t *testing.T) {
	g := open(t)
	elsewhere, other := picture("01C", 0), picture("01D", 0)
	elsewhere.Channel, elsewhere.Visibility = "c2", Public // may be seen, but was not made in the channel
	other.Tenant, other.Visibility = "t2", Public
	put(t, g, picture("01A", 0), picture("01A", 1), picture("01A", 2), elsewhere, other, picture("01B", 1), picture("01B", 0), picture("01E", 0))
	for _, c := range []struct {
		before string
		limit  int
		want   string
	}{
		{"", 9, "01E0 01B0 01B1 01A0 01A1 01A2"},
		{"", 3, "01E0 01B0 01B1"},
		{"", 2, "01E0"},           // 01B does not fit
		{"", 5, "01E0 01B0 01B1"}, // nor does 01A
		{"01E", 1, "01B0 01B1"},   // the first comes whole
		{"01B", 9, "01A0 01A1 01A2"},
		{"01C", 2, "01B0 01B1"}, // of another channel, yet a place in time
		{"01A", 9, ""},
		{"", 0, ""},
		{"", -1, ""},
	} {
		if got := jobs(t, g, member, c.before, c.limit); got != c.want {
			t.Errorf("Recent(%q, %d): %s, want %s", c.before, c.limit, got, c.want)
		}
	}
}

// Page after page, everything comes once and in order, whatever the limit.
func TestRecentPages(t *testing.T) {
	g := open(t)
	var all []string
	rapid.Check(t, func(r *rapid.T) {
		for _, name := range all {
			remove(t, g, name[:3])
		}
		all = nil
		for i, n := range rapid.SliceOfN(rapid.IntRange(1, imagine.MaxCount), 0, 4).Draw(r, "pictures of each job") {
			entries, names := make([]Entry, n), make([]string, n)
			for k := range n {
				entries[k] = picture(fmt.Sprintf("J%02d", i), k)
				names[k] = fmt.Sprint(entries[k].Job, k)
			}
			put(t, g, entries...)
			all = append(names, all...)
		}
		limit := rapid.IntRange(1, 100).Draw(r, "limit")
		var got []string
		for before := ""; ; before = got[len(got)-1][:3] {
			page := strings.Fields(jobs(t, g, member, before, limit))
			if len(page) == 0 {
				break
			}
			if len(page) > limit && page[0][:3] != page[len(page)-1][:3] {
				r.Fatalf("a page of %d entries from several jobs, limit %d", len(page), limit)
			}
			got = append(got, page...)
		}
		if !slices.Equal(got, all) {
			r.Fatalf("pages of %d: %v, want %v", limit, got, all)
		}
	})
}

// Neither question looks at other channels' or jobs' rows, nor sorts.
func TestQueriesUseAnIndex(t *testing.T) {
	g := open(t)
	for condition, want := range map[string]string{
		`job = $4 ORDER BY idx`: "SEARCH pictures USING INDEX sqlite_autoindex_pictures_1 (job=?)",
		`tenant = $1 AND channel = $2 AND job < $4 ORDER BY job DESC, idx LIMIT $5`: "SEARCH pictures USING INDEX pictures_channel (tenant=? AND channel=? AND job<?)",
	} {
		var id, parent, unused int
		var plan string
		rows, err := g.db.Reader().Query(`EXPLAIN QUERY PLAN SELECT `+columns+` FROM pictures WHERE `+visible+` AND `+condition, "", "", "", "", 1)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			plan += step
		}
		if plan != want || rows.Err() != nil {
			t.Errorf("plan of %s: %s (%v), want %s", condition, plan, rows.Err(), want)
		}
	}
}
