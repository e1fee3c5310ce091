package jobs

import (
	"context"
	"errors"
	"image"
	"time"

	"github.com/easelbot/easel/moderation/review"
)

// A Courier brings a job to its channel. Apart from Progress each method is an effect of the outbox: it is called until
// it returns nil, so once more after a crash, and must be harmless when repeated.
type Courier interface {
	// Post posts the job's message and returns the platform's ID of it.
	Post(ctx context.Context, j Job) (message string, err error)
	// Show makes the message show what the job is now. It returns ErrGone if somebody has taken the message away.
	Show(ctx context.Context, j Job) error
	// Remove takes the message away.
	Remove(ctx context.Context, j Job) error
	// Tell tells the job's owner alone what became of it: Reason.
	Tell(ctx context.Context, j Job) error
	// PostCase posts a case where its tenant's moderators are and returns the platform's ID of it; "" where there is no such
	// place. One that was posted before (Message) stays where it is, if it is still there and that still is the place.
	PostCase(ctx context.Context, c review.Case) (message string, err error)
	// ShowCase makes a case that was posted show how it was decided.
	ShowCase(ctx context.Context, c review.Case) error
	// Progress tells how a job gets on. It is not kept and may be dropped; it must not block.
	Progress(j Job, p Progress)
}

// ErrGone tells that a message is not there any more.
var ErrGone = errors.New("the message has been removed")

// Progress is how a job gets on.
type Progress struct {
	Ahead        int                 // while it waits: how many jobs come before it
	Calls, Total int                 // while it is painted: model calls made, of how many
	Left         time.Duration       // while it is painted: about how long that will still take; 0 is unknown
	Previews     map[int]image.Image // the newest sketch of each picture, coarse, for it has not been inspected
}
