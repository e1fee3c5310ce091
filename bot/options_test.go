package bot

import (
	"errors"
	"image"
	"reflect"
	"strings"
	"testing"

	"github.com/easelbot/easel/jobs"
)

func ptr[T any](v T) *T { return &v }

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		want       jobs.Ask
	}{
		{"nothing", "  ", jobs.Ask{}},
		{"words", " a red  fox\non blue ", jobs.Ask{Prompt: "a red fox on blue"}},
		{"an option behind", "a fox --count 2", jobs.Ask{Prompt: "a fox", Count: ptr(2)}},
		{"an option before", "--seed 7 a fox", jobs.Ask{Prompt: "a fox", Seed: ptr[int64](7)}},
		{"an equals sign", "a fox --seed=-7", jobs.Ask{Prompt: "a fox", Seed: ptr[int64](-7)}},
		{"a negative number", "a fox --seed -7", jobs.Ask{Prompt: "a fox", Seed: ptr[int64](-7)}},
		{"all of them", "a fox --size 512x768 --steps 30 --guidance 2,5 --sampler euler --count 1", jobs.Ask{
			Prompt: "a fox", Size: &image.Point{X: 512, Y: 768}, Steps: ptr(30), Guidance: ptr(2.5), Sampler: ptr("euler"), Count: ptr(1),
		}},
		{"a multiplication sign", "a fox --size 128×64", jobs.Ask{Prompt: "a fox", Size: &image.Point{X: 128, Y: 64}}},
		{"long dashes, as phones make them", "a fox —count 2 –seed 3", jobs.Ask{Prompt: "a fox", Count: ptr(2), Seed: ptr[int64](3)}},
		{"capitals", "a fox --COUNT 2", jobs.Ask{Prompt: "a fox", Count: ptr(2)}},
		{"negative goes on", "a fox --no fog and rain --count 2", jobs.Ask{Prompt: "a fox", Negative: "fog and rain", Count: ptr(2)}},
		{"negative in quotes", `a fox --negative "fog and rain" by the sea`, jobs.Ask{Prompt: "a fox by the sea", Negative: "fog and rain"}},
		{"curly quotes", "a fox --negative “fog, rain” by the sea", jobs.Ask{Prompt: "a fox by the sea", Negative: "fog, rain"}},
		{"quotes behind an equals sign", `--negative="fog and rain" a fox`, jobs.Ask{Prompt: "a fox", Negative: "fog and rain"}},
		{"quotes in the prompt stay", `a sign that says "keep out" --count 1`, jobs.Ask{Prompt: `a sign that says "keep out"`, Count: ptr(1)}},
		{"dashes that are no option", "a fox -- and a 3--4 score —", jobs.Ask{Prompt: "a fox -- and a 3--4 score —"}},
		{"a model", "a fox --model sd15", jobs.Ask{Prompt: "a fox", Model: "sd15"}},
		{"an alias", "a fox --cfg 3 --n 1", jobs.Ask{Prompt: "a fox", Guidance: ptr(3.0), Count: ptr(1)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.text)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, text, option, says string }{
		{"an unknown option", "a fox --colour red", "colour", "There is no option --colour. There are --negative, "},
		{"no value", "a fox --count", "count", "has no value; write one behind it, such as --count 4"},
		{"no value before the next", "a fox --seed --count 2", "seed", "has no value"},
		{"an empty value", "a fox --size=", "size", "has no value"},
		{"a quote that does not end", `a fox --negative "fog and rain`, "negative", "does not end"},
		{"a seed too large", "a fox --seed 99999999999999999999", "seed", "at most 18 digits"},
		{"no number", "a fox --steps many", "steps", `cannot be "many": it takes a whole number`},
		{"too many", "a fox --count 5", "count", "from 1 to 4"},
		{"half a size", "a fox --size 512", "size", "width x height"},
		{"a size too large to be a number", "a fox --size 99999999999x1", "size", "width x height"},
		{"twice", "a fox --count 1 --count 2", "count", "twice"},
		{"an alias and its name", "a fox --no fog --negative rain", "negative", "twice"},
		{"a long value", "a fox --steps " + strings.Repeat("x", 500), "steps", strings.Repeat("x", 40) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.text)
			var e *Error
			if !errors.As(err, &e) || e.Code != "option" || e.Option != tt.option || !strings.Contains(e.Text, tt.says) {
				t.Errorf("got %v, want an error of --%s that says %q", err, tt.option, tt.says)
			}
		})
	}
}

// alone is an engine with one model.
type alone struct{ planner }

func (alone) Models() []string { return []string{"builtin"} }

func TestModelIsOfferedWhereThereAreSeveral(t *testing.T) {
	hint := func(p jobs.Planner) string {
		for _, h := range New(nil, nil, p, nil, nil).Options() {
			if h.Name == "model" {
				return h.Hint
			}
		}
		return "none"
	}
	if several, one := hint(planner{}), hint(alone{}); several != "sd15" || one != "none" {
		t.Errorf("with several models %s is offered, with one %s", several, one)
	}
}

func TestFieldsAreNotReadAsText(t *testing.T) {
	ask, err := asked(Command{Text: "a fox --count 9", Options: map[string]string{"count": "2", "negative": "fog --seed"}})
	if want := (jobs.Ask{Prompt: "a fox --count 9", Negative: "fog --seed", Count: ptr(2)}); err != nil || !reflect.DeepEqual(ask, want) {
		t.Errorf("got %+v, %v, want %+v", ask, err, want)
	}
	var e *Error
	if _, err := asked(Command{Text: "a fox", Options: map[string]string{"count": "9"}}); !errors.As(err, &e) || e.Option != "count" {
		t.Errorf("a bad field: %v", err)
	}
}

func TestHintsCanBeTyped(t *testing.T) {
	b := &Bot{planner: planner{}}
	for _, h := range b.Options() {
		ask, err := Parse("a fox --" + h.Name + " " + h.Hint)
		if err != nil || ask.Prompt != "a fox" {
			t.Errorf("--%s %s: %+v, %v", h.Name, h.Hint, ask, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a fox --count 2", `--negative "x y" z`, "—seed 7", "--no a --no b", "--size=128×64", "\u201c", "--\u0301a 1", "--negative=\"", "a --=1", "\xff --seed \xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ask, err := Parse(text)
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Option == "") {
			t.Fatalf("%q: an error that names no option: %v", text, err)
		}
		if err != nil {
			return
		}
		again, err := Parse(ask.Prompt)
		if err != nil || again.Prompt != ask.Prompt || !reflect.DeepEqual(again, jobs.Ask{Prompt: ask.Prompt}) {
			t.Errorf("%q: the prompt %q reads as %+v, %v", text, ask.Prompt, again, err)
		}
	})
}
