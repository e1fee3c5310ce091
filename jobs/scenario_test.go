package jobs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/ratelimit"
)

// TestScenarios lets five people ask, press and cancel at random moments while painting fails, the platform is down now
// and then, and the process stops and starts again. Whatever happens, every job that was taken on ends once.
func TestScenarios(t *testing.T) {
	seeds := 6
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := &scenario{t: t, dir: t.TempDir(), rand: rand.New(rand.NewPCG(uint64(seed), 1)), channel: newChannel(), back: map[string]float64{}}
			for life := range 3 {
				synctest.Test(t, func(t *testing.T) {
					s.t = t
					s.live(life)
				})
			}
			s.t = t
			s.check()
		})
	}
}

type scenario struct {
	t       *testing.T
	dir     string
	rand    *rand.Rand
	channel *channel
	taken   []jobs.Job
	back    map[string]float64
	ends    map[string]jobs.Job
}

// live is one process: things happen for a while; the last one is left in peace until everything is over.
func (s *scenario) live(life int) {
	t := s.t
	h := open(t, s.dir, ratelimit.Limits{}, judge{picky: true})
	h.channel, h.limiter.back = s.channel, s.back
	defer h.close()
	h.run()
	for range 25 {
		s.event(h)
		time.Sleep(time.Duration(s.rand.IntN(400)) * time.Millisecond) //nolint:forbidigo // the bubble's clock
	}
	if life < 2 {
		return
	}
	eventually()
	s.ends = map[string]jobs.Job{}
	for _, j := range s.taken {
		end, err := h.Job(t.Context(), here, j.Owner, j.ID)
		if errors.Is(err, jobs.ErrNotFound) {
			end = jobs.Job{ID: j.ID, Deleted: true}
		} else if err != nil {
			t.Fatal(err)
		}
		s.ends[j.ID] = end
	}
}

// event is something that somebody does.
func (s *scenario) event(h *house) {
	who := jobs.Person{ID: fmt.Sprint("person ", s.rand.IntN(5))}
	key := fmt.Sprint("key ", s.rand.IntN(200))
	prompts := []string{"a fox", "an owl", "a shaky cat", "a broken car", "something forbidden"}
	var j jobs.Job
	var err error
	switch n := s.rand.IntN(10); {
	case n < 5 || len(s.taken) == 0:
		o := ask(key, prompts[s.rand.IntN(len(prompts))], who)
		*o.Ask.Seed = s.rand.Int64N(100)
		*o.Ask.Count = 1 + s.rand.IntN(4)
		j, err = h.Submit(h.t.Context(), o)
	case n < 8:
		parent := s.taken[s.rand.IntN(len(s.taken))]
		kind := []jobs.Kind{jobs.Pick, jobs.Vary, jobs.Reroll}[s.rand.IntN(3)]
		j, err = h.Submit(h.t.Context(), jobs.Order{Key: key, Place: here, Owner: who, Kind: kind, Parent: &gallery.Parent{Job: parent.ID}})
	case n < 9:
		of := s.taken[s.rand.IntN(len(s.taken))]
		err = h.Cancel(h.t.Context(), here, of.Owner, of.ID)
	default:
		of := s.taken[s.rand.IntN(len(s.taken))]
		err = h.Delete(h.t.Context(), here, of.Owner, of.ID)
	}
	s.channel.mu.Lock()
	s.channel.failures += s.rand.IntN(3)
	s.channel.mu.Unlock()
	var refused *jobs.RefusedError
	expected := err == nil || errors.As(err, &refused) || errors.Is(err, jobs.ErrNotFound) || errors.Is(err, gallery.ErrNotFound) || errors.Is(err, jobs.ErrTooLate)
	if !expected {
		h.t.Error(err)
	}
	if err == nil && j.ID != "" {
		s.taken = append(s.taken, j)
	}
}

func (s *scenario) check() {
	counts := map[jobs.State]int{}
	for _, j := range s.taken {
		end := s.ends[j.ID]
		counts[end.State]++
		results, back := s.channel.results[j.ID], s.back[j.ID]
		switch {
		case end.Deleted:
			if !s.channel.removed[j.ID] && s.channel.posts[j.ID] > 0 {
				s.t.Errorf("%s was deleted and is still there", j.ID)
			}
		case !end.State.Over():
			s.t.Errorf("%s is still %s", j.ID, end.State)
		case end.State == jobs.Done && (results != 1 || back != 0 || s.channel.removed[j.ID]):
			s.t.Errorf("%s is done: %d results, %v credits back", j.ID, results, back)
		case end.State == jobs.Cancelled && (results != 0 || back <= 0 || back > j.Credits+1e-9):
			s.t.Errorf("%s was cancelled: %d results, %v of %v credits back", j.ID, results, back, j.Credits)
		case end.State == jobs.Failed && (results != 0 || !near(back, j.Credits) || s.channel.shown[j.ID] != jobs.Failed):
			s.t.Errorf("%s failed: %d results, %v credits back, shown as %s", j.ID, results, back, s.channel.shown[j.ID])
		case end.State == jobs.Refused && (results != 0 || !near(back, j.Credits) || s.channel.told[j.ID] == ""):
			s.t.Errorf("%s was refused: %d results, %v credits back, told %q", j.ID, results, back, s.channel.told[j.ID])
		}
		if s.channel.posts[j.ID] != 1 && !end.Deleted {
			s.t.Errorf("%s was posted %d times", j.ID, s.channel.posts[j.ID])
		}
	}
	s.t.Logf("%d jobs: %v", len(s.taken), counts)
}
