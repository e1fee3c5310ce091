package jobs

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"image/png"
	"strings"
	"sync"
	"time"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/store"
)

const maxAttempts = 5 // times that painting a job may begin, crashes included

// A run is a job while it is painted.
type run struct {
	person string
	cancel context.CancelFunc
	feed   *feed
}

// dispatch takes jobs from the line until ctx ends.
func (s *Saga) dispatch(ctx context.Context, c Courier, start func(func())) error {
	for {
		j, err := s.next(ctx)
		if err != nil {
			return err
		}
		poke(s.moved)
		working, r := s.begin(ctx, &j)
		if r == nil {
			continue
		}
		paint := s.Queue.Begin(j.Request)
		start(func() { s.perform(ctx, working, c, j, r, paint) })
	}
}

const patience = 2 * time.Second // that the line stands still before somebody is let in beside long jobs

// next waits until the queue has room, and takes the first in line. Where the jobs that are painted take long, it does not
// wait for them: the first in line of whom nothing is painted yet goes in beside them, and the engine shares its calls.
func (s *Saga) next(ctx context.Context) (Job, error) {
	for {
		if err := s.line.await(ctx); err != nil {
			return Job{}, err
		}
		waiting, stop := context.WithTimeout(ctx, patience)
		ready := s.Queue.Ready(waiting) == nil
		stop()
		var eligible func(string) bool
		if !ready {
			eligible = func(person string) bool { return !s.paints(person) }
		}
		if ctx.Err() != nil {
			return Job{}, ctx.Err()
		}
		if j, ok := s.line.pop(eligible); ok {
			return j, nil
		}
	}
}

// paints tells whether anything of somebody's is painted now.
func (s *Saga) paints(person string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.running {
		if r.person == person {
			return true
		}
	}
	return false
}

// begin writes down that a job is painted from now on. Without a run it was cancelled, or the process ends.
func (s *Saga) begin(ctx context.Context, j *Job) (context.Context, *run) {
	working, cancel := context.WithCancel(ctx)
	r := &run{person: personOf(*j), cancel: cancel, feed: newFeed(*j)}
	if !s.started(j.ID, r) {
		cancel()
		return nil, nil // it joined the line twice, and is being painted
	}
	j.Attempts, j.Model = j.Attempts+1, s.model(j.Request) // which may be another since the job was planned
	err := s.insist(working, func(tx *sql.Tx) error {
		return move(ctx, tx, j.ID, change{
			from: []State{Queued}, to: Running,
			set: `, started = $3, attempts = $4, model = $5`, args: []any{s.Now().UnixMilli(), j.Attempts, j.Model},
		})
	})
	if err == nil {
		return working, r
	}
	s.ended(j.ID, r)
	if !errors.Is(err, errMoved) && ctx.Err() == nil {
		j.Attempts--
		s.line.join(*j) // it is still queued, and comes again
	}
	return nil, nil
}

func (s *Saga) started(id string, r *run) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[id] != nil {
		return false
	}
	s.running[id] = r
	return true
}

func (s *Saga) ended(id string, r *run) {
	r.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[id] == r {
		delete(s.running, id)
	}
}

type painter func(context.Context, imagine.Watcher) ([]imagine.Picture, error)

// perform sees one job from the line to its result in the outbox. Its context ends when the job is cancelled, that of
// the process when the process does.
func (s *Saga) perform(process, ctx context.Context, c Courier, j Job, r *run, paint painter) {
	began := s.Now()
	pictures, err := s.paint(ctx, c, j, r.feed, paint)
	took := s.Now().Sub(began)
	if err == nil {
		err = s.result(ctx, j, pictures, took)
	}
	cancelled := ctx.Err() != nil
	s.ended(j.ID, r)
	switch {
	case err == nil:
		s.Log.Info("painted", "job", j.ID, "kind", j.Kind, "pictures", len(pictures), "took", took.Round(time.Millisecond))
	case errors.Is(err, errMoved): // cancelled meanwhile
	case process.Err() != nil:
		s.putBack(j) // the next process paints it
	case !cancelled:
		s.fail(process, j, err)
	}
	s.stir()
}

// paint paints, and tells of the progress until it is over.
func (s *Saga) paint(ctx context.Context, c Courier, j Job, f *feed, paint painter) ([]imagine.Picture, error) {
	var telling sync.WaitGroup
	telling.Go(func() { f.deliver(ctx, c) })
	defer telling.Wait()
	defer f.end()
	return paint(ctx, imagine.Watcher{Person: person(j), Event: f.event, PreviewEvery: max(1, j.Request.Steps/8)})
}

// person names a job's owner among those of all places.
func person(j Job) string {
	return strings.Join([]string{j.Place.Platform, j.Place.Tenant, j.Owner.ID}, "/")
}

// result judges pictures, saves them, and writes down that they are to be shown.
func (s *Saga) result(ctx context.Context, j Job, pictures []imagine.Picture, took time.Duration) error {
	err := s.insist(ctx, func(tx *sql.Tx) error {
		return move(ctx, tx, j.ID, change{from: []State{Running}, to: Inspecting})
	})
	if err != nil {
		return err
	}
	entries, files := make([]gallery.Entry, len(pictures)), make([][]byte, len(pictures))
	var worst moderation.Verdict
	blocked, held := 0, 0
	for i, p := range pictures {
		v, err := s.Inspector.Inspect(ctx, p.Image)
		if err != nil {
			return fmt.Errorf("inspecting picture %d: %w", p.Index, err)
		}
		entries[i] = entry(j, p, v, took, s.Now())
		worst = worst.Join(v)
		switch v.Action {
		case moderation.Block:
			blocked++
			continue
		case moderation.Review:
			held++
		}
		var file bytes.Buffer
		if err := png.Encode(&file, p.Image); err != nil {
			return fmt.Errorf("encoding picture %d: %w", p.Index, err)
		}
		files[i] = file.Bytes()
	}
	if blocked == len(pictures) {
		return s.refuse(ctx, j, worst)
	}
	if held > 0 {
		s.Log.Info("pictures held", "job", j.ID, "pictures", held, "rules", rules(worst))
	}
	return s.retry(ctx, "saving pictures", func() error { return s.save(ctx, j, entries, files, took, worst) })
}

// save keeps a job's pictures and writes down that they are to be shown. Repeated, it keeps all of them again: what was
// kept long ago and is in no row may have been swept away.
func (s *Saga) save(ctx context.Context, j Job, entries []gallery.Entry, files [][]byte, took time.Duration, v moderation.Verdict) error {
	held := false
	for i, file := range files {
		if file == nil {
			continue
		}
		blob, err := s.Gallery.Keep(ctx, file)
		if err != nil {
			return err
		}
		if e := &entries[i]; e.Verdict == moderation.Review.String() {
			e.Held, held = blob, true
		} else {
			e.Blob = blob
		}
	}
	return s.Store.Write(ctx, func(tx *sql.Tx) error {
		err := move(ctx, tx, j.ID, change{
			from: []State{Inspecting}, to: Delivering,
			set: `, took = $3`, args: []any{took.Milliseconds()},
		})
		if err != nil {
			return err
		}
		if err := s.Gallery.Put(ctx, tx, entries...); err != nil {
			return err
		}
		if held {
			if err := open(ctx, tx, j, review.Pictures, v, s.Now()); err != nil {
				return err
			}
		}
		return put(ctx, tx, s.Now(), j, Delivering, row{effect: show})
	})
}

func entry(j Job, p imagine.Picture, v moderation.Verdict, took time.Duration, now time.Time) gallery.Entry {
	return gallery.Entry{
		Job: j.ID, Index: p.Index,
		Tenant: j.Place.Tenant, Channel: j.Place.Channel, Owner: j.Owner.ID, Visibility: j.Place.Visibility,
		Request: j.Request, Model: j.Model, Parent: j.Parent, Took: took,
		Width: p.Image.Rect.Dx(), Height: p.Image.Rect.Dy(), Verdict: v.Action.String(), Created: now,
	}
}

// refuse ends a job whose pictures moderation withheld: its message goes, and its owner alone is told.
func (s *Saga) refuse(ctx context.Context, j Job, v moderation.Verdict) error {
	s.Log.Info("pictures refused", "job", j.ID, "verdict", v.Action.String(), "rules", rules(v))
	return s.conclude(ctx, j, Refused, v.Polite("picture")+" Your credits were given back.", fmt.Sprint(v.Reasons), remove, tell)
}

// fail paints a job again if that may help, and else gives up on it.
func (s *Saga) fail(ctx context.Context, j Job, cause error) {
	var invalid *imagine.InvalidError
	reason := "It could not be painted. Your credits were given back; try again, and tell the operator if it happens again."
	switch {
	case errors.As(cause, &invalid):
		reason = invalid.Error() + ". Your credits were given back."
	case j.Attempts < maxAttempts:
		s.Log.Warn("painting failed, it is tried again", "job", j.ID, "attempt", j.Attempts, "error", cause)
		if pauseFor(ctx, pause(j.Attempts)) != nil || !s.requeue(ctx, j) {
			return
		}
		s.line.join(j)
		poke(s.moved)
		return
	}
	s.Log.Error("painting failed", "job", j.ID, "error", cause)
	if err := s.conclude(ctx, j, Failed, reason, cause.Error(), show); err != nil && !errors.Is(err, errMoved) {
		s.Log.Error("the failure could not be written down", "job", j.ID, "error", err)
	}
}

// conclude ends a job without a result, pays it back, and puts effects that tell of it.
func (s *Saga) conclude(ctx context.Context, j Job, to State, reason, cause string, effects ...effect) error {
	return s.insist(ctx, func(tx *sql.Tx) error {
		err := move(ctx, tx, j.ID, change{
			from: []State{Queued, Running, Inspecting}, to: to,
			set: `, finished = $3, reason = $4, cause = $5`, args: []any{s.Now().UnixMilli(), reason, cause},
		})
		if err != nil {
			return err
		}
		rows := []row{{effect: refund, amount: j.Credits}}
		for _, e := range effects {
			rows = append(rows, row{effect: e})
		}
		return put(ctx, tx, s.Now(), j, to, rows...)
	})
}

func (s *Saga) requeue(ctx context.Context, j Job) bool {
	err := s.insist(ctx, func(tx *sql.Tx) error {
		return move(ctx, tx, j.ID, change{from: []State{Running, Inspecting}, to: Queued})
	})
	return err == nil // else it was cancelled, or the process ends
}

// putBack leaves a job for the next start as if it had not begun.
func (s *Saga) putBack(j Job) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.Store.Write(ctx, func(tx *sql.Tx) error {
		return move(ctx, tx, j.ID, change{
			from: []State{Running, Inspecting}, to: Queued, set: `, attempts = $3`, args: []any{j.Attempts - 1},
		})
	})
	if err != nil && !errors.Is(err, errMoved) {
		s.Log.Warn("a job that was interrupted could not be put back; the next start does so", "job", j.ID, "error", err)
	}
}

// insist runs a transaction until it succeeds, the job has moved, or it is hopeless.
func (s *Saga) insist(ctx context.Context, f func(tx *sql.Tx) error) error {
	return s.retry(ctx, "writing to the journal", func() error { return s.Store.Write(ctx, f) })
}

const hopeless = 6 // times that something failed for another reason than a full disk

// retry repeats what fails. While the disk is full it goes on for as long as that takes: what is painted is not lost.
func (s *Saga) retry(ctx context.Context, what string, f func() error) error {
	for attempt := 0; ; attempt++ {
		err := f()
		if err == nil || errors.Is(err, errMoved) || ctx.Err() != nil || attempt >= hopeless && !store.IsFull(err) {
			return err
		}
		s.Log.Error(what+" failed, it is tried again", "error", err)
		if pauseFor(ctx, min(pause(attempt), 10*time.Second)) != nil {
			return err
		}
	}
}

// share tells how much of a job has been painted, 0 to 1.
func (s *Saga) share(id string) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.running[id]; r != nil {
		return r.feed.share()
	}
	return 0
}

// stop ends a job's painting.
func (s *Saga) stop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.running[id]; r != nil {
		r.cancel()
	}
}
