package web

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/easelbot/easel/bot"
)

// TestNothingMissed lets people write, and jobs come, change and go, all at once, while readers break off and come back
// at any moment. Each reader ends up with exactly what there is for them, and never hears of a revision twice.
func TestNothingMissed(t *testing.T) {
	h := newHouse(t)
	people := []*visitor{h.visitor(t), h.visitor(t), h.visitor(t)}
	for seed := range uint64(30) {
		var readers []*follower
		for i, v := range people {
			readers = append(readers, follow(v, rand.New(rand.NewPCG(seed, uint64(i)))))
		}
		var reading, writing sync.WaitGroup
		end := fmt.Sprint("end-", seed)
		for _, r := range readers {
			reading.Go(func() { r.run(end) })
		}
		for i := range uint64(3) {
			w := writer{house: h, people: people, random: rand.New(rand.NewPCG(seed, 100+i)), name: fmt.Sprint(seed, "-", i)}
			writing.Go(func() {
				if err := w.run(t.Context(), 8); err != nil {
					t.Error(err)
				}
			})
		}
		writing.Wait()
		people[0].say(end, end)
		reading.Wait()
		for _, r := range readers {
			r.check()
		}
		if t.Failed() {
			t.Fatalf("so it is with seed %d", seed)
		}
	}
}

// A writer does all that can be done to messages.
type writer struct {
	house  *house
	people []*visitor
	random *rand.Rand
	name   string
	jobs   []string
}

func (w *writer) run(ctx context.Context, steps int) (err error) {
	for step := range steps {
		err = errors.Join(err, w.step(ctx, fmt.Sprintf("%s-%d", w.name, step)))
	}
	return err
}

func (w *writer) step(ctx context.Context, name string) error {
	who := w.people[w.random.IntN(len(w.people))].me
	kind := w.random.IntN(6)
	if kind < 4 && len(w.jobs) == 0 {
		kind = 4
	}
	job := ""
	if len(w.jobs) > 0 {
		job = w.jobs[w.random.IntN(len(w.jobs))]
	}
	switch kind {
	case 0:
		return w.house.Remove(ctx, general, job)
	case 1, 2, 3:
		return w.house.Show(ctx, general, job, jobMessage(job, bot.Person{}, []string{"running", "done"}[w.random.IntN(2)]))
	case 4:
		w.jobs = append(w.jobs, name)
		_, err := w.house.Post(ctx, general, jobMessage(name, who, "queued"))
		return err
	default:
		return w.house.Tell(ctx, name, general, who, "a notice of "+name)
	}
}

// A follower reads as a page does: the history once, then the stream, from where it broke off.
type follower struct {
	*visitor
	random *rand.Rand
	cursor int64
	last   int64
	state  map[int64]Message // the newest version of each message
	wrong  []string
}

func follow(v *visitor, random *rand.Rand) *follower {
	f := &follower{visitor: v, random: random, state: map[int64]Message{}}
	var list []Message
	list, f.cursor = v.history()
	f.last = f.cursor
	for _, m := range list {
		f.state[m.ID] = m
	}
	return f
}

func (f *follower) run(end string) {
	for {
		l := f.listen("?after="+strconv.FormatInt(f.cursor, 10), "Last-Event-ID", strconv.FormatInt(f.last, 10))
		if f.read(l, f.random.IntN(8), end) {
			l.hang()
			return
		}
		l.hang()
	}
}

// read takes up to so many events, and tells whether the last message was among them.
func (f *follower) read(l *listener, events int, end string) bool {
	for range events {
		e, ok := l.next()
		if !ok {
			f.wrong = append(f.wrong, "the stream ended")
			return true
		}
		if e.name != "message" {
			continue
		}
		m := e.message(f.t)
		if m.Rev <= f.last || e.id != fmt.Sprint(m.Rev) {
			f.wrong = append(f.wrong, fmt.Sprintf("revision %d (ID %s) after %d", m.Rev, e.id, f.last))
		}
		f.last, f.state[m.ID] = m.Rev, m
		if m.Text == end {
			return true
		}
	}
	return false
}

// check compares what the reader has with what there is for them, by another way than the stream's.
func (f *follower) check() {
	f.t.Helper()
	rows, err := f.house.db.Reader().QueryContext(f.t.Context(), `SELECT id, rev, recipient, deleted FROM web_messages WHERE rev > $1`, f.cursor)
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	theirs := map[int64]bool{}
	for rows.Next() {
		var id, rev int64
		var recipient string
		var deleted bool
		if err := rows.Scan(&id, &rev, &recipient, &deleted); err != nil {
			f.t.Fatal(err)
		}
		theirs[id] = recipient == "" || recipient == f.me.ID
		if got := f.state[id]; theirs[id] && (got.Rev != rev || got.Deleted != deleted) {
			f.t.Errorf("%s has %+v of message %d, want revision %d, deleted %t", f.me.Name, got, id, rev, deleted)
		}
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	for id, m := range f.state {
		if m.Rev > f.cursor && !theirs[id] {
			f.t.Errorf("%s has message %d, which is not for them: %+v", f.me.Name, id, m)
		}
	}
	for _, wrong := range f.wrong {
		f.t.Errorf("%s: %s", f.me.Name, wrong)
	}
}
