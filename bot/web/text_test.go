package web

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCleanName(t *testing.T) {
	for name, want := range map[string]string{
		"Ada":                              "Ada",
		"  Ada \t\n Lovelace ":             "Ada Lovelace",
		"Zoe\u0308":                        "Zoë",
		"a\u202eb\u2066c\u200fd":           "abcd",
		"a\u200bb\u00adc\ufeffd":           "abcd",
		"a\u0000b\x1b[31m":                 "ab[31m",
		"a\u3164b\u2800c":                  "abc",
		"\U000e0041x":                      "x",
		"<script>":                         "<script>",
		"ليلى":                             "ليلى",
		"नमस्ते":                           "नमस्ते",
		"👩\u200d🎨":                         "👩🎨",
		strings.Repeat("é", 40):            strings.Repeat("é", 40),
		"z" + strings.Repeat("\u0335", 30): "z" + strings.Repeat("\u0335", piled),
		strings.Repeat("x", 41):            "",
		"eASEL":                            "",
		strings.Repeat("x", 5000):          "",
		"":                                 "",
		" \u3000 ":                         "",
		"\u202e\u200b":                     "",
		"\u0301\u0302":                     "",
	} {
		got, err := cleanName(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%+q: %+q, %v, want %+q", name, got, err, want)
		}
	}
}

func TestCleanChat(t *testing.T) {
	for text, want := range map[string]string{
		"hello":                        "hello",
		" two\nlines\r\n ":             "two\nlines",
		"👩\u200d🎨 ❤\ufe0f":             "👩\u200d🎨 ❤\ufe0f",
		"a\u202eb\x07":                 "ab",
		"<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
		strings.Repeat("ж", maxChat):   strings.Repeat("ж", maxChat),
		strings.Repeat("ж", maxChat+1): "",
		"\n\n\u200d\n":                 "",
	} {
		got, err := cleanChat(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%+.40q: %+.40q, %v, want %+.40q", text, got, err, want)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	for _, seed := range []string{"Ada", "\u202eevil", "e\u0301\u0302", "\xff\xfe", "a b", "\u1100\u1161"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := cleanName(s)
		if err != nil {
			return
		}
		if n := utf8.RuneCountInString(name); n < 1 || n > maxName || !utf8.ValidString(name) {
			t.Errorf("%+q: %d characters", name, n)
		}
		for _, r := range name {
			if !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) {
				t.Errorf("%+q has %+q", name, r)
			}
		}
		if again, err := cleanName(name); err != nil || again != name {
			t.Errorf("%+q cleaned again is %+q, %v", name, again, err)
		}
	})
}

func FuzzCleanChat(f *testing.F) {
	for _, seed := range []string{"hello", "\u202eevil", "a\n\nb", "\xff\xfe", "👩\u200d🎨"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := cleanChat(s)
		if err != nil {
			return
		}
		if n := utf8.RuneCountInString(text); n < 1 || n > maxChat || !utf8.ValidString(text) {
			t.Errorf("%+q: %d characters", text, n)
		}
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) && r != '\n' }) {
			t.Errorf("%+q has control characters", text)
		}
		if again, err := cleanChat(text); err != nil || again != text {
			t.Errorf("%+q cleaned again is %+q, %v", text, again, err)
		}
	})
}
