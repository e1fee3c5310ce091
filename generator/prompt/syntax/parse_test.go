package syntax_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/easelbot/easel/generator/prompt/syntax"
)

// TestParse has what the rules of the AUTOMATIC1111 web UI give, worked out by hand.
func TestParse(t *testing.T) {
	type piece struct {
		text   string
		weight float64
	}
	const breaks = 0 // the weight that stands for a break here
	for text, want := range map[string][]piece{
		"":                       {{"", 1}},
		"normal text":            {{"normal text", 1}},
		"an (important) word":    {{"an ", 1}, {"important", 1.1}, {" word", 1}},
		"(unbalanced":            {{"unbalanced", 1.1}},
		"[unbalanced":            {{"unbalanced", 1 / 1.1}},
		"a (b":                   {{"a ", 1}, {"b", 1.1}},
		"closed) late]":          {{"closed) late]", 1}},
		`\(literal\]`:            {{"(literal]", 1}},
		"(unnecessary)(parens)":  {{"unnecessaryparens", 1.1}},
		"((a))":                  {{"a", 1.1 * 1.1}},
		"(((a)))":                {{"a", 1.1 * 1.1 * 1.1}},
		"[[a]]":                  {{"a", 1 / 1.21}},
		"([a])":                  {{"a", 1}},
		"(a:1.3)":                {{"a", 1.3}},
		"(a:.5)":                 {{"a", .5}},
		"(a:2)":                  {{"a", 2}},
		"(a:-1.5)":               {{"a", -1.5}},
		"(a:+1.5)":               {{"a", 1.5}},
		"(a: 1.5 )":              {{"a", 1.5}},
		"(a:\u00a01.5\n)":        {{"a", 1.5}},
		"(a:0)":                  {{"a", 0}},
		"((a:1.5) b:2)":          {{"a", 3}, {" b", 2}},
		"(a:1.3":                 {{"a:1.3", 1.1}},
		"a:1.3)":                 {{"a:1.3)", 1}},
		"[a:1.3]":                {{"a:1.3", 1 / 1.1}},
		"(a:b)":                  {{"a:b", 1.1}},
		"(a::1.3)":               {{"a:", 1.3}},
		"at 10:30":               {{"at 10:30", 1}},
		"(at 10:30)":             {{"at 10", 30}},
		"(a [b) c]":              {{"a ", 1.1}, {"b", 1}, {" c", 1 / 1.1}},
		"a()b":                   {{"ab", 1}},
		"()":                     {{"", 1}},
		`a\b`:                    {{"ab", 1}},
		`a\\b`:                   {{`a\b`, 1}},
		`(a\))`:                  {{"a)", 1.1}},
		`\{a\|b\}`:               {{"{a|b}", 1}},
		`trailing\`:              {{"trailing", 1}},
		"red BREAK blue":         {{"red", 1}, {"", breaks}, {"blue", 1}},
		"redBREAK _BREAK éBREAK": {{"redBREAK _BREAK éBREAK", 1}},
		"break":                  {{"break", 1}},
		"BREAK":                  {{"", 1}, {"", breaks}, {"", 1}},
		"a BREAK BREAK b":        {{"a", 1}, {"", breaks}, {"", 1}, {"", breaks}, {"b", 1}},
		"(a BREAK b:2)":          {{"a", 2}, {"", breaks}, {"b", 2}},
		"a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).": {
			{"a ", 1},
			{"house", 1.573},
			{" ", 1.1},
			{"on", 1},
			{" a ", 1.1},
			{"hill", .55},
			{", sun, ", 1.1},
			{"sky", 1.4641},
			{".", 1.1},
		},
	} {
		got, err := syntax.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		same := len(got) == len(want)
		for i := 0; same && i < len(got); i++ {
			weighed := math.Abs(got[i].Weight-want[i].weight) < 1e-9
			same = got[i].Text == want[i].text && (weighed || got[i].Break) && got[i].Break == (want[i].weight == breaks && text != "(a:0)")
		}
		if !same {
			t.Errorf("%q gives %+v, want %+v", text, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		text      string
		character int
		reason    string
	}{
		{"(füx:1.2.3)", 6, `"1.2.3" is not a number`},
		{"a (b:.)", 6, `"." is not a number`},
		{"(a:101)", 4, "too large a weight"},
		{"(a:-101)", 4, "too large a weight"},
		{"(a:" + strings.Repeat("9", 400) + ")", 4, "too large a weight"},
		{"so ((a:50):50)", 4, "multiply to a weight of 2500"},
	} {
		_, err := syntax.Parse(c.text)
		var e *syntax.Error
		if !errors.As(err, &e) || e.Character != c.character || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%.20q: error %v, want %q at character %d", c.text, err, c.reason, c.character)
		}
	}
}

// escape makes text that stands for itself.
var escape = strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`, "[", `\[`, "]", `\]`, "{", `\{`, "}", `\}`, "|", `\|`, "BREAK", `B\REAK`).Replace

// TestEscaping checks that any text can be written so that it is read as itself.
func TestEscaping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-z :.]|[0-9]|[\\(){}\[\]|]|BREAK){0,20}`)).Draw(t, "text")
		resolved, err := syntax.Resolve(escape(text), 1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := syntax.Parse(resolved)
		if err != nil || len(got) != 1 || got[0].Text != text || got[0].Weight != 1 {
			t.Fatalf("%q, escaped as %q, is read as %+v, %v", text, resolved, got, err)
		}
	})
}

// FuzzParse checks that pieces tile the text, hold nothing that is not in it, and have weights that can be used.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "a (b:1.3) [c]", `\(a\)`, "a BREAK b", "((((", "(a:1.2.3)", ":1)", "\xff(é:2)", "{a|b}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pieces, err := syntax.Parse(text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		end := 0
		for _, p := range pieces {
			if p.Start != end || p.End < p.Start || p.End > len(text) {
				t.Fatalf("%q: piece %+v starts not at %d", text, p, end)
			}
			end = p.End
			if p.Break && p.Text != "" || !within(p.Text, text[p.Start:p.End]) || !(math.Abs(p.Weight) <= syntax.MaxWeight) {
				t.Fatalf("%q: piece %+v", text, p)
			}
		}
		if end != len(text) {
			t.Fatalf("%q: the pieces end at %d", text, end)
		}
	})
}

func checkError(t *testing.T, text string, err error) {
	t.Helper()
	var e *syntax.Error
	if !errors.As(err, &e) || e.Offset < 0 || e.Offset >= len(text) || e.Character != utf8.RuneCountInString(text[:e.Offset])+1 {
		t.Fatalf("%q: error %v", text, err)
	}
}

// within reports whether the bytes of part are in whole, in their order.
func within(part, whole string) bool {
	for i := range len(part) {
		j := strings.IndexByte(whole, part[i])
		if j < 0 {
			return false
		}
		whole = whole[j+1:]
	}
	return true
}
