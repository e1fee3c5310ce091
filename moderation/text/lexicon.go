package text

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/easelbot/easel/moderation"
)

//go:embed lexicon/*.yaml lexicon/common.txt
var files embed.FS

// A file of the lexicon names terms, which are lists of phrases (see expand), and rules over them. A term may be continued in
// several files. The rules of a file are of the category it is named after.
type file struct {
	Terms map[string]string `yaml:"terms"`
	Rules map[string]entry  `yaml:"rules"`
}

// An entry is a rule as it is written down.
type entry struct {
	If     string   `yaml:"if"`     // "a": term a; "a & b": both, near each other; "a > b": in this order; "a|b": either; "~a": in the negative prompt
	Within int      `yaml:"within"` // how many words from the first to the last; 0: anywhere
	Unless string   `yaml:"unless"` // "a|b": not where one of these terms is near
	Block  float64  `yaml:"block"`  // the score with which it blocks,
	Review float64  `yaml:"review"` // or holds
	Stops  []string `yaml:"stops"`  // prompts that show what it is for, checked by the tests
	Passes []string `yaml:"passes"` // and their harmless twins, which no rule may stop
}

// A lexicon is everything the files say, put together.
type lexicon struct {
	terms  map[string]string
	other  map[string]string // terms in other languages than English
	rules  []named
	common map[string]bool
}

type named struct {
	entry
	name     string
	category moderation.Category
}

// builtIn reads the lexicon that is part of the program, once.
var builtIn = sync.OnceValues(func() (*lexicon, error) { return readLexicon(files) })

func readLexicon(from fs.FS) (*lexicon, error) {
	names, err := fs.Glob(from, "lexicon/*.yaml")
	if err != nil {
		return nil, err
	}
	lex := &lexicon{terms: map[string]string{}, other: map[string]string{}, common: map[string]bool{}}
	for _, name := range names {
		if err := lex.read(from, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	words, err := fs.ReadFile(from, "lexicon/common.txt")
	for word := range strings.FieldsSeq(string(words)) {
		lex.common[word] = true
	}
	return lex, err
}

func (l *lexicon) read(from fs.FS, name string) error {
	content, err := fs.ReadFile(from, name)
	if err != nil {
		return err
	}
	var f file
	if err := yaml.UnmarshalWithOptions(content, &f, yaml.Strict()); err != nil {
		return err
	}
	category := strings.TrimSuffix(path.Base(name), ".yaml")
	into := l.terms
	if category == "languages" {
		into = l.other
	}
	for term, list := range f.Terms {
		into[term] += "\n" + list
	}
	for _, rule := range slices.Sorted(maps.Keys(f.Rules)) {
		l.rules = append(l.rules, named{f.Rules[rule], "lexicon/" + category + "/" + rule, moderation.Category(category)})
	}
	return nil
}
