package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

func waiting(id, person string, credits float64) Job {
	return Job{ID: id, Owner: Person{ID: person}, Credits: credits}
}

// drain takes everybody out of line.
func drain(l *line) []string {
	var order []string
	for {
		j, ok := l.pop(nil)
		if !ok {
			return order
		}
		order = append(order, j.ID)
	}
}

func TestLineIsFairBetweenPeople(t *testing.T) {
	tests := []struct {
		name string
		jobs []Job
		want []string
	}{
		{"first come, first served", []Job{waiting("1", "ada", 1), waiting("2", "bob", 1), waiting("3", "cy", 1)}, []string{"1", "2", "3"}},
		{
			"who asks for much waits for who asks for little",
			[]Job{waiting("1", "ada", 1), waiting("2", "ada", 1), waiting("3", "ada", 1), waiting("4", "bob", 1)},
			[]string{"1", "4", "2", "3"},
		},
		{
			"a large job counts for several small ones",
			[]Job{waiting("1", "ada", 3), waiting("2", "ada", 3), waiting("3", "bob", 1), waiting("4", "bob", 1), waiting("5", "bob", 1)},
			[]string{"1", "3", "4", "5", "2"},
		},
		{"what costs nothing is still served in turn", []Job{waiting("1", "ada", 0), waiting("2", "ada", 0), waiting("3", "bob", 0)}, []string{"1", "3", "2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLine()
			for _, j := range tt.jobs {
				l.join(j)
			}
			var order []string
			for _, j := range l.order() {
				order = append(order, j.ID)
			}
			if !slices.Equal(order, tt.want) {
				t.Errorf("the line is told as %v, want %v", order, tt.want)
			}
			if got := drain(l); !slices.Equal(got, tt.want) {
				t.Errorf("served %v, want %v", got, tt.want)
			}
		})
	}
}

func TestLineTakesAJobOnce(t *testing.T) {
	l := newLine()
	l.join(waiting("1", "ada", 1))
	l.join(waiting("1", "ada", 1))
	if got := drain(l); len(got) != 1 {
		t.Errorf("served %v", got)
	}
}

func TestLeavingMovesTheOwnersLaterJobsUp(t *testing.T) {
	l := newLine()
	for _, j := range []Job{waiting("1", "ada", 5), waiting("2", "ada", 1), waiting("3", "bob", 2), waiting("4", "bob", 1)} {
		l.join(j)
	}
	if !l.leave("1") || l.leave("1") {
		t.Error("a job leaves once")
	}
	if got, want := drain(l), []string{"2", "3", "4"}; !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
}

// TestNobodyStarves: however many others come with small jobs, an old large one is served within a bounded number of turns.
func TestNobodyStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLine()
		l.join(waiting("0-first", "old", 1))
		l.join(waiting("0-old", "old", rapid.Float64Range(0.1, 4).Draw(t, "credits")))
		others := rapid.IntRange(1, 5).Draw(t, "others")
		cost := rapid.Float64Range(0.05, 1).Draw(t, "cost")
		bound := 4 * int(1+float64(others)*(1/cost+2))
		for turn := range bound {
			for k := range others {
				l.join(waiting(fmt.Sprintf("1-%d-%d", turn, k), fmt.Sprintf("new-%d-%d", turn, k), cost)) // a stranger each time
			}
			if j, _ := l.pop(nil); j.ID == "0-old" {
				return
			}
			for range others - 1 {
				if j, _ := l.pop(nil); j.ID == "0-old" {
					return
				}
			}
		}
		t.Fatalf("not served in %d turns of %d strangers whose jobs cost %v", bound, others, cost)
	})
}

// TestUnfairnessIsBounded: of two people who always wait, neither gets more than one job of each ahead.
func TestUnfairnessIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLine()
		costs := map[string]float64{"ada": rapid.Float64Range(0.1, 5).Draw(t, "ada"), "bob": rapid.Float64Range(0.1, 5).Draw(t, "bob")}
		served := map[string]float64{}
		for i := range 200 {
			l.join(waiting(fmt.Sprintf("%03d-a", i), "ada", costs["ada"]))
			l.join(waiting(fmt.Sprintf("%03d-b", i), "bob", costs["bob"]))
		}
		for range 100 {
			j, _ := l.pop(nil)
			served[j.Owner.ID] += j.Credits
			if gap := served["ada"] - served["bob"]; gap > costs["ada"]+costs["bob"]+1e-9 || -gap > costs["ada"]+costs["bob"]+1e-9 {
				t.Fatalf("ada was served %v and bob %v", served["ada"], served["bob"])
			}
		}
	})
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		got := make(chan error)
		go func() { got <- l.await(t.Context()) }()
		synctest.Wait()
		l.join(waiting("1", "ada", 1))
		if err := <-got; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := newLine().await(ctx); err == nil {
			t.Error("no error after the context ended")
		}
	})
}

func TestReservedPlacesCount(t *testing.T) {
	l := newLine()
	for i := range 2 {
		if err := l.reserve("ada", 8); err != nil {
			t.Fatalf("place %d of 8: %v", i+1, err)
		}
	}
	if err := l.reserve("ada", 8); !errors.Is(err, ErrTooMany) {
		t.Errorf("a third of eight places for one person: %v", err)
	}
	j := waiting("2", "ada", 1)
	l.join(Job{ID: "1", Owner: Person{ID: "someone else"}})
	l.release("ada")
	if err := l.reserve("ada", 8); err != nil {
		t.Errorf("a place that was given up is still taken: %v", err)
	}
	l.release("ada")
	l.release("ada")
	l.join(j)
	for i := range 6 {
		if err := l.reserve(fmt.Sprint("person ", i), 8); err != nil {
			t.Errorf("place %d of 8: %v", i+3, err)
		}
	}
	if err := l.reserve("one more", 8); !errors.Is(err, ErrBusy) {
		t.Errorf("a ninth of eight places: %v", err)
	}
}

func TestARowIsRunOnceHoweverOftenItIsRead(t *testing.T) {
	var h hands
	if !h.take(1) || h.take(1) {
		t.Error("a row that is being run is run again")
	}
	h.drop(1)
	if h.take(1) {
		t.Error("a row that was read before it was done is run again")
	}
	h.forget()
	if !h.take(1) {
		t.Error("a row that is due again is not run")
	}
}
