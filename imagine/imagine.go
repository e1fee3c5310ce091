// Package imagine holds what painting is about, free of how it is done: a [Request] for pictures, the [Picture] that
// comes of it, and the [Event] that tells how it gets on. It imports nothing of ours and no cgo, so that everything
// between a door and the engine can speak in its terms.
//
// A Request says everything that decides its pictures: with the same model, an equal Request gives equal pictures,
// whatever else the engine paints at the time. Nothing in it is left to a default; who fills one in starts from what
// the engine proposes for its model.
//
// Picture k of a request is painted from seed+k, so any one of them can be had again alone. Variations are the
// exception that keeps to the same rule in another number: with a variation strength above 0 every picture starts from
// the one seed, and picture k moves towards the noise of variation seed+k. A variation of a variation remembers the
// moves before it as its path.
//
// With an Init, pictures are made from a picture: its latents get as much noise as Strength says, and are painted on from there. With
// a Mask besides, only what the mask shows in white is painted anew.
package imagine

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of a [Request].
const (
	MaxPrompt = 2000 // characters of the prompt, and of the negative prompt
	MaxSteps  = 1000
	MaxCount  = 64
	MaxScale  = 100 // of guidance
	MaxPath   = 64  // variations of variations

	MaxClipSkip = 64 // layers, of the deepest text encoder
)

// A Request asks for pictures of one prompt.
//
// Its JSON is what the journal keeps; the names are for good.
type Request struct {
	Model    string `json:"model,omitempty"` // by name; "" is the engine's first
	Prompt   string `json:"prompt"`
	Negative string `json:"negative,omitempty"` // what to steer away from; without guidance it has no effect. "" is none, " " the empty text
	Plain    bool   `json:"plain,omitempty"`    // both are taken as diffusers does: no weights, wildcards or chunks

	Width  int `json:"width"` // pixels
	Height int `json:"height"`
	Count  int `json:"count"` // pictures, 1 to MaxCount

	Seed      int64       `json:"seed"`           // the noise uses its low 32 bits
	Path      []Variation `json:"path,omitempty"` // the moves that all pictures share, first to last; at most MaxPath
	Variation Variation   `json:"variation,omitzero"`

	Sampler  string  `json:"sampler"`             // as sampler.Names has them, such as "ddim"
	Steps    int     `json:"steps"`               // 1 to MaxSteps
	Guidance float64 `json:"guidance"`            // guidance scale, 0 to MaxScale; 1 and below is off
	Rescale  float64 `json:"rescale,omitempty"`   // guidance rescale, 0 (off) to 1: how far the guided output's spread is brought back to the prompt's
	Eta      float64 `json:"eta,omitempty"`       // fresh noise that ddim and tcd mix in, 0 to 1
	ClipSkip int     `json:"clip_skip,omitempty"` // last layers of the text encoder that are left out, as diffusers counts: 0 is none

	Init     *Source `json:"init,omitempty"`     // the picture that pictures are made from
	Strength float64 `json:"strength,omitempty"` // how much of Init is painted over, above 0 to 1; 0 without Init
	Mask     *Source `json:"mask,omitempty"`     // only with Init: what is light in it is painted anew, what is dark stays

	Refiner  string  `json:"refiner,omitempty"`   // name of a model that goes on with the latents, "" for none
	RefineAt float64 `json:"refine_at,omitempty"` // after so large a share of the schedule, above 0 and below 1; 0 without Refiner
}

// A Source is a picture that pictures are made from, of any size: it is brought to the request's. In JSON there is only its hash; whoever
// keeps the picture fills in Image again before it goes to the engine.
type Source struct {
	Hash  string      `json:"hash,omitempty"` // SHA-256 of its file, in hexadecimal digits
	Image image.Image `json:"-"`
}

// A Variation moves the first noise along the sphere towards that of another seed.
type Variation struct {
	Seed     int64   `json:"seed"`
	Strength float64 `json:"strength"` // 0 (the request's own noise) to 1 (the other's)
}

// Seeds returns the seed and the variation seed of picture k.
func (r Request) Seeds(k int) (seed, variation int64) {
	if r.Variation.Strength > 0 {
		return r.Seed, r.Variation.Seed + int64(k)
	}
	return r.Seed + int64(k), 0
}

// One returns the request for picture k alone: the same picture, byte for byte.
func (r Request) One(k int) Request {
	seed, variation := r.Seeds(k)
	r.Count, r.Seed = 1, seed
	if r.Variation.Strength > 0 {
		r.Variation.Seed = variation
	}
	return r
}

// Vary returns a request for variations of picture k, which move from its noise towards that of v, v+1 and so on.
func (r Request) Vary(k int, v Variation) Request {
	count := r.Count
	r = r.One(k)
	if r.Variation.Strength > 0 {
		r.Path = append(slices.Clone(r.Path), r.Variation)
	}
	r.Count, r.Variation = count, v
	return r
}

// An InvalidError says what is wrong with a request, in words for whoever asked.
type InvalidError struct {
	Field  string // of the Request, in lower case: "steps"
	Reason string
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

// Invalid makes an [*InvalidError].
func Invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// Validate checks what can be checked without a model. Its errors are [*InvalidError].
func (r Request) Validate() error {
	if !strings.ContainsFunc(r.Prompt, visible) {
		return Invalid("prompt", "it is empty; say what to paint, such as \"a red fox on a blue background\"")
	}
	for _, text := range []struct{ field, value string }{{"prompt", r.Prompt}, {"negative", r.Negative}} {
		if err := checkText(text.field, text.value); err != nil {
			return err
		}
	}
	switch {
	case r.Count < 1 || r.Count > MaxCount:
		return Invalid("count", "it is %d; ask for 1 to %d pictures", r.Count, MaxCount)
	case r.Steps < 1 || r.Steps > MaxSteps:
		return Invalid("steps", "it is %d; it must be 1 to %d", r.Steps, MaxSteps)
	case !upTo(r.Guidance, MaxScale):
		return Invalid("guidance", "it is %v; it must be 0 to %d", r.Guidance, MaxScale)
	case !upTo(r.Eta, 1):
		return Invalid("eta", "it is %v; it must be 0 to 1", r.Eta)
	case !upTo(r.Rescale, 1):
		return Invalid("guidance-rescale", "it is %v; it must be 0 to 1", r.Rescale)
	case r.ClipSkip < 0 || r.ClipSkip > MaxClipSkip:
		return Invalid("clip-skip", "it is %d; it must be 0 to %d", r.ClipSkip, MaxClipSkip)
	case !upTo(r.Variation.Strength, 1):
		return Invalid("variation-strength", "it is %v; it must be 0 to 1", r.Variation.Strength)
	case len(r.Path) > MaxPath:
		return Invalid("path", "it is a variation of a variation %d times over; at most %d are followed", len(r.Path), MaxPath)
	}
	for _, v := range r.Path {
		if !upTo(v.Strength, 1) {
			return Invalid("path", "a variation's strength is %v; it must be 0 to 1", v.Strength)
		}
	}
	if err := r.checkSources(); err != nil {
		return err
	}
	if err := r.checkRefiner(); err != nil {
		return err
	}
	for _, seed := range []struct {
		field string
		value int64
	}{{"seed", r.Seed}, {"variation-seed", r.Variation.Seed}} {
		if seed.value > math.MaxInt64-int64(r.Count-1) {
			return Invalid(seed.field, "it is so large that the seeds of the next pictures do not fit; take a smaller one")
		}
	}
	return nil
}

func (r Request) checkSources() error {
	switch {
	case r.Mask != nil && r.Init == nil:
		return Invalid("mask", "there is no picture for it; give that as init")
	case r.Init == nil && r.Strength != 0:
		return Invalid("strength", "it has no effect without a picture to start from; give that as init")
	case r.Init != nil && !(r.Strength > 0 && r.Strength <= 1):
		return Invalid("strength", "it is %v; it must be above 0, and 1 at most", r.Strength)
	}
	return nil
}

func (r Request) checkRefiner() error {
	switch {
	case r.Refiner == "" && r.RefineAt != 0:
		return Invalid("refine-at", "it has no effect without a refiner")
	case r.Refiner != "" && !(r.RefineAt > 0 && r.RefineAt < 1):
		return Invalid("refine-at", "it is %v; it must be above 0 and below 1", r.RefineAt)
	case r.Refiner != "" && r.Mask != nil:
		return Invalid("refiner", "it cannot go on within a mask; paint without one of them")
	}
	return nil
}

// visible tells whether a character is to be seen on its own.
func visible(c rune) bool {
	return unicode.IsGraphic(c) && !unicode.IsMark(c) && !unicode.IsSpace(c) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, c)
}

func checkText(field, text string) error {
	switch n := utf8.RuneCountInString(text); {
	case strings.ContainsRune(text, 0):
		return Invalid(field, "it holds a NUL character; take it out")
	case !utf8.ValidString(text):
		return Invalid(field, "it is not valid UTF-8 text")
	case n > MaxPrompt:
		return Invalid(field, "it has %d characters; at most %d are read, so shorten it", n, MaxPrompt)
	}
	return nil
}

func upTo(x, high float64) bool { return x >= 0 && x <= high } // false for NaN

// A Picture is what came of a request, one of Count.
type Picture struct {
	Index         int // 0 to Count-1
	Seed          int64
	VariationSeed int64 // meant only with a variation strength above 0
	Image         *image.NRGBA
}

// An Event tells how a request gets on.
type Event struct {
	Calls, Total int           // model calls made for its pictures, of how many
	Left         time.Duration // until the last call, as far as can be foreseen; 0 is unknown
	Preview      *image.NRGBA  // a sketch of picture Index as it looks so far, or nil
	Index        int           // the picture that Preview or Picture shows
	Picture      *Picture      // a finished picture, or nil
}

// A Watcher is who a request is for: whose share of the machine it takes, and how they hear of its events.
type Watcher struct {
	Person   string  // all requests of a person have one share; "" is somebody of their own
	Priority float64 // of the share: 4 is high, 1/4 low; 0 is 1
	// Event is called by one goroutine at a time. It must not block, for the engine waits, nor call the engine. Nil hears nothing.
	Event func(Event)
	// PreviewEvery is how many model calls lie between two sketches of a picture; 0 asks for none.
	PreviewEvery int
}
