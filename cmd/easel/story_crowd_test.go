package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A grid of one, at four steps, costs 0.0125 credits: eight of each person's ten can be paid.
const crowdConfig = `
limits:
  person: {burst: 0.1, per_hour: 0.1}
`

const paid = 8

// TestCrowdOnEveryStage: twenty people type ten commands each at the same moment. The platform has every acknowledgement in
// time, what can be paid is painted, once, and the others are told when to come back.
func TestCrowdOnEveryStage(t *testing.T) {
	for _, s := range stages {
		t.Run(s.name, func(t *testing.T) {
			p := newPlay(t, crowdConfig, s.open(t))
			waits := p.storm()
			t.Logf("acknowledged after %v (median), %v (p99), %v (longest)", waits[len(waits)/2], waits[len(waits)*99/100], waits[len(waits)-1])
			eventually(t, "all that was paid", func() bool { return p.results() == crowdPeople*paid })
			for k := range crowdPeople {
				p.turnedAway(fmt.Sprint("p", k))
			}
			if n := p.results(); n != crowdPeople*paid {
				t.Errorf("there are %d results, want %d", n, crowdPeople*paid)
			}
			p.s.end(t, syscall.SIGTERM)
		})
	}
}

// storm types everything at once and returns how long each command waited for its acknowledgement, in order.
func (p *play) storm() []time.Duration {
	for k := range crowdPeople { // so that they all are there
		p.private(p.t, fmt.Sprint("p", k))
	}
	waits := make([]time.Duration, crowdPeople*crowdRequests)
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range waits {
		all.Go(func() {
			<-begin
			who := fmt.Sprint("p", i%crowdPeople)
			waits[i] = p.imagine(p.t, who, fmt.Sprintf("fox %d", i), map[string]string{"count": "1", "steps": "4"})
		})
	}
	close(begin)
	all.Wait()
	slices.Sort(waits)
	return waits
}

// turnedAway waits until somebody has been told of all that they could not pay.
func (p *play) turnedAway(who string) {
	p.t.Helper()
	eventually(p.t, who+" is told when to come back", func() bool {
		n := 0
		for _, q := range p.private(p.t, who) {
			if strings.Contains(q.text, "try again in") {
				n++
			}
		}
		return n == crowdRequests-paid
	})
}
