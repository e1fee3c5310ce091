package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/ratelimit"
	"github.com/easelbot/easel/store"
)

// What a saga answers when it cannot do what was asked; each is for the member to hear in kinder words.
var (
	ErrNotFound = errors.New("there is no such job")
	ErrNotYours = errors.New("the job is somebody else's")
	ErrTooLate  = errors.New("the job is over")
	ErrBusy     = errors.New("too many jobs wait")
	ErrTooMany  = errors.New("too many jobs of one person wait")
	ErrFull     = errors.New("there is no room on the disk")
)

// A RefusedError is what moderation refuses before anything is charged or written down.
type RefusedError struct{ Verdict moderation.Verdict }

func (e *RefusedError) Error() string { return e.Verdict.Polite("prompt") }

// Planner is what an engine says of requests before it paints them.
type Planner interface {
	Models() []string                               // names, the default first
	Defaults(model string) (imagine.Request, error) // what a model proposes, "" for the default
	Check(imagine.Request) error
	Calls(imagine.Request) int // model calls for one of its pictures
}

// A Queue brings planned jobs to an engine.
type Queue interface {
	// Ready waits until the next job can begin at once.
	Ready(ctx context.Context) error
	// Begin claims a place for a request and returns how to paint it; the place is free again when that returns. It must be called.
	Begin(r imagine.Request) func(context.Context, imagine.Watcher) ([]imagine.Picture, error)
}

// Screener judges words, at once.
type Screener interface {
	Screen(prompt, negative string) moderation.Verdict
}

// Inspector judges pictures.
type Inspector interface {
	Inspect(ctx context.Context, m image.Image) (moderation.Verdict, error)
}

// Limiter charges for jobs.
type Limiter interface {
	Take(ctx context.Context, s ratelimit.Spender, credits float64) error
	Refund(ctx context.Context, job string, s ratelimit.Spender, credits float64) error
}

// Options are what a saga works with; all are needed.
type Options struct {
	Store     *store.DB
	Gallery   *gallery.Gallery
	Planner   Planner
	Queue     Queue
	Screener  Screener
	Inspector Inspector
	Limiter   Limiter
	Waiting   int // most jobs that may wait; a quarter of them may be one person's
	Log       *slog.Logger
	Now       func() time.Time
	// Room is asked before a job is taken on; its error, such as ErrFull, refuses the job.
	Room func() error
}

// A Saga takes jobs on and sees them through. Its methods may be called by many goroutines at once.
type Saga struct {
	Options
	line   *line
	outbox map[lane]chan struct{} // holds one: there may be something due
	moved  chan struct{}          // holds one: the line has moved

	mu      sync.Mutex
	running map[string]*run
}

// New returns a saga. Jobs can be submitted at once; they are worked on while [Saga.Run] runs.
func New(o Options) *Saga {
	return &Saga{
		Options: o, line: newLine(), running: map[string]*run{},
		outbox: map[lane]chan struct{}{ofJobs: make(chan struct{}, 1), ofCases: make(chan struct{}, 1)}, moved: make(chan struct{}, 1),
	}
}

// An Order asks for a job.
type Order struct {
	// Key is of the event that asks, unique on its platform and tenant, whatever is asked: again, the answer is the same job.
	Key   string
	Place Place
	Owner Person
	Kind  Kind

	Ask    Ask             // Imagine: what to paint
	Parent *gallery.Parent // the others: which picture, or for Reroll which job
}

const (
	variations        = 4    // pictures of a Vary
	variationStrength = 0.35 // of a Vary: alike, and plainly not the same
)

// Submit takes a job on: when it returns nil, the job is written down and will end in a result or in a refusal that is
// told. The errors are those of this package, *imagine.InvalidError, *ratelimit.DeniedError, gallery.ErrNotFound, and
// what the store says.
func (s *Saga) Submit(ctx context.Context, o Order) (Job, error) {
	if j, err := s.again(ctx, o); !errors.Is(err, ErrNotFound) {
		return j, err
	}
	j, entry, verdict, err := s.plan(ctx, o)
	if err != nil {
		return Job{}, err
	}
	if err := s.Room(); err != nil {
		return Job{}, err
	}
	if j.State != Delivering {
		if err := s.line.reserve(personOf(j), s.Waiting); err != nil {
			return Job{}, err
		}
		defer s.line.release(personOf(j))
	}
	if err := s.Limiter.Take(ctx, spender(j), j.Credits); err != nil {
		return Job{}, err
	}
	if err := s.write(ctx, j, entry, verdict); err != nil {
		giveBack := s.Limiter.Refund(context.WithoutCancel(ctx), j.ID, spender(j), j.Credits)
		if first, err := s.again(ctx, o); err == nil {
			return first, giveBack // the same key came twice at once
		}
		return Job{}, errors.Join(fmt.Errorf("writing the job down: %w", err), giveBack)
	}
	if j.State == Queued {
		s.line.join(j)
		poke(s.moved)
	}
	s.stir()
	return j, nil
}

// again finds the job that the same key has already made.
func (s *Saga) again(ctx context.Context, o Order) (Job, error) {
	return oneJob(ctx, s.Store.Reader(), `platform = $1 AND tenant = $2 AND key = $3`, o.Place.Platform, o.Place.Tenant, o.Key)
}

// plan resolves an order and has its words judged. For a Pick it also returns the picture's row in the gallery.
func (s *Saga) plan(ctx context.Context, o Order) (Job, *gallery.Entry, moderation.Verdict, error) {
	j := Job{
		ID: ulid.MustNew(ulid.Timestamp(s.Now()), ulid.DefaultEntropy()).String(), Key: o.Key, Place: o.Place, Owner: o.Owner, Kind: o.Kind, Parent: o.Parent,
		State: Queued, Created: s.Now(),
	}
	if o.Kind == Pick {
		j, entry, err := s.planPick(ctx, j)
		return j, entry, moderation.Verdict{}, err
	}
	var v moderation.Verdict
	var err error
	if j.Request, err = s.resolve(ctx, o); err != nil {
		return j, nil, v, err
	}
	j.Model = s.model(j.Request)
	if err := s.Planner.Check(j.Request); err != nil {
		return j, nil, v, err
	}
	if v, err = Screen(s.Screener, j.Request); err != nil {
		return j, nil, v, err
	}
	switch v.Action {
	case moderation.Block:
		s.Log.Info("prompt refused", "tenant", o.Place.Tenant, "owner", o.Owner.ID, "rules", rules(v))
		return j, nil, v, &RefusedError{v}
	case moderation.Review:
		known, err := review.Approved(ctx, s.Store, review.Scope{Platform: o.Place.Platform, Tenant: o.Place.Tenant}, j.Request.Prompt, j.Request.Negative)
		if err != nil {
			return j, nil, v, err
		}
		if known {
			break
		}
		s.Log.Info("prompt held", "job", j.ID, "tenant", o.Place.Tenant, "owner", o.Owner.ID, "rules", rules(v))
		j.State = Held
	}
	j.Credits = Credits(j.Request, s.Planner.Calls(j.Request))
	return j, nil, v, nil
}

// model returns the name of the model that paints a request, for the record.
func (s *Saga) model(r imagine.Request) string { return cmp.Or(r.Model, s.Planner.Models()[0]) }

// resolve makes an order's request.
func (s *Saga) resolve(ctx context.Context, o Order) (imagine.Request, error) {
	switch o.Kind {
	case Imagine:
		base, err := s.Planner.Defaults(o.Ask.Model)
		return Plan(base, o.Ask), err
	case Vary:
		e, err := s.Gallery.Picture(ctx, scope(o), o.Parent.Job, o.Parent.Index)
		if err == nil && e.Blob == "" {
			err = gallery.ErrNotFound // nobody has seen it
		}
		if err != nil {
			return imagine.Request{}, err
		}
		r := e.Request.Vary(o.Parent.Index, imagine.Variation{Seed: int64(rand.Uint32()), Strength: variationStrength})
		r.Count = variations
		return r, nil
	case Reroll:
		parent, err := s.Job(ctx, o.Place, o.Owner, o.Parent.Job)
		if err != nil {
			return imagine.Request{}, err
		}
		r := parent.Request
		if r.Variation.Strength > 0 {
			r.Variation.Seed = int64(rand.Uint32())
		} else {
			r.Seed = int64(rand.Uint32())
		}
		return r, nil
	default:
		return imagine.Request{}, fmt.Errorf("a job of kind %q cannot be planned", o.Kind)
	}
}

// planPick makes a job that is painted already: its one picture is another job's.
func (s *Saga) planPick(ctx context.Context, j Job) (Job, *gallery.Entry, error) {
	e, err := s.Gallery.Picture(ctx, gallery.Scope{Tenant: j.Place.Tenant, Channel: j.Place.Channel, Viewer: j.Owner.ID}, j.Parent.Job, j.Parent.Index)
	if err != nil {
		return j, nil, err
	}
	if e.Blob == "" {
		return j, nil, gallery.ErrNotFound
	}
	j.State, j.Request, j.Model, j.Took = Delivering, e.Request.One(j.Parent.Index), e.Model, e.Took
	e.Job, e.Index, e.Request, e.Parent, e.Created = j.ID, 0, j.Request, j.Parent, j.Created
	e.Channel, e.Owner, e.Visibility = j.Place.Channel, j.Owner.ID, j.Place.Visibility
	return j, &e, nil
}

// write commits a new job with its first effects.
func (s *Saga) write(ctx context.Context, j Job, entry *gallery.Entry, v moderation.Verdict) error {
	return s.Store.Write(ctx, func(tx *sql.Tx) error {
		if err := insertJob(ctx, tx, j); err != nil {
			return err
		}
		if j.State == Held {
			if err := open(ctx, tx, j, review.Prompt, v, s.Now()); err != nil {
				return err
			}
		}
		if entry == nil {
			return put(ctx, tx, s.Now(), j, j.State, row{effect: post})
		}
		if err := s.Gallery.Holds(ctx, tx, *j.Parent); err != nil {
			return err // it was deleted meanwhile
		}
		if err := s.Gallery.Put(ctx, tx, *entry); err != nil {
			return err
		}
		return put(ctx, tx, s.Now(), j, j.State, row{effect: post}, row{effect: show})
	})
}

// Job returns a job of a channel that somebody asks for. What was deleted, what is elsewhere and what is private to
// another is not found.
func (s *Saga) Job(ctx context.Context, p Place, viewer Person, id string) (Job, error) {
	return oneJob(ctx, s.Store.Reader(), `id = $1 AND platform = $2 AND tenant = $3 AND channel = $4 AND NOT deleted
		AND (visibility <> $5 OR owner = $6)`, id, p.Platform, p.Tenant, p.Channel, gallery.Private, viewer.ID)
}

// rules names what made a verdict, without the words.
func rules(v moderation.Verdict) []string {
	var names []string
	for _, r := range v.Reasons {
		names = append(names, r.Rule)
	}
	return names
}

func spender(j Job) ratelimit.Spender {
	return ratelimit.Spender{Tenant: j.Place.Platform + ":" + j.Place.Tenant, Channel: j.Place.Channel, Person: j.Owner.ID}
}

func scope(o Order) gallery.Scope {
	return gallery.Scope{Tenant: o.Place.Tenant, Channel: o.Place.Channel, Viewer: o.Owner.ID}
}
