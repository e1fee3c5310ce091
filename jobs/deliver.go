package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/easelbot/easel/moderation/review"
)

// Run recovers what the last process left behind, and then works until ctx ends: paints jobs and runs effects. It returns
// nil once everything it started has stopped; what is unfinished then is in the journal.
func (s *Saga) Run(ctx context.Context, c Courier) error {
	if err := s.recover(ctx); err != nil {
		return fmt.Errorf("recovering jobs: %w", err)
	}
	var painting sync.WaitGroup
	group, working := errgroup.WithContext(ctx)
	group.Go(func() error { return s.dispatch(working, c, painting.Go) })
	group.Go(func() error { return s.deliver(working, c, ofJobs) })
	group.Go(func() error { return s.deliver(working, c, ofCases) })
	group.Go(func() error { return s.tellPlaces(working, c) })
	err := group.Wait()
	painting.Wait()
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was told to end
	}
	return err
}

// recover puts jobs that a crash interrupted back in line; one that was interrupted too often may be what crashes us.
func (s *Saga) recover(ctx context.Context) error {
	left, err := findJobs(ctx, s.Store.Reader(), unfinished)
	if err != nil {
		return err
	}
	for _, j := range left {
		switch {
		case j.State == Delivering || j.State == Held: // the outbox has it, or a moderator
			continue
		case j.State != Queued && j.Attempts >= maxAttempts:
			const reason = "It was interrupted too often. Your credits were given back."
			err = s.conclude(ctx, j, Failed, reason, "interrupted while it was painted", show)
		case j.State != Queued:
			if !s.requeue(ctx, j) {
				continue
			}
			fallthrough
		default:
			s.line.join(j)
		}
		if err != nil {
			return err
		}
	}
	if err := s.recoverCases(ctx); err != nil {
		return err
	}
	if len(left) > 0 {
		s.Log.Info("unfinished jobs are taken up again", "jobs", len(left))
	}
	return nil
}

func (s *Saga) recoverCases(ctx context.Context) error {
	waiting, err := review.Waiting(ctx, s.Store, review.Scope{})
	if err != nil || len(waiting) == 0 {
		return err
	}
	return s.Store.Write(ctx, func(tx *sql.Tx) error { return repostCases(ctx, tx, s.Now(), waiting) })
}

// A lane of the outbox is a kind of effects, of which so many run at once. A review channel that is slow or away holds up
// cases, and no job.
type lane struct {
	where    string // condition on the outbox
	couriers int
}

var (
	ofJobs  = lane{`about = ''`, 16}
	ofCases = lane{`about <> ''`, 4}
)

const (
	lookAgain  = time.Second // between looks at the outbox that nobody asked for
	perEffect  = time.Minute // an effect that takes longer is tried again
	maxRepeats = 1000        // of an effect, which is three days of trying
)

// deliver runs a lane of the outbox until ctx ends.
func (s *Saga) deliver(ctx context.Context, c Courier, l lane) error {
	var group errgroup.Group
	group.SetLimit(l.couriers)
	defer group.Wait() //nolint:errcheck // its functions return nil
	var hands hands
	for {
		hands.forget()
		due, err := dueRows(ctx, s.Store.Reader(), l, s.Now(), 16*l.couriers)
		if err != nil && ctx.Err() == nil {
			s.Log.Error("reading the outbox failed, it is tried again", "error", err)
		}
		for _, r := range due {
			if !hands.take(r.id) {
				continue
			}
			group.Go(func() error {
				s.effect(ctx, c, r)
				hands.drop(r.id)
				poke(s.outbox[l])
				return nil
			})
		}
		if err := s.awaitOutbox(ctx, l, len(due) > 0); err != nil {
			return err
		}
	}
}

// hands are the rows of the outbox that are being run. A row that was dropped stays known until the outbox is read again,
// since what was read before may still hold it.
type hands struct {
	mu   sync.Mutex
	rows map[int64]bool // false: dropped
}

func (h *hands) take(id int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.rows[id]; known {
		return false
	}
	if h.rows == nil {
		h.rows = map[int64]bool{}
	}
	h.rows[id] = true
	return true
}

func (h *hands) drop(id int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rows[id] = false
}

// forget forgets the rows that were dropped.
func (h *hands) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.rows, func(_ int64, running bool) bool { return !running })
}

// stir makes the outbox be looked at.
func (s *Saga) stir() {
	for _, news := range s.outbox {
		poke(news)
	}
}

// awaitOutbox waits until there may be something to do. While effects run, their end is what to wait for.
func (s *Saga) awaitOutbox(ctx context.Context, l lane, running bool) error {
	wait := lookAgain
	if due, ok, err := nextDue(ctx, s.Store.Reader(), l); err == nil && ok && !running {
		wait = min(wait, max(due.Sub(s.Now()), 10*time.Millisecond))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-s.outbox[l]:
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// effect runs one effect and writes down that it is done, or when to try again.
func (s *Saga) effect(ctx context.Context, c Courier, r row) {
	j, err := oneJob(ctx, s.Store.Reader(), `id = $1`, r.job)
	var message string
	if err == nil {
		trying, cancel := context.WithTimeout(ctx, perEffect)
		message, err = s.try(trying, c, j, r)
		cancel()
	}
	if ctx.Err() != nil && err != nil {
		return // it is run again after the next start
	}
	if errors.Is(err, ErrGone) {
		s.Log.Info("a job's message has been removed", "job", r.job)
	} else if err != nil && r.attempts < maxRepeats {
		s.Log.Warn("an effect failed, it is tried again", "effect", r.effect, "job", r.job, "attempt", r.attempts+1, "error", err)
	} else if err != nil {
		s.Log.Error("an effect failed for good", "effect", r.effect, "job", r.job, "error", err)
	}
	if err := s.outcome(ctx, r, message, err); err != nil {
		s.Log.Error("the outcome of an effect could not be written down, it is run again", "effect", r.effect, "job", r.job, "error", err)
		_ = pauseFor(ctx, time.Second) // the row is still due
	}
}

// outcome writes down what became of an effect, also when the process is about to end: what was done is not done again.
func (s *Saga) outcome(ctx context.Context, r row, message string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.Store.Write(ctx, func(tx *sql.Tx) error {
		if errors.Is(cause, ErrGone) {
			return s.unwanted(ctx, tx, r)
		}
		if cause != nil && r.attempts < maxRepeats {
			return postponeRow(ctx, tx, r, s.Now().Add(pause(r.attempts)), cause)
		}
		return s.ran(ctx, tx, r, message)
	})
}

const removed = "Your message was removed before the pictures were in it, so they were not posted. Your credits were given back."

// unwanted ends a job whose message was taken away before its result was in it, as if its owner had cancelled it. Later, that
// is a message less and no more.
func (s *Saga) unwanted(ctx context.Context, tx *sql.Tx, r row) error {
	if err := finishRow(ctx, tx, r, s.Now()); err != nil {
		return err
	}
	err := move(ctx, tx, r.job, change{
		from: []State{Delivering}, to: Cancelled,
		set: `, finished = $3, reason = $4`, args: []any{s.Now().UnixMilli(), removed},
	})
	if errors.Is(err, errMoved) {
		return nil
	}
	if err != nil {
		return err
	}
	j, err := oneJob(ctx, tx, `id = $1`, r.job)
	if err != nil {
		return err
	}
	if err := s.Gallery.Delete(ctx, tx, j.ID); err != nil {
		return err
	}
	if err := s.withdraw(ctx, tx, j); err != nil {
		return err
	}
	return put(ctx, tx, s.Now(), j, Cancelled, row{effect: refund, amount: j.Credits}, row{effect: tell})
}

func (s *Saga) try(ctx context.Context, c Courier, j Job, r row) (message string, err error) {
	switch r.effect {
	case post: // of a deleted job, too, so that its removal knows what to remove
		return c.Post(ctx, j)
	case show:
		if j.Deleted {
			return "", nil
		}
		return "", c.Show(ctx, j)
	case tell:
		return "", c.Tell(ctx, j)
	case remove:
		return "", c.Remove(ctx, j)
	case resume:
		if j.State == Queued {
			s.line.join(j)
			poke(s.moved)
		}
		return "", nil
	case postCase, showCase:
		return s.tryCase(ctx, c, r)
	case refund:
		return "", s.Limiter.Refund(ctx, j.ID, spender(j), r.amount)
	default:
		return "", fmt.Errorf("the outbox holds an unknown effect %q", r.effect)
	}
}

func (s *Saga) tryCase(ctx context.Context, c Courier, r row) (message string, err error) {
	held, err := review.Get(ctx, s.Store, review.Scope{}, r.about)
	decided := held.Decision != review.Undecided
	switch {
	case err != nil:
		return "", err
	case r.effect == postCase && !decided:
		return c.PostCase(ctx, held)
	case r.effect == postCase || held.Message == "":
		return held.Message, nil
	default:
		return "", c.ShowCase(ctx, held)
	}
}

// ran writes down that an effect is done, and what follows from it.
func (s *Saga) ran(ctx context.Context, tx *sql.Tx, r row, message string) error {
	if err := finishRow(ctx, tx, r, s.Now()); err != nil {
		return err
	}
	switch r.effect {
	case post:
		_, err := tx.ExecContext(ctx, `UPDATE jobs SET message = $1 WHERE id = $2`, message, r.job)
		return err
	case postCase:
		return review.Posted(ctx, tx, r.about, message)
	case show:
		_, err := tx.ExecContext(ctx, `UPDATE jobs SET state = 'done', finished = $1 WHERE id = $2 AND state = 'delivering'`,
			s.Now().UnixMilli(), r.job)
		return err
	default:
		return nil
	}
}

// tellPlaces tells those who wait how many are before them, whenever that changes.
func (s *Saga) tellPlaces(ctx context.Context, c Courier) error {
	told := map[string]int{}
	for {
		select {
		case <-s.moved:
		case <-ctx.Done():
			return ctx.Err()
		}
		now := map[string]int{}
		for ahead, j := range s.line.order() {
			now[j.ID] = ahead
			if before, ok := told[j.ID]; !ok || before != ahead {
				c.Progress(j, Progress{Ahead: ahead})
			}
		}
		told = now
		if err := pauseFor(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}
