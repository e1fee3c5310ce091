// Package syntax reads what people may write in a prompt besides words: weights, breaks and wildcards. It knows nothing of
// models and links no C.
//
// # Weights
//
// [Parse] reads the notation of the AUTOMATIC1111 web UI. Parts of a prompt have a weight, which is 1 unless brackets
// change it:
//
//	(word)      multiplies it by 1.1
//	[word]      divides it by 1.1
//	(word:1.3)  multiplies it by 1.3; the number may have a sign and a fraction
//
// Brackets nest, and what they say multiplies. One that is never closed counts to the end of the prompt; one that closes
// nothing is a character like any other, and so is a colon with a number that closes no round bracket. BREAK, as a word of its own
// in capitals, ends a chunk (see the tokenizer), inside brackets too. A backslash takes the meaning from a bracket, a brace or a
// bar behind it, and of \\ one remains; before anything else it is dropped.
//
// # Wildcards
//
// [Resolve] replaces {red|blue} by one of its options, each as likely as the others. Options may be empty, may hold weights,
// and may hold wildcards. A backslash before a brace or a bar makes it a character. A closing brace that closes nothing is one
// too. What it returns is still in the notation of [Parse], escapes and all, so that resolving it again changes nothing.
package syntax

import (
	"fmt"
	"unicode/utf8"
)

// A Piece is a part of a prompt with one weight. The pieces of a prompt tile it: each starts where the last one ends.
type Piece struct {
	Text       string  // to be tokenised, free of notation
	Weight     float64 // -100 to 100
	Break      bool    // the piece is a BREAK; it has no text
	Start, End int     // bytes of the prompt that it comes from, with their brackets
}

// MaxWeight bounds a piece's weight, to both sides of 0.
const MaxWeight = 100

// An Error is a prompt that cannot be read.
type Error struct {
	Offset    int    // where it goes wrong, in bytes
	Character int    // the same, in characters, the first being 1
	Reason    string // and what to do about it
}

func (e *Error) Error() string { return fmt.Sprintf("at character %d: %s", e.Character, e.Reason) }

// wrong makes an Error about text at an offset.
func wrong(text string, offset int, format string, args ...any) error {
	return &Error{offset, utf8.RuneCountInString(text[:offset]) + 1, fmt.Sprintf(format, args...)}
}
