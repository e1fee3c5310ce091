package discord

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape makes a text show as it is: no markup, no link, no mention. In Discord's markdown a backslash before
// punctuation makes it plain; line breaks, which begin headings and lists, become spaces.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			b.WriteByte(' ')
		case strings.ContainsRune(markup, r):
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

const markup = "\\*_~`|<>@#:[]()/+-" // the colon and the slash make links

// escapeTo escapes as much of a text as fits into so many units of UTF-16, by which Discord may count.
func escapeTo(s string, most int) string {
	escaped := escape(s)
	if units(escaped) <= most {
		return escaped
	}
	used, end := 1, 0 // one for the ellipsis
	for i := 0; i < len(escaped); {
		_, size := utf8.DecodeRuneInString(escaped[i:])
		if escaped[i] == '\\' {
			size = 2
		}
		used += units(escaped[i : i+size])
		if used > most {
			break
		}
		i += size
		end = i
	}
	return escaped[:end] + "…"
}

// units counts a text's units of UTF-16.
func units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// shorten cuts a plain text to so many characters.
func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// person names somebody without waking them: a mention, where mentions are switched off, shows their name.
func person(id, name string) string {
	if snowflake(id) {
		return fmt.Sprintf("<@%s>", id)
	}
	return escapeTo(name, 80)
}

// snowflake tells whether a text is an ID of Discord's, so that it can stand in an address.
func snowflake(id string) bool {
	return id != "" && len(id) <= 20 && strings.Trim(id, "0123456789") == ""
}
