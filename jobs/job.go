package jobs

import (
	"time"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/imagine"
)

// A State is how far a job is.
type State string

// The states. A job begins queued, or held before that, and ends in one of the last four.
const (
	Held       State = "held"       // its prompt waits for a moderator
	Queued     State = "queued"     // waits for its turn
	Running    State = "running"    // is painted
	Inspecting State = "inspecting" // its pictures are judged and saved
	Delivering State = "delivering" // its result is recorded and on its way to the channel
	Done       State = "done"
	Refused    State = "refused" // by moderation
	Failed     State = "failed"
	Cancelled  State = "cancelled"
)

// Over tells whether nothing more will happen to the job.
func (s State) Over() bool { return s == Done || s == Refused || s == Failed || s == Cancelled }

// A Kind is what a job does.
type Kind string

// The kinds.
const (
	Imagine Kind = "imagine" // paints what was asked for
	Vary    Kind = "vary"    // paints variations of a picture
	Reroll  Kind = "reroll"  // paints a job again, from other seeds
	Pick    Kind = "pick"    // shows one picture of a job on its own; nothing is painted
)

// A Place is where a job was asked for and its pictures go.
type Place struct {
	Platform   string `json:"platform"` // the adapter that delivers: "web"
	Tenant     string `json:"tenant"`   // the server or workspace
	Channel    string `json:"channel"`
	Visibility gallery.Visibility
}

// A Person is somebody on a platform.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// A Job is one row of the journal.
type Job struct {
	ID    string // ULID
	Key   string // what the asker calls it; the same key again is the same job
	Place Place
	Owner Person

	Kind    Kind
	Parent  *gallery.Parent // the picture or the job it came from; a reroll's index is 0
	Request imagine.Request // resolved: nothing is left to chance or default
	Model   string
	Credits float64

	State    State
	Reason   string // why it was refused, failed or cancelled, for the member
	Cause    string // the same for the operator
	Attempts int    // how often painting began
	Message  string // the platform's ID of the job's message, once posted

	Created, Started, Finished time.Time     // zero: not yet
	Took                       time.Duration // of painting, without waiting
	Deleted                    bool
}
