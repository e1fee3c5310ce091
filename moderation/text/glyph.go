package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A glyph is one character as a person sees it: what NFKC, case and accents hide is gone, invisible characters are left out,
// and escapes (%61, &#97;, \u0061) are read.
type glyph struct {
	r          rune // in lower case, without its accents
	look       rune // the Latin letter it looks like; r if it looks like none
	kind       kind
	upper      bool
	start, end int // bytes of the text it stands for
}

type kind uint8

const (
	letter kind = iota
	digit
	sign
	space
)

func (g glyph) word() bool { return g.kind <= digit }

// glyphs folds a text.
func glyphs(s string) []glyph {
	all := make([]glyph, 0, len(s)+1)
	for i := 0; i < len(s); {
		r, size := unescape(s[i:])
		all = fold(all, r, i, i+size)
		i += size
	}
	return all
}

// fold appends what one character of the text becomes: nothing for what cannot be seen, several glyphs for a ligature.
func fold(all []glyph, r rune, start, end int) []glyph {
	if r < utf8.RuneSelf {
		return foldASCII(all, r, start, end)
	}
	if r == utf8.RuneError || invisible(r) {
		return foldHidden(all, start, end)
	}
	if l := letterSymbol(r); l != 0 {
		return append(all, glyph{r: l, look: l, start: start, end: end})
	}
	var buf [64]byte
	for _, d := range string(compatible(r).AppendString(buf[:0], string(r))) {
		if unicode.Is(unicode.Inherited, d) || invisible(d) {
			continue
		}
		upper := unicode.IsUpper(d)
		d = unicode.ToLower(d)
		all = append(all, glyph{r: d, look: lookalike(d), kind: kindOf(d), upper: upper, start: start, end: end})
	}
	return all
}

func foldASCII(all []glyph, r rune, start, end int) []glyph {
	g := glyph{r: r, look: r, kind: kindOf(r), start: start, end: end}
	switch {
	case 'A' <= r && r <= 'Z':
		g.r, g.look, g.upper = r|0x20, r|0x20, true
	case r == '\t' || r == '\n' || r == '\v' || r == '\f' || r == '\r':
		g.kind = space
	case r < ' ' || r == 0x7f:
		return foldHidden(all, start, end)
	}
	return append(all, g)
}

// hidden stands for characters nobody sees. They part words for a computer and not for a reader, so both ways are tried.
const hidden = '\u200b'

func foldHidden(all []glyph, start, end int) []glyph {
	return append(all, glyph{r: hidden, look: hidden, kind: sign, start: start, end: end})
}

// compatible takes accents off the alphabets that are read without them. Elsewhere a mark is a letter of its own.
func compatible(r rune) norm.Form {
	if unicode.In(r, unicode.Hangul, unicode.Hiragana, unicode.Katakana) {
		return norm.NFKC
	}
	return norm.NFKD
}

func invisible(r rune) bool {
	switch r {
	case 0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x2800, 0x3164, 0xffa0, 0xfffc:
		return true
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Co, r)
}

func kindOf(r rune) kind {
	switch {
	case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z':
		return letter
	case '0' <= r && r <= '9':
		return digit
	case r == ' ' || r > utf8.RuneSelf && unicode.IsSpace(r):
		return space
	case r < utf8.RuneSelf:
		return sign
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return letter
	case unicode.IsDigit(r):
		return digit
	}
	return sign
}

// letterSymbol reads the letters that Unicode keeps among its pictures and NFKC leaves there; 0 for anything else.
func letterSymbol(r rune) rune {
	for _, first := range [...]rune{0x1f150, 0x1f170, 0x1f1e6} { // in black circles, in black squares, of flags
		if r >= first && r < first+26 {
			return 'a' + r - first
		}
	}
	if i := strings.IndexRune(braille, r); i >= 0 {
		return 'a' + rune(i/3)
	}
	return 0
}

// braille holds a to z, three bytes each.
const braille = "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵"

// solid reports whether words of a script stand without spaces between them, so that each character counts as a word.
func solid(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) || r == 'ー'
}
