package slack

import (
	"slices"
	"sync"
	"time"
)

// maxWork is how much is worked on at once.
const maxWork = 256

// work counts what was acknowledged and is not finished.
type work struct {
	mu     sync.Mutex
	group  sync.WaitGroup
	count  int
	closed bool
}

func newWork() *work { return &work{} }

// begin runs f in a goroutine, unless there is too much to do or the program ends.
func (w *work) begin(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.count >= maxWork {
		return false
	}
	w.count++
	w.group.Go(func() {
		defer w.end()
		f()
	})
	return true
}

func (w *work) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count--
}

// drain lets nothing new begin and waits for the rest.
func (w *work) drain() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.group.Wait()
}

// remembered is how long an event is known: a request's timestamp may be 5 minutes ahead and is accepted 5 minutes after.
const remembered = 10 * time.Minute

// seen remembers what has come.
type seen struct {
	mu    sync.Mutex
	until map[string]time.Time
	order []string // oldest first
}

func newSeen() *seen { return &seen{until: map[string]time.Time{}} }

// first tells whether a key has not come within the last [remembered], and remembers it.
func (s *seen) first(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.order) > 0 && !now.Before(s.until[s.order[0]]) {
		delete(s.until, s.order[0])
		s.order = s.order[1:]
	}
	if _, known := s.until[key]; known {
		return false
	}
	s.until[key] = now.Add(remembered)
	s.order = append(s.order, key)
	return true
}

// forget makes a key be new again.
func (s *seen) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.until, key)
	s.order = slices.DeleteFunc(s.order, func(k string) bool { return k == key })
}
