package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/ratelimit"
)

var (
	home = review.Scope{Platform: "web", Tenant: "local"}
	mo   = review.Moderator{ID: "web:mo", Name: "Mo"}
)

// desk is a moderator's, in a process of its own for all that the saga knows.
func (h *house) desk() *jobs.Desk {
	return &jobs.Desk{Store: h.store, Gallery: h.Gallery, Now: h.Now}
}

// onlyCase returns the one case that waits.
func (h *house) onlyCase() review.Case {
	h.t.Helper()
	cases, err := review.Waiting(h.t.Context(), h.store, home)
	if err != nil || len(cases) != 1 {
		h.t.Fatalf("%d cases wait, %v; want one", len(cases), err)
	}
	return cases[0]
}

func (h *house) decide(id string, d review.Decision) {
	h.t.Helper()
	if err := h.desk().Decide(h.t.Context(), home, id, d, mo); err != nil {
		h.t.Fatal(err)
	}
	eventually()
}

func TestAHeldPromptWaitsForItsDecision(t *testing.T) {
	tests := []struct {
		decision review.Decision
		want     jobs.State
	}{{review.Approve, jobs.Done}, {review.Reject, jobs.Refused}}
	for _, tt := range tests {
		t.Run(string(tt.decision), func(t *testing.T) {
			inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
				t := h.t
				j := h.submit(ask("1", "a doubtful fox", ada))
				eventually()
				if got := h.job(j.ID); got.State != jobs.Held || h.channel.shown[j.ID] != jobs.Held {
					t.Fatalf("before the decision it is %s, shown as %s", got.State, h.channel.shown[j.ID])
				}
				c := h.onlyCase()
				if c.Subject != review.Prompt || c.Prompt != "a doubtful fox" || c.OwnerName != "Ada" || len(c.Reasons) != 1 {
					t.Errorf("the case is %+v", c)
				}
				if err := h.desk().Decide(t.Context(), review.Scope{Platform: "web", Tenant: "elsewhere"}, c.ID, review.Approve, mo); !errors.Is(err, review.ErrNotFound) {
					t.Errorf("a moderator of another tenant: %v", err)
				}
				if n := h.channel.cases[c.ID]; n != 1 {
					t.Errorf("the case was posted %d times", n)
				}
				h.decide(c.ID, tt.decision)
				if got := h.channel.decisions[c.ID]; got != tt.decision {
					t.Errorf("the case shows %q", got)
				}
				if err := h.desk().Decide(t.Context(), home, c.ID, review.Approve, mo); !errors.Is(err, review.ErrDecided) {
					t.Errorf("decided twice: %v", err)
				}
				refused := tt.want == jobs.Refused
				if got := h.job(j.ID); got.State != tt.want || h.channel.removed[j.ID] != refused || (h.channel.told[j.ID] != "") != refused {
					t.Errorf("it ends %s, removed %v, told %q", got.State, h.channel.removed[j.ID], h.channel.told[j.ID])
				}
				if back := h.limiter.back[j.ID]; refused && !near(back, j.Credits) || !refused && back != 0 {
					t.Errorf("%v credits came back of %v", back, j.Credits)
				}
			})
		})
	}
}

func TestHeldPicturesWaitForTheirDecision(t *testing.T) {
	tests := []struct {
		name     string
		judge    judge
		decision review.Decision
		seen     int
		refund   bool
	}{
		{"some, approved", judge{picky: true}, review.Approve, 4, false},
		{"some, rejected", judge{picky: true}, review.Reject, 2, false},
		{"all, approved", judge{doubtful: true}, review.Approve, 4, false},
		{"all, rejected", judge{doubtful: true}, review.Reject, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, ratelimit.Limits{}, tt.judge, func(h *house) {
				t := h.t
				j := h.submit(ask("1", "a fox", ada))
				eventually()
				c := h.onlyCase()
				held, err := h.Gallery.Sealed(t.Context(), "local", j.ID)
				if err != nil || c.Subject != review.Pictures || len(held) == 0 {
					t.Fatalf("%s, %d pictures held, %v", c.Subject, len(held), err)
				}
				s := gallery.Scope{Tenant: "local", Channel: "general", Viewer: "ada"}
				for index := range held {
					if _, err := h.Gallery.File(t.Context(), s, j.ID, index); !errors.Is(err, gallery.ErrNotFound) {
						t.Errorf("picture %d can be seen before it is approved: %v", index, err)
					}
					_, err := h.Submit(t.Context(), jobs.Order{Key: "vary", Place: here, Owner: bob, Kind: jobs.Vary, Parent: &gallery.Parent{Job: j.ID, Index: index}})
					if !errors.Is(err, gallery.ErrNotFound) {
						t.Errorf("picture %d can be varied before it is approved: %v", index, err)
					}
				}
				if n := h.channel.cases[c.ID]; n != 1 {
					t.Errorf("the case was posted %d times", n)
				}
				h.decide(c.ID, tt.decision)
				if got := h.channel.decisions[c.ID]; got != tt.decision {
					t.Errorf("the case shows %q", got)
				}
				seen := 0
				for index := range 4 {
					if _, err := h.Gallery.File(t.Context(), s, j.ID, index); err == nil {
						seen++
					}
				}
				if _, refunded := h.limiter.back[j.ID]; seen != tt.seen || refunded != tt.refund {
					t.Errorf("%d pictures are to be seen, refunds %v", seen, h.limiter.back)
				}
				if told := h.channel.told[j.ID] != ""; told != (tt.decision == review.Reject) {
					t.Errorf("told %q", h.channel.told[j.ID])
				}
			})
		})
	}
}

func TestAHeldJobCanBeCancelledAndDeleted(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		t := h.t
		j := h.submit(ask("1", "a doubtful fox", ada))
		eventually()
		c := h.onlyCase()
		if err := h.Cancel(t.Context(), here, ada, j.ID); err != nil {
			t.Fatal(err)
		}
		eventually()
		if err := h.desk().Decide(t.Context(), home, c.ID, review.Approve, mo); !errors.Is(err, review.ErrDecided) {
			t.Errorf("a case that was withdrawn is decided: %v", err)
		}
		if got := h.channel.decisions[c.ID]; got != review.Withdrawn {
			t.Errorf("the case shows %q", got)
		}
		if !near(h.limiter.back[j.ID], j.Credits) || h.job(j.ID).State != jobs.Cancelled {
			t.Errorf("%v credits came back, the job is %s", h.limiter.back[j.ID], h.job(j.ID).State)
		}
	})
}

// TestADecisionOutlivesTheServer is made while no server runs, and is acted on by the next.
func TestADecisionOutlivesTheServer(t *testing.T) {
	dir := t.TempDir()
	var id string
	synctest.Test(t, func(t *testing.T) {
		h := open(t, dir, ratelimit.Limits{}, judge{})
		h.run()
		id = h.submit(ask("1", "a doubtful fox", ada)).ID
		eventually()
		h.close()
		h = open(t, dir, ratelimit.Limits{}, judge{})
		if err := h.desk().Decide(t.Context(), review.Scope{}, h.onlyCase().ID, review.Approve, mo); err != nil {
			t.Fatal(err)
		}
		h.close()
	})
	synctest.Test(t, func(t *testing.T) {
		h := open(t, dir, ratelimit.Limits{}, judge{})
		defer h.close()
		h.run()
		eventually()
		if got := h.job(id); got.State != jobs.Done || h.channel.results[id] != 1 {
			t.Errorf("it is %s, with %d results", got.State, h.channel.results[id])
		}
	})
}

// TestAReviewChannelThatIsAwayHoldsUpNothing: the job goes on by a decision on the command line.
func TestAReviewChannelThatIsAwayHoldsUpNothing(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		h.channel.reviewFails = true
		j := h.submit(ask("1", "a doubtful fox", ada))
		eventually()
		h.decide(h.onlyCase().ID, review.Approve)
		if got := h.job(j.ID); got.State != jobs.Done {
			h.t.Errorf("it is %s", got.State)
		}
	})
}

// TestALaterReviewChannelGetsWhatWaits: it was not there when the case was opened.
func TestALaterReviewChannelGetsWhatWaits(t *testing.T) {
	dir := t.TempDir()
	for _, start := range []struct {
		noReview bool
		want     int
	}{{true, 0}, {false, 1}, {false, 0}} { // what stands there is not posted again
		synctest.Test(t, func(t *testing.T) {
			h := open(t, dir, ratelimit.Limits{}, judge{})
			defer h.close()
			h.channel.noReview = start.noReview
			h.run()
			h.submit(ask("1", "a doubtful fox", ada)) // which is one job, however often
			eventually()
			c := h.onlyCase()
			if n := h.channel.cases[c.ID]; n != start.want {
				t.Errorf("it was posted %d times, want %d", n, start.want)
			}
		})
	}
}

// TestManyPressAtOnce: one of them decides, and the job runs once.
func TestManyPressAtOnce(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		j := h.submit(ask("1", "a doubtful fox", ada))
		eventually()
		c := h.onlyCase()
		var decided atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				err := h.Decide(context.Background(), home, c.ID, review.Approve, mo)
				if err == nil {
					decided.Add(1)
				} else if !errors.Is(err, review.ErrDecided) {
					h.t.Error(err)
				}
			})
		}
		all.Wait()
		eventually()
		if n := decided.Load(); n != 1 || h.channel.results[j.ID] != 1 {
			h.t.Errorf("%d decided, and there are %d results", n, h.channel.results[j.ID])
		}
	})
}

// TestAReviewChannelThatHangsHoldsUpNothing, however many cases wait for it.
func TestAReviewChannelThatHangsHoldsUpNothing(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		h.channel.reviewHangs = true
		for k := range 80 {
			h.submit(ask(fmt.Sprint("held ", k), "a doubtful fox", jobs.Person{ID: fmt.Sprint("p", k)}))
		}
		began := h.Now()
		j := h.submit(ask("1", "a fox", ada))
		eventually()
		if got := h.job(j.ID); got.State != jobs.Done || got.Finished.Sub(began) > 10*time.Second {
			h.t.Errorf("a job of nobody's doubt is %s after %v", got.State, got.Finished.Sub(began))
		}
	})
}

// TestACaseThatIsOverIsNotPosted: nobody needs it, and its prompt may be deleted.
func TestACaseThatIsOverIsNotPosted(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		h.channel.reviewFails = true
		j := h.submit(ask("1", "a doubtful fox", ada))
		eventually()
		c := h.onlyCase()
		if err := h.Delete(h.t.Context(), here, ada, j.ID); err != nil {
			h.t.Fatal(err)
		}
		h.channel.reviewFails = false
		eventually()
		if n := h.channel.cases[c.ID]; n != 0 {
			h.t.Errorf("it was posted %d times", n)
		}
	})
}

// TestAnApprovalLasts: the same words in the same place are not held again, and others are, and elsewhere.
func TestAnApprovalLasts(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		j := h.submit(ask("1", "a doubtful fox", ada))
		eventually()
		h.decide(h.onlyCase().ID, review.Approve)
		reroll := h.submit(jobs.Order{Key: "2", Place: here, Owner: bob, Kind: jobs.Reroll, Parent: &gallery.Parent{Job: j.ID}})
		other := h.submit(ask("3", "a doubtful hare", ada))
		elsewhere := ask("4", "a doubtful fox", ada)
		elsewhere.Place.Tenant = "elsewhere"
		eventually()
		if got := h.submit(elsewhere).State; got != jobs.Held {
			h.t.Errorf("in another place the same prompt is %s", got)
		}
		for id, want := range map[string]jobs.State{reroll.ID: jobs.Done, other.ID: jobs.Held} {
			if got := h.job(id); got.State != want {
				h.t.Errorf("%q is %s, want %s", got.Request.Prompt, got.State, want)
			}
		}
	})
}

// TestAMessageThatSomebodyRemoved: without a place for its result a job is paid back, and its owner is told.
func TestAMessageThatSomebodyRemoved(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		j := h.submit(ask("1", "a doubtful fox", ada))
		eventually()
		h.channel.gone = map[string]bool{j.ID: true}
		h.decide(h.onlyCase().ID, review.Approve)
		if got := h.job(j.ID); got.State != jobs.Cancelled || !strings.Contains(h.channel.told[j.ID], "was removed") || !near(h.limiter.back[j.ID], j.Credits) {
			h.t.Errorf("it is %s, told %q, %v credits came back", got.State, h.channel.told[j.ID], h.limiter.back[j.ID])
		}
	})
}

// TestAMessageThatSomebodyRemovedLater takes nothing back.
func TestAMessageThatSomebodyRemovedLater(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{doubtful: true}, func(h *house) {
		j := h.submit(ask("1", "a fox", ada))
		eventually()
		h.channel.gone = map[string]bool{j.ID: true}
		h.decide(h.onlyCase().ID, review.Approve)
		if got := h.job(j.ID); got.State != jobs.Done || h.channel.told[j.ID] != "" {
			h.t.Errorf("it is %s, told %q", got.State, h.channel.told[j.ID])
		}
	})
}
