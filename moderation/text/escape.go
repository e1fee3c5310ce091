package text

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// unescape reads the first character of s, or the one that an escape there stands for: %61 of addresses, &#97; and &#x61; of
// HTML, \u0061 and \x61 of programs. size is how many bytes it took.
func unescape(s string) (r rune, size int) {
	switch s[0] {
	case '%':
		r, size = hexEscape(s, 1, 2)
	case '\\':
		r, size = backslash(s)
	case '&':
		r, size = entity(s)
	}
	if size > 0 {
		return r, size
	}
	return utf8.DecodeRuneInString(s)
}

func backslash(s string) (rune, int) {
	switch {
	case strings.HasPrefix(s, `\u`):
		return hexEscape(s, 2, 4)
	case strings.HasPrefix(s, `\x`):
		return hexEscape(s, 2, 2)
	}
	return 0, 0
}

// hexEscape reads digits after skip bytes. Only letters count: "100%50 grey" is no escape that hides anything.
func hexEscape(s string, skip, digits int) (rune, int) {
	if len(s) < skip+digits {
		return 0, 0
	}
	n, err := strconv.ParseUint(s[skip:skip+digits], 16, 32)
	if err != nil || kindOf(rune(n)) != letter {
		return 0, 0
	}
	return rune(n), skip + digits
}

func entity(s string) (rune, int) {
	end := strings.IndexByte(s[:min(len(s), 10)], ';')
	if end < 3 || s[1] != '#' {
		return 0, 0
	}
	number, base := s[2:end], 10
	if number[0]|0x20 == 'x' {
		number, base = number[1:], 16
	}
	n, err := strconv.ParseUint(number, base, 20)
	if err != nil || !utf8.ValidRune(rune(n)) {
		return 0, 0
	}
	return rune(n), end + 1
}
