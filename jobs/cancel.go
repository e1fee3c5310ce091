package jobs

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Cancel ends a job of its owner's that is not painted yet. What was not painted is paid back. ErrTooLate when all is.
func (s *Saga) Cancel(ctx context.Context, p Place, who Person, id string) error {
	j, err := s.own(ctx, p, who, id)
	if err != nil {
		return err
	}
	if s.share(j.ID) == 1 {
		return ErrTooLate
	}
	return s.cancel(ctx, j, func(tx *sql.Tx) error {
		after := row{effect: show}
		if j.State == Held { // what nobody has approved does not stay
			after.effect = remove
		}
		return put(ctx, tx, s.Now(), j, Cancelled, after)
	})
}

// Delete takes a job's message and pictures away, and cancels it if it is not over. Only its owner may.
func (s *Saga) Delete(ctx context.Context, p Place, who Person, id string) error {
	j, err := s.own(ctx, p, who, id)
	if err != nil {
		return err
	}
	erase := func(tx *sql.Tx) error {
		if err := changedOne(tx.ExecContext(ctx, `UPDATE jobs SET deleted = 1 WHERE id = $1 AND NOT deleted`, id)); err != nil {
			return err
		}
		if err := s.Gallery.Delete(ctx, tx, id); err != nil {
			return err
		}
		if err := s.withdraw(ctx, tx, j); err != nil {
			return err
		}
		return put(ctx, tx, s.Now(), j, j.State, row{effect: remove})
	}
	err = s.cancel(ctx, j, erase)
	if errors.Is(err, ErrTooLate) {
		err = s.Store.Write(ctx, erase)
		s.stir()
	}
	if errors.Is(err, errMoved) {
		return ErrNotFound // somebody was quicker
	}
	return err
}

// own returns a job if it is who's.
func (s *Saga) own(ctx context.Context, p Place, who Person, id string) (Job, error) {
	j, err := s.Job(ctx, p, who, id)
	if err == nil && j.Owner.ID != who.ID {
		err = ErrNotYours
	}
	return j, err
}

// cancel ends a job without a result, in one transaction with what else follows.
func (s *Saga) cancel(ctx context.Context, j Job, also func(tx *sql.Tx) error) error {
	back := j.Credits * (1 - s.share(j.ID))
	err := s.Store.Write(ctx, func(tx *sql.Tx) error {
		err := move(ctx, tx, j.ID, change{
			from: []State{Held, Queued, Running, Inspecting}, to: Cancelled,
			set: `, finished = $3, reason = $4`, args: []any{s.Now().UnixMilli(), "Cancelled."},
		})
		if errors.Is(err, errMoved) {
			return ErrTooLate
		}
		if err != nil {
			return err
		}
		if err := s.withdraw(ctx, tx, j); err != nil {
			return err
		}
		if err := put(ctx, tx, s.Now(), j, Cancelled, row{effect: refund, amount: back}); err != nil {
			return err
		}
		return also(tx)
	})
	if err != nil {
		return err
	}
	s.line.leave(j.ID)
	s.stop(j.ID)
	poke(s.moved)
	s.stir()
	return nil
}

// pauseFor waits, or returns the context's error.
func pauseFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
