package pull

import "time"

// A Kind says what an [Event] tells of.
type Kind int

// What goes on.
const (
	Fetching Kind = iota // bytes came
	Checking             // bytes that are here already are read and compared with their hash
	Waiting              // an attempt failed, and another will follow
)

// An Event tells how a pull gets on.
type Event struct {
	Kind  Kind
	File  string        // the path of what is fetched or checked
	Done  int64         // bytes of the model that are here, of Total
	Total int64         // bytes of the model
	Wait  time.Duration // Waiting: until the next attempt
	Cause error         // Waiting: what failed
}
