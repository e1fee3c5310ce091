package bot

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/easelbot/easel/jobs"
)

// A Hint describes a command or an option, for those who type.
type Hint struct {
	Name string `json:"name"`
	Hint string `json:"hint"` // what may follow it: "128x128"
	Help string `json:"help"`
}

// option is one thing that can be asked for beside the prompt.
type option struct {
	Hint
	set func(a *jobs.Ask, value string) error
	is  func(a *jobs.Ask) bool // given already
}

// One entry is one option, in the order in which they are offered. Where the hint is empty it is the model's own value.
var options = []option{
	{
		Hint{"negative", "fog", "What to keep out of the picture"},
		func(a *jobs.Ask, v string) error { a.Negative = v; return nil },
		func(a *jobs.Ask) bool { return a.Negative != "" },
	},
	{
		Hint{"count", "4", "How many pictures, 1 to 4"},
		func(a *jobs.Ask, v string) error { return count(&a.Count, v) },
		func(a *jobs.Ask) bool { return a.Count != nil },
	},
	{
		Hint{"seed", "7", "Where to start: the same number paints the same picture"},
		func(a *jobs.Ask, v string) error { return seed(&a.Seed, v) },
		func(a *jobs.Ask) bool { return a.Seed != nil },
	},
	{
		Hint{"size", "", "Width and height in pixels"},
		func(a *jobs.Ask, v string) error { return size(&a.Size, v) },
		func(a *jobs.Ask) bool { return a.Size != nil },
	},
	{
		Hint{"steps", "", "Sampling steps: more take longer and may look cleaner"},
		func(a *jobs.Ask, v string) error { return whole(&a.Steps, v) },
		func(a *jobs.Ask) bool { return a.Steps != nil },
	},
	{
		Hint{"guidance", "", "How closely your words are followed"},
		func(a *jobs.Ask, v string) error { return number(&a.Guidance, v) },
		func(a *jobs.Ask) bool { return a.Guidance != nil },
	},
	{
		Hint{"sampler", "", "The algorithm that paints"},
		func(a *jobs.Ask, v string) error { a.Sampler = &v; return nil },
		func(a *jobs.Ask) bool { return a.Sampler != nil },
	},
	{
		Hint{"model", "", "The model that paints, where there are several"},
		func(a *jobs.Ask, v string) error { a.Model = v; return nil },
		func(a *jobs.Ask) bool { return a.Model != "" },
	},
}

// aliases are what people type for an option who come from elsewhere.
var aliases = map[string]string{"no": "negative", "n": "count", "cfg": "guidance", "scale": "guidance", "ar": "size", "s": "steps"}

// Parse reads the text after /imagine: the prompt, with options anywhere among it. An option is two dashes (or the long
// dash that a phone makes of them) and its name, then its value after a space or "=". A value with spaces stands in
// quotes; that of --negative goes on to the next option without. Its errors are *Error and name the option.
func Parse(text string) (jobs.Ask, error) {
	var ask jobs.Ask
	var prompt []string
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		word := firstWord(rest)
		name, ok := asOption(word)
		if !ok {
			prompt = append(prompt, word)
			rest = rest[len(word):]
			continue
		}
		o, err := find(name)
		if err != nil {
			return ask, err
		}
		value, after, err := o.value(afterName(rest, word))
		if err == nil {
			err = o.take(&ask, value)
		}
		if err != nil {
			return ask, err
		}
		rest = after
	}
	ask.Prompt = strings.Join(prompt, " ")
	return ask, nil
}

// asked is what a command asks for, in its text or in fields.
func asked(c Command) (jobs.Ask, error) {
	if c.Options == nil {
		return Parse(c.Text)
	}
	ask := jobs.Ask{Prompt: c.Text}
	for _, name := range slices.Sorted(maps.Keys(c.Options)) {
		o, err := find(name)
		if err == nil {
			err = o.take(&ask, c.Options[name])
		}
		if err != nil {
			return ask, err
		}
	}
	return ask, nil
}

func firstWord(text string) string {
	if end := strings.IndexFunc(text, unicode.IsSpace); end >= 0 {
		return text[:end]
	}
	return text
}

// asOption returns the name in "--name" and "--name=value".
func asOption(word string) (name string, ok bool) {
	for _, dashes := range []string{"--", "\u2014", "\u2013"} {
		if rest, is := strings.CutPrefix(word, dashes); is {
			first, _ := utf8.DecodeRuneInString(rest)
			name, _, _ = strings.Cut(rest, "=")
			return strings.ToLower(name), unicode.IsLetter(first)
		}
	}
	return "", false
}

// afterName cuts the option's name, and what stands between it and its value.
func afterName(rest, word string) string {
	if equals := strings.IndexByte(word, '='); equals >= 0 {
		return rest[equals+1:]
	}
	return strings.TrimSpace(rest[len(word):])
}

const quotes = "\"\u201c\u201d\u201e\u00ab\u00bb"

// value takes the option's value from the beginning of a text.
func (o option) value(text string) (value, rest string, err error) {
	if first, width := utf8.DecodeRuneInString(text); strings.ContainsRune(quotes, first) {
		end := strings.IndexAny(text[width:], quotes)
		if end < 0 {
			return "", "", &Error{Code: "option", Option: o.Name, Text: "--" + o.Name + " has a quote that does not end; write another one behind its value."}
		}
		_, last := utf8.DecodeRuneInString(text[width+end:])
		return strings.TrimSpace(text[width : width+end]), text[width+end+last:], nil
	}
	var words []string
	for {
		word := firstWord(text)
		if _, is := asOption(word); is || word == "" {
			break
		}
		words, text = append(words, word), strings.TrimLeftFunc(text[len(word):], unicode.IsSpace)
		if o.Name != "negative" {
			break
		}
	}
	return strings.Join(words, " "), text, nil
}

func find(name string) (option, error) {
	if long, ok := aliases[name]; ok {
		name = long
	}
	for _, o := range options {
		if o.Name == name {
			return o, nil
		}
	}
	return option{}, &Error{Code: "option", Option: name, Text: fmt.Sprintf("There is no option --%s. There are %s.", short(name), optionNames())}
}

func optionNames() string {
	var names []string
	for _, o := range options {
		names = append(names, "--"+o.Name)
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func (o option) take(a *jobs.Ask, value string) error {
	var problem string
	switch {
	case o.is(a):
		problem = "is there twice; leave one out."
	case value == "":
		problem = "has no value; write one behind it" + example(o) + "."
	default:
		err := o.set(a, value)
		if err == nil {
			return nil
		}
		problem = fmt.Sprintf("cannot be %q: %v.", short(value), err)
	}
	return &Error{Code: "option", Option: o.Name, Text: "--" + o.Name + " " + problem}
}

func example(o option) string {
	if o.Hint.Hint == "" {
		return ""
	}
	return ", such as --" + o.Name + " " + o.Hint.Hint
}

func whole(dst **int, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil {
		return errors.New("it takes a whole number")
	}
	*dst = &n
	return nil
}

func seed(dst **int64, value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return errors.New("it is too large; a seed has at most 18 digits")
	}
	if err != nil {
		return errors.New("it takes a whole number")
	}
	*dst = &n
	return nil
}

func number(dst **float64, value string) error {
	x, err := strconv.ParseFloat(strings.Replace(value, ",", ".", 1), 64)
	if err != nil {
		return errors.New("it takes a number")
	}
	*dst = &x
	return nil
}

func count(dst **int, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > MaxCount {
		return fmt.Errorf("it takes a number from 1 to %d", MaxCount)
	}
	*dst = &n
	return nil
}

// size reads "512x768", also with a multiplication sign.
func size(dst **image.Point, value string) error {
	w, h, ok := strings.Cut(strings.ReplaceAll(strings.ToLower(value), "\u00d7", "x"), "x")
	x, xerr := strconv.ParseUint(w, 10, 31)
	y, yerr := strconv.ParseUint(h, 10, 31)
	if !ok || xerr != nil || yerr != nil {
		return errors.New("write it as width x height in pixels, such as 128x128")
	}
	*dst = &image.Point{X: int(x), Y: int(y)}
	return nil
}

// short keeps what people typed from filling an answer.
func short(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// Commands lists what can be typed.
func Commands() []Hint {
	return []Hint{
		{"imagine", "a red fox on a blue background", "Paint pictures from your words"},
		{"help", "", "What you can do here"},
	}
}

// Options lists what can be asked for beside the prompt, with the default model's own values as hints.
func (b *Bot) Options() []Hint {
	d, err := b.planner.Defaults("")
	if err != nil {
		return nil
	}
	models := b.planner.Models()
	own := map[string]string{
		"model": strings.Join(models[1:], ", "),
		"size":  fmt.Sprintf("%dx%d", d.Width, d.Height), "steps": strconv.Itoa(d.Steps),
		"guidance": strconv.FormatFloat(d.Guidance, 'g', 4, 64), "sampler": d.Sampler,
	}
	var hints []Hint
	for _, o := range options {
		h := o.Hint
		h.Hint = cmp.Or(h.Hint, own[o.Name])
		if o.Name != "model" || len(models) > 1 {
			hints = append(hints, h)
		}
	}
	return hints
}
