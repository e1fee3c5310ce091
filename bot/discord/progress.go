package discord

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/jobs"
)

// live is a job's message while the job goes on.
type live struct {
	mu      sync.Mutex // held while the message is edited
	place   bot.Place
	id      string
	message bot.Message
	over    bool // it shows its result

	news   sync.Mutex // guards what follows
	next   string     // the newest line that was not shown yet; empty: none
	moving bool       // somebody shows lines
}

// follow remembers a job's message, for its progress.
func (a *Adapter) follow(place bot.Place, id string, m bot.Message) *live {
	l := &live{place: place, id: id, message: m}
	if jobs.State(m.State).Over() {
		if known, ok := a.live.Load(m.Job); ok {
			return known.(*live)
		}
		return l
	}
	known, _ := a.live.LoadOrStore(m.Job, l)
	return known.(*live)
}

// forget ends the progress of a message that is to be removed.
func (a *Adapter) forget(id string) {
	a.live.Range(func(job, known any) bool {
		l := known.(*live)
		if l.id != id {
			return true
		}
		a.live.Delete(job)
		l.mu.Lock()
		l.over = true
		l.mu.Unlock()
		return false
	})
}

// Progress shows how a job gets on in the last line of its message. It never blocks; what comes too fast is dropped for
// what comes after it.
func (a *Adapter) Progress(_ bot.Place, job string, p jobs.Progress) {
	known, ok := a.live.Load(job)
	if !ok {
		return
	}
	l := known.(*live)
	l.news.Lock()
	defer l.news.Unlock()
	l.next = progressLine(p)
	if !l.moving {
		l.moving = a.guarded(func(ctx context.Context) { a.move(ctx, l) })
	}
}

func progressLine(p jobs.Progress) string {
	switch {
	case p.Total > 0:
		return fmt.Sprintf("Painting, step %d of %d%s", p.Calls, p.Total, bot.LeftText(p.Left))
	case p.Ahead > 0:
		return fmt.Sprintf("Waiting, %d before it", p.Ahead)
	default:
		return "Waiting, next in line"
	}
}

// move shows a job's lines until there are no new ones. It rests after each.
func (a *Adapter) move(ctx context.Context, l *live) {
	for {
		l.news.Lock()
		line := l.next
		l.next = ""
		l.moving = line != "" && ctx.Err() == nil
		moving := l.moving
		l.news.Unlock()
		if !moving || !a.showLine(ctx, l, line) {
			return
		}
		if sleep(ctx, a.pace) != nil {
			return
		}
	}
}

const maxProgress = 5 * time.Second // for an edit that nobody needs

// showLine edits a message's last line, if that can be done cheaply. What fails is left out. It tells whether more may follow.
func (a *Adapter) showLine(ctx context.Context, l *live, line string) bool {
	ctx, cancel := context.WithTimeout(ctx, maxProgress)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	r := edit(l.place, l.id, struct {
		Content  string   `json:"content"`
		Mentions mentions `json:"allowed_mentions"`
	}{content(l.message, line), nobody}, nil)
	r.spare = true
	if err := a.call(ctx, r, nil); err != nil {
		a.options.Log.Debug("a job's progress was not shown", "job", l.message.Job, "error", err)
	}
	return true
}
