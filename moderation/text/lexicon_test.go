package text

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/easelbot/easel/moderation"
)

// TestRules tries every rule's own examples: it stops the one kind, and no rule stops the other.
func TestRules(t *testing.T) {
	j := newJudge(t, Words{})
	lex, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range lex.rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, prompt := range rule.Stops {
				v := j.Screen(prompt, "")
				if !slices.ContainsFunc(v.Reasons, func(r moderation.Reason) bool { return r.Rule == rule.name }) {
					t.Errorf("%q is not stopped by the rule, but by %v", prompt, v.Reasons)
				}
			}
			for _, prompt := range rule.Passes {
				if v := j.Screen(prompt, ""); v.Action != moderation.Allow {
					t.Errorf("%q is stopped: %v", prompt, v.Reasons)
				}
			}
		})
	}
}

func TestBrokenLexicons(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"key", "terms:\n  a: b\nrulez: {}", "rulez"},
		{"bracket", "terms:\n  a: (b", "a bracket is left open"},
		{"term", "terms:\n  a: b\nrules:\n  r: {if: a & c, block: 1}", `no term "c"`},
		{"no score", "terms:\n  a: b\nrules:\n  r: {if: a}", "block or review"},
		{"two scores", "terms:\n  a: b\nrules:\n  r: {if: a, block: 1, review: 1}", "block or review"},
		{"score", "terms:\n  a: b\nrules:\n  r: {if: a, block: 2}", "up to 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newFrom(fstest.MapFS{
				"lexicon/sexual.yaml": {Data: []byte(tt.content)},
				"lexicon/common.txt":  {Data: []byte("the")},
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func newFrom(files fstest.MapFS) (*Judge, error) {
	lex, err := readLexicon(files)
	if err != nil {
		return nil, err
	}
	return compile(lex, Words{})
}

func TestExpand(t *testing.T) {
	tests := []struct {
		list string
		want []string
	}{
		{"a, b # not c\nd", []string{"a", "b", "d"}},
		{"nude(|s) pic(|s)", []string{"nude pic", "nude pics", "nudes pic", "nudes pics"}},
		{"(a|b (x|y))", []string{"a", "b x", "b y"}},
		{"torture+", []string{"torture", "tortured", "tortures", "torturing"}},
		{"lynch+ mob", []string{"lynch mob", "lynched mob", "lynches mob", "lynching mob"}},
		{" ,\n,", nil},
	}
	for _, tt := range tests {
		if got, err := expand(tt.list); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("expand(%q): got %q, %v, want %q", tt.list, got, err, tt.want)
		}
	}
}
