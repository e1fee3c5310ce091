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
// picture, and nobody's last comes before everybody has had a fair part.
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

// checkFairness wants nobody to be more than three pictures ahead of anybody else, once the first few have begun: those
// begin as they come, when nobody else waits yet.
func checkFairness(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT owner FROM jobs ORDER BY started, id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	begun, total := map[string]int{}, 0
	for rows.Next() {
		var owner string
		if err := rows.Scan(&owner); err != nil {
			t.Fatal(err)
		}
		begun[owner]++
		total++
		fewest := crowdRequests
		for _, n := range begun {
			fewest = min(fewest, n)
		}
		if len(begun) < crowdPeople {
			fewest = 0
		}
		if total >= 2*crowdPeople && begun[owner] > fewest+3 {
			t.Errorf("somebody's picture %d begins when somebody else has had %d", begun[owner], fewest)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
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
