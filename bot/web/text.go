package web

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/easelbot/easel/bot"
)

// Bounds, in characters.
const (
	maxName = 40
	maxChat = 2000
	maxKey  = 64
)

// piled is how many combining marks one letter may carry. The scripts that use most need four; with more, lines run
// into each other.
const piled = 4

// cleanName returns a name that is one line of visible characters, with single spaces, in Normalization Form C.
func cleanName(s string) (string, error) {
	s = strings.Join(strings.Fields(cleanMarks(strings.Map(visible, s))), " ")
	if n := utf8.RuneCountInString(s); n < 1 || n > maxName || !strings.ContainsFunc(s, standing) {
		return "", &bot.Error{
			Code: "option", Option: "name",
			Text: "A name has 1 to 40 visible characters. Please choose another.",
		}
	}
	if strings.EqualFold(s, "easel") {
		return "", &bot.Error{Code: "option", Option: "name", Text: "Easel is the name of the bot. Please choose another."}
	}
	return s, nil
}

// cleanChat returns a message's text without what would only disturb its display. Lines stay.
func cleanChat(s string) (string, error) {
	s = strings.TrimSpace(cleanMarks(strings.Map(printable, s)))
	if n := utf8.RuneCountInString(s); n > maxChat {
		return "", &bot.Error{Code: "option", Option: "text", Text: "A message has at most 2000 characters. Please shorten it."}
	}
	if !strings.ContainsFunc(s, standing) {
		return "", &bot.Error{Code: "option", Option: "text", Text: "There is nothing to see in this message."}
	}
	return s, nil
}

// visible maps spaces to the one space and drops what has no shape of its own.
func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case !unicode.IsPrint(r), ignorable(r), unicode.Is(unicode.Co, r):
		return -1
	}
	return r
}

// printable is more lenient than visible: it keeps lines, and the joiners that emoji and some scripts are written with.
func printable(r rune) rune {
	switch r {
	case '\n', '\u200c', '\u200d', '\ufe0e', '\ufe0f':
		return r
	}
	return visible(r)
}

// ignorable tells whether a character is shown as nothing, as Unicode's Default_Ignorable_Code_Point has it, or as a
// blank that is no space. Format characters, among them those that turn the direction of writing, are not printable.
func ignorable(r rune) bool {
	return unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) || r == '\u2800'
}

// standing tells whether a character is to be seen without one before it.
func standing(r rune) bool {
	return unicode.IsPrint(r) && !unicode.IsMark(r) && r != ' ' && !ignorable(r)
}

// cleanMarks composes letters with their marks and drops the marks that are too many.
func cleanMarks(s string) string {
	marks := 0
	return strings.Map(func(r rune) rune {
		if !unicode.IsMark(r) {
			marks = 0
			return r
		}
		if marks++; marks > piled {
			return -1
		}
		return r
	}, norm.NFC.String(s))
}
