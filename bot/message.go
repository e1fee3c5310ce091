package bot

import "time"

// A Message is what a channel shows for a job, as it is now: an adapter draws it in its platform's way.
type Message struct {
	Job    string    `json:"job"`
	Author Person    `json:"author"`
	At     time.Time `json:"at"`

	State    string    `json:"state"`             // as jobs has them: "queued", "running", … "done"
	Prompt   string    `json:"prompt"`            // plain text, as it was typed: never render it as markup
	Options  string    `json:"options,omitempty"` // what else was asked for, as it would be typed: "--negative fog --size 128x128"
	Origin   *Origin   `json:"origin,omitempty"`  // what it was made from
	Status   string    `json:"status"`            // one line: "Waiting", "4 pictures in 1.2 s", "Cancelled."
	Count    int       `json:"count"`             // pictures that there will be
	Pictures []Picture `json:"pictures,omitempty"`
	Large    bool      `json:"large,omitempty"` // one picture, to be shown large
	Buttons  []Button  `json:"buttons,omitempty"`
}

// An Origin says what a job was made from.
type Origin struct {
	Job   string `json:"job"`
	Index int    `json:"index"`
	Text  string `json:"text"` // "Variations of picture 2"
}

// A Picture is one picture of a message. Its bytes are had from the gallery by job and index.
type Picture struct {
	Job    string `json:"job"`
	Index  int    `json:"index"`
	Seed   int64  `json:"seed"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Alt    string `json:"alt"`
	Veiled bool   `json:"veiled,omitempty"` // moderation withheld it; there are no bytes
}

// A Button is something to press under a message.
type Button struct {
	Action string `json:"action"`          // as [Action.Name]
	Index  int    `json:"index"`           // the picture it is about
	Label  string `json:"label"`           // "U1"
	Help   string `json:"help"`            // "Show picture 1 large"
	Owner  bool   `json:"owner,omitempty"` // only the message's author may press it
}

// A Reply is what comes back at once, to the one who asked alone. A job's own message follows in the channel.
type Reply struct {
	Job     string   `json:"job,omitempty"`    // the job that was begun, if one was
	Notice  string   `json:"notice,omitempty"` // a sentence for them alone
	Details []Detail `json:"details,omitempty"`
	// Sealed are held pictures that a moderator asked to see: by job and index gallery.Sealed has their bytes. They are
	// for that moderator alone.
	Sealed []Picture `json:"sealed,omitempty"`
}

// A Detail is one line of how a picture was made.
type Detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
