package text

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/easelbot/easel/moderation"
)

// disguises are ways to write a word so that a person still reads it, or can undo it. Each is tried on words that are to be found
// and on words that are not.
var disguises = map[string]func(string) string{
	"plain":               func(s string) string { return s },
	"capitals":            strings.ToUpper,
	"mixed case":          mixed,
	"digits":              strings.NewReplacer("a", "4", "e", "3", "o", "0", "i", "1", "s", "5", "t", "7").Replace,
	"signs":               strings.NewReplacer("a", "@", "s", "$", "i", "!").Replace,
	"Cyrillic":            strings.NewReplacer("a", "а", "e", "е", "o", "о", "p", "р", "c", "с", "x", "х", "i", "і", "d", "ԁ").Replace,
	"Greek":               strings.NewReplacer("a", "α", "e", "ε", "o", "ο", "p", "ρ", "n", "η", "i", "ι", "t", "τ").Replace,
	"Cherokee":            strings.NewReplacer("d", "Ꭰ", "k", "Ꮶ", "e", "Ꭼ", "r", "Ꮢ", "t", "Ꭲ").Replace,
	"small capitals":      strings.NewReplacer("a", "ᴀ", "d", "ᴅ", "e", "ᴇ", "k", "ᴋ", "n", "ɴ", "o", "ᴏ", "p", "ᴘ", "r", "ʀ").Replace,
	"full width":          shifted('ａ'),
	"bold":                shifted('𝐚'),
	"fraktur":             shifted('𝖆'),
	"circled":             shifted('ⓐ'),
	"black circles":       shifted('🅐'),
	"flags":               shifted('🇦'),
	"accents":             between("\u0301"),
	"zero width":          between("\u200b"),
	"soft hyphens":        between("\u00ad"),
	"joiners":             between("\u2060"),
	"variation selectors": between("\ufe0f"),
	"controls":            between("\x01"),
	"right to left marks": between("\u200f"),
	"Hangul fillers":      between("\u3164"),
	"spaces":              between(" "),
	"wide spaces":         between("  "),
	"thin spaces":         between("\u2009"),
	"dots":                between("."),
	"hyphens":             between("-"),
	"underscores":         between("_"),
	"slashes":             between("/"),
	"hearts":              between("♥"),
	"dots and spaces":     between(". "),
	"brackets":            func(s string) string { return "[" + s[:2] + "]" + s[2:] },
	"emoji":               func(s string) string { return s[:2] + "🍑" + s[2:] },
	"in two":              func(s string) string { return s[:2] + " " + s[2:] },
	"in two lines":        func(s string) string { return s[:2] + "\n" + s[2:] },
	"by BREAK":            func(s string) string { return s[:2] + " BREAK " + s[2:] },
	"weight":              func(s string) string { return "(" + s + ":1.4)" },
	"two weights":         func(s string) string { return "(" + s[:2] + ":1.2)(" + s[2:] + ":1.3)" },
	"midjourney weight":   func(s string) string { return s + "::2" },
	"star":                func(s string) string { return s[:1] + "*" + s[2:] },
	"emoji for a letter":  func(s string) string { return s[:1] + "🔥" + s[2:] },
	"many":                func(s string) string { return s[:2] + strings.Repeat(s[1:2], 3) + s[2:] },
	"all many":            func(s string) string { return many(s, 3) },
	"digits after":        func(s string) string { return s + "69" },
	"digits before":       func(s string) string { return "18" + s },
	"backwards":           backwards,
	"rot13":               rot13,
	"base64":              func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"hexadecimal":         func(s string) string { return hex.EncodeToString([]byte(s)) },
	"hexadecimal bytes":   coded("%02x "),
	"binary":              coded("%08b "),
	"decimal":             coded("%d "),
	"address":             coded("%%%02x"),
	"HTML":                coded("&#%d;"),
	"HTML hexadecimal":    coded("&#x%x;"),
	"program":             coded(`\u%04x`),
	"Braille":             func(s string) string { return strings.Map(func(r rune) rune { return []rune(braille)[r-'a'] }, s) },
}

func TestDisguises(t *testing.T) {
	j := newJudge(t, Words{})
	for name, disguise := range disguises {
		t.Run(name, func(t *testing.T) {
			for _, word := range []string{"naked", "porno", "erotic", "decapitated", "torture"} {
				prompt := "a photo of a " + disguise(word) + " person at noon"
				v := j.Screen(prompt, "")
				if v.Action != moderation.Block {
					t.Errorf("%q is let through", prompt)
				}
				for _, r := range v.Reasons {
					if !strings.Contains(prompt, r.Span) || r.Span == "" {
						t.Errorf("%q: the span %q is not what was written", prompt, r.Span)
					}
				}
			}
			for _, word := range []string{"castle", "pineapple", "classic", "peacock", "computer", "therapist", "grapes", "button", "assassin", "document"} {
				prompt := "a photo of a " + disguise(word) + " person at noon"
				if v := j.Screen(prompt, ""); v.Action != moderation.Allow {
					t.Errorf("%q is stopped: %v", prompt, v.Reasons)
				}
			}
		})
	}
}

func mixed(s string) string {
	b := []byte(s)
	for i := 1; i < len(b); i += 2 {
		b[i] -= 'a' - 'A'
	}
	return string(b)
}

// shifted maps a to z on an alphabet that begins elsewhere.
func shifted(first rune) func(string) string {
	return func(s string) string { return strings.Map(func(r rune) rune { return first + r - 'a' }, s) }
}

// between puts something between the letters.
func between(what string) func(string) string {
	return func(s string) string { return strings.Join(strings.Split(s, ""), what) }
}

func many(s string, n int) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(strings.Repeat(string(r), n))
	}
	return b.String()
}

func coded(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
}
