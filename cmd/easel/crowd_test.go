package main

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	crowdPeople   = 20
	crowdRequests = 10 // of each
)

// A crowd sends all its requests at once.
type crowd []*teller

func newCrowd(tb testing.TB, address string) crowd {
	tb.Helper()
	c := make(crowd, crowdPeople)
	for i := range c {
		c[i] = newTeller(tb.Context(), tb, address, uint64(i))
		c[i].insist("GET", "", "")
	}
	return c
}

// storm sends everybody's requests at once and returns how long each waited for its acknowledgement, in order.
func (c crowd) storm(round int, text string) []time.Duration {
	waits := make([]time.Duration, len(c)*crowdRequests)
	var ready, done sync.WaitGroup
	ready.Add(1)
	var mu sync.Mutex
	for i, p := range c {
		for k := range crowdRequests {
			done.Go(func() {
				ready.Wait()
				began := time.Now()
				job := p.begin(fmt.Sprintf("%d-%d", round, k), text)
				mu.Lock()
				defer mu.Unlock()
				waits[i*crowdRequests+k] = time.Since(began)
				p.accepted[fmt.Sprintf("%d-%d", round, k)] = job
			})
		}
	}
	ready.Done()
	done.Wait()
	slices.Sort(waits)
	return waits
}

// TestTwoHundredAtOnce: twenty people send ten requests each at the same moment. All are acknowledged, all end in a
// picture, and those who wait are served in turn.
func TestTwoHundredAtOnce(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serving(t, data)
	c := newCrowd(t, s.address())
	c.storm(0, "/imagine a red fox --count 1 --steps 8")
	accepted := map[string]bool{}
	for _, p := range c {
		for key, job := range p.accepted {
			if job == "" || accepted[job] {
				t.Errorf("request %s was answered with job %q", key, job)
			}
			accepted[job] = true
		}
	}
	c[0].untilOver(t)
	s.end(t, syscall.SIGTERM)
	if states := checkJournal(t, filepath.Join(data, "easel.db"), crowdPeople*crowdRequests); states["done"] != crowdPeople*crowdRequests {
		t.Errorf("they ended %v, want all done", states)
	}
	checkFairness(t, filepath.Join(data, "easel.db"))
}

// turns are when a person's jobs were asked for and when they began, in milliseconds, in order.
type turns struct{ asked, begun []int64 }

// checkFairness wants that while two people wait, neither gets more than four jobs ahead of the other: start-time fair queuing
// bounds it by one job of each, and two more may be on their way to the engine. Who comes later has no claim to what was
// served before.
func checkFairness(t *testing.T, file string) {
	t.Helper()
	people := readTurns(t, file)
	compared := 0
	for a, x := range people {
		for b, y := range people {
			if a < b {
				gap, n := widestGap(x, y)
				compared += n
				if gap > 4 {
					t.Errorf("of two people who wait, one gets %d jobs ahead: %+v and %+v", gap, x, y)
				}
			}
		}
	}
	if compared == 0 {
		t.Error("nobody waited beside anybody else")
	}
}

// widestGap is how far one gets ahead of the other while all of both's jobs are asked for and some of each wait, over n
// beginnings.
func widestGap(x, y turns) (gap, n int) {
	from := max(x.asked[len(x.asked)-1], y.asked[len(y.asked)-1])
	to := min(x.begun[len(x.begun)-1], y.begun[len(y.begun)-1])
	ahead, low, high := 0, 0, 0
	for i, j := 0, 0; i < len(x.begun) || j < len(y.begun); {
		var at int64
		step := 1
		if j == len(y.begun) || i < len(x.begun) && x.begun[i] < y.begun[j] {
			at, i = x.begun[i], i+1
		} else {
			at, j, step = y.begun[j], j+1, -1
		}
		if at <= from || at > to {
			continue
		}
		n++
		ahead += step
		low, high = min(low, ahead), max(high, ahead)
	}
	return high - low, n
}

func readTurns(t *testing.T, file string) map[string]turns {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	people := map[string]turns{}
	for _, column := range []string{"created", "started"} {
		rows, err := db.QueryContext(t.Context(), `SELECT owner, `+column+` FROM jobs ORDER BY `+column)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var owner string
			var at int64
			if err := rows.Scan(&owner, &at); err != nil {
				t.Fatal(err)
			}
			p := people[owner]
			if column == "created" {
				p.asked = append(p.asked, at)
			} else {
				p.begun = append(p.begun, at)
			}
			people[owner] = p
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return people
}

// BenchmarkTwoHundredAtOnce tells how long 200 requests of 20 people wait for their acknowledgement.
func BenchmarkTwoHundredAtOnce(b *testing.B) {
	s := serving(b, filepath.Join(b.TempDir(), "data"))
	c := newCrowd(b, s.address())
	var waits []time.Duration
	for round := range b.N {
		waits = append(waits, c.storm(round, "/imagine a red fox --count 1 --steps 8")...)
		c[0].untilOver(b)
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1e3, "ms/ack-p50")
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1e3, "ms/ack-p99")
	b.ReportMetric(float64(crowdPeople*crowdRequests*b.N)/b.Elapsed().Seconds(), "pictures/s")
}
