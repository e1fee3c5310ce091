package slack

import (
	"strings"
	"unicode/utf16"
)

var (
	escaper   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	unescaper = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
)

// escape makes Slack take a text as it is, wherever it reads markup: no mention and no link is made of it.
func escape(s string) string { return escaper.Replace(s) }

// unescape is what somebody typed, from how Slack delivers it.
func unescape(s string) string { return unescaper.Replace(s) }

// parts cuts a text into parts of at most so many characters, counted as cut does. Nothing is lost.
func parts(s string, limit int) []string {
	var list []string
	n, begin := 0, 0
	for i, r := range s {
		size := max(utf16.RuneLen(r), 1)
		if n += size; n > limit {
			list = append(list, s[begin:i])
			begin, n = i, size
		}
	}
	return append(list, s[begin:])
}

// cut shortens a text to so many characters. They are counted as UTF-16 does, which is never less than other ways.
func cut(s string, limit int) string {
	n := 0
	last := 0 // where a text with an ellipsis still fits
	for i, r := range s {
		if n <= limit-1 {
			last = i
		}
		n += max(utf16.RuneLen(r), 1)
		if n > limit {
			return strings.TrimSpace(s[:last]) + "…"
		}
	}
	return s
}
