package text

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A secret is a text hidden in another, in a code that anyone can undo.
type secret struct {
	plain      string
	start, end int // where it stands, in bytes
}

// secrets finds what is written in base64, in hexadecimal or in binary digits, and a prompt that is written backwards or in
// rot13 as a whole. What does not decode to text is none.
func (j *Judge) secrets(s string) []secret {
	var all []secret
	for _, turned := range []string{backwards(s), rot13(s)} {
		if j.language(turned) > j.language(s)+1 {
			all = append(all, secret{turned, 0, len(s)})
		}
	}
	for start := 0; start < len(s); {
		end := start
		for end < len(s) && encoded(s[end]) {
			end++
		}
		if end-start >= 4 {
			all = append(all, decode(s[start:end], start)...)
		}
		start = end + 1
	}
	return append(all, groups(s)...)
}

func encoded(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_=", c) >= 0
}

func decode(word string, at int) []secret {
	var all []secret
	here := func(plain []byte, err error) {
		if err == nil && len(plain) >= 3 && legible(plain) {
			all = append(all, secret{string(plain), at, at + len(word)})
		}
	}
	bare := strings.TrimRight(word, "=")
	here(base64.RawStdEncoding.DecodeString(bare))
	if strings.ContainsAny(bare, "-_") {
		here(base64.RawURLEncoding.DecodeString(bare))
	}
	here(hex.DecodeString(strings.TrimPrefix(word, "0x")))
	return all
}

// groups reads bytes that are written one by one: "6e 61 6b", "01101110 01100001", "110 97 107".
func groups(s string) []secret {
	var all []secret
	for _, form := range []struct{ base, digits, least int }{{2, 8, 8}, {16, 2, 2}, {10, 3, 2}} {
		var plain []byte
		from, to := 0, 0
		end := func() {
			if len(plain) >= 3 && legible(plain) {
				all = append(all, secret{string(plain), from, to})
			}
			plain = nil
		}
		for start, word := range fields(s) {
			n, err := strconv.ParseUint(word, form.base, 8)
			if err != nil || len(word) < form.least || len(word) > form.digits {
				end()
				continue
			}
			if plain == nil {
				from = start
			}
			plain, to = append(plain, byte(n)), start+len(word)
		}
		end()
	}
	return all
}

// fields yields the words between spaces, commas and hyphens, with where they begin.
func fields(s string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for start := 0; start < len(s); {
			end := start
			for end < len(s) && strings.IndexByte(" ,-\n\t", s[end]) < 0 {
				end++
			}
			if end > start && !yield(start, s[start:end]) {
				return
			}
			start = end + 1
		}
	}
}

// legible reports whether bytes are words: letters with what stands between words.
func legible(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, r := range string(b) {
		if !unicode.IsLetter(r) && !strings.ContainsRune(" ,.'!?-0123456789\n", r) {
			return false
		}
	}
	return true
}

// language counts the everyday English words of a text.
func (j *Judge) language(s string) (n int) {
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(word) > 1 && len(word) <= 12 && (j.common[word] || j.common[strings.ToLower(word)]) {
			n++
		}
	}
	return n
}

func backwards(s string) string {
	runes := []rune(s)
	slices.Reverse(runes)
	return string(runes)
}

func rot13(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return 'a' + (r-'a'+13)%26
		case 'A' <= r && r <= 'Z':
			return 'A' + (r-'A'+13)%26
		}
		return r
	}, s)
}

// turned reads single words that are written backwards or in rot13. Only long enough words that a rule stops alone count,
// since short ones are other words as well ("star").
func (j *Judge) turned(p *passage) [][]reading {
	all := make([][]reading, len(p.pieces))
	for i, piece := range p.pieces {
		n := piece.last - piece.first
		if n < 4 || n > 24 {
			continue
		}
		var word, back [24]byte
		plain := true
		for k, g := range p.glyphs[piece.first:piece.last] {
			plain = plain && 'a' <= g.look && g.look <= 'z'
			word[k], back[n-1-k] = byte(g.look), byte(g.look)
		}
		if !plain || j.common[string(word[:n])] {
			continue
		}
		for k, c := range word[:n] {
			word[k] = 'a' + (c-'a'+13)%26
		}
		for _, other := range [][]byte{word[:n], back[:n]} {
			if id := j.known.byName[string(other)]; j.known.info[id].alone {
				all[i] = append(all[i], reading{to: i + 1, word: id, disguise: true})
			}
		}
	}
	return all
}
