package web

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/easelbot/easel/bot"
)

// A hub knows who has the page open and wakes them. It holds no messages, see the package's comment; of each job it
// holds the newest progress, for those who come in between.
type hub struct {
	mu      sync.Mutex
	readers map[*reader]struct{}
	frames  map[string]*frame // by job
	counted bool              // everybody is about to hear who is here
	closed  chan struct{}
}

// gathering is how long those who come and go are gathered before everybody hears of them: each hears of all.
const gathering = 500 * time.Millisecond

// A reader is one open stream. What it has not yet been told is guarded by the hub's lock.
type reader struct {
	person bot.Person
	wake   chan struct{} // holds at most one signal: something is new

	stale  bool              // there may be new messages
	crowd  bool              // the people who are here have changed
	frames map[string]*frame // how jobs get on, by job
}

func newHub() *hub {
	return &hub{readers: map[*reader]struct{}{}, frames: map[string]*frame{}, closed: make(chan struct{})}
}

// join adds a reader, for whom everything is new.
func (h *hub) join(p bot.Person) *reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := &reader{person: p, wake: make(chan struct{}, 1), stale: true, crowd: true, frames: maps.Clone(h.frames)}
	h.readers[r] = struct{}{}
	h.crowd()
	return r
}

func (h *hub) leave(r *reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.readers, r)
	h.crowd()
}

// crowd tells everybody, soon, that the people who are here have changed. The lock is held.
func (h *hub) crowd() {
	if h.counted {
		return
	}
	h.counted = true
	time.AfterFunc(gathering, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.counted = false
		h.tell(func(r *reader) { r.crowd = true })
	})
}

// tell notes something down for every reader and wakes them. The lock is held.
func (h *hub) tell(note func(*reader)) {
	for r := range h.readers {
		note(r)
		select {
		case r.wake <- struct{}{}:
		default: // it will see this, too, when it wakes
		}
	}
}

// news tells that there may be new messages.
func (h *hub) news() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tell(func(r *reader) { r.stale = true })
}

func (h *hub) progress(job string, f *frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.frames[job] = f
	h.tell(func(r *reader) { r.frames[job] = f })
}

// forget drops the progress of a job that is over.
func (h *hub) forget(job string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.frames, job)
	for r := range h.readers {
		delete(r.frames, job)
	}
}

// rename gives somebody who is here another name.
func (h *hub) rename(p bot.Person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for r := range h.readers {
		if r.person.ID == p.ID {
			r.person = p
		}
	}
	h.crowd()
}

// takeStale tells whether there may be new messages since it was last asked.
func (h *hub) takeStale(r *reader) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	stale := r.stale
	r.stale = false
	return stale
}

// takeFrames returns the progress that the reader has not yet been told.
func (h *hub) takeFrames(r *reader) map[string]*frame {
	h.mu.Lock()
	defer h.mu.Unlock()
	frames := r.frames
	r.frames = map[string]*frame{}
	return frames
}

// takeCrowd returns the people who are here, each once, by name, or nil if the reader knows them.
func (h *hub) takeCrowd(r *reader) []bot.Person {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !r.crowd {
		return nil
	}
	r.crowd = false
	here := map[string]bot.Person{}
	for other := range h.readers {
		here[other.person.ID] = other.person
	}
	return slices.SortedFunc(maps.Values(here), func(a, b bot.Person) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.closed:
	default:
		close(h.closed)
	}
}
