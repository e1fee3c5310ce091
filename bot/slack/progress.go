package slack

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/jobs"
)

const (
	maxLives = 1000            // messages that are remembered
	perJob   = 5 * time.Second // between updates of one message for progress
	perAll   = 3 * time.Second // and of all messages
	patience = 5 * time.Second // how long such an update may take, since what is final waits for it
)

// A live is what is known of a job's message.
type live struct {
	mu      sync.Mutex // held while the message is changed, so that changes come in order
	id      string     // empty: not posted, as far as this process knows
	shown   bot.Message
	files   map[int]string // Slack's IDs of its pictures, by index
	removed bool

	next time.Time // when progress may be shown; of lives
}

// lives are the newest messages.
type lives struct {
	mu    sync.Mutex
	jobs  map[string]*live
	ids   map[string]*live
	order []string  // of jobs, oldest first
	next  time.Time // when progress of any may be shown
}

func newLives() *lives { return &lives{jobs: map[string]*live{}, ids: map[string]*live{}} }

// of returns what is known of a job, made when it is new.
func (s *lives) of(job string) *live {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.jobs[job]; l != nil {
		return l
	}
	if len(s.order) == maxLives {
		s.drop(s.order[0])
		s.order = s.order[1:]
	}
	l := &live{next: time.Now().Add(perJob)}
	s.jobs[job] = l
	s.order = append(s.order, job)
	return l
}

func (s *lives) drop(job string) {
	for id, l := range s.ids {
		if l == s.jobs[job] {
			delete(s.ids, id)
		}
	}
	delete(s.jobs, job)
}

// name makes a message be found by its ID.
func (s *lives) name(id string, l *live) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids[id] = l
}

func (s *lives) named(id string) *live {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[id]
}

// turn returns a job's message if its progress may be shown now.
func (s *lives) turn(job string, now time.Time) *live {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.jobs[job]
	if l == nil || now.Before(l.next) || now.Before(s.next) {
		return nil
	}
	l.next, s.next = now.Add(perJob), now.Add(perAll)
	return l
}

// Progress shows how a job gets on, now and then. It does not block.
func (a *Adapter) Progress(place bot.Place, job string, p jobs.Progress) {
	l := a.lives.turn(job, time.Now())
	if l == nil {
		return
	}
	a.work.begin(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		a.advance(ctx, place, l, p)
	})
}

// advance shows progress in a message that is not final.
func (a *Adapter) advance(ctx context.Context, place bot.Place, l *live, p jobs.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	channel, ts, ok := parseMessageID(l.id)
	if !ok || l.removed || jobs.State(l.shown.State).Over() {
		return
	}
	m := l.shown
	m.Status = progressLine(p)
	w := drawn(m, buttonValue(m.Job, place.Channel, channel), nil)
	if _, _, _, err := a.api.UpdateMessageContext(ctx, channel, ts, w.options()...); err != nil {
		a.log.Debug("progress was not shown", "job", m.Job, "error", redacted(err))
	}
}

func progressLine(p jobs.Progress) string {
	switch {
	case p.Total > 0:
		return fmt.Sprintf("Painting, %d %%%s", 100*min(p.Calls, p.Total)/p.Total, bot.LeftText(p.Left))
	case p.Ahead > 0:
		return fmt.Sprintf("Waiting, %d before you", p.Ahead)
	default:
		return "Painting"
	}
}
