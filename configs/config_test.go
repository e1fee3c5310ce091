package configs

import (
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestValidate(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Errorf("the default is not valid: %v", err)
	}
	err := Config{Device: "cuda:", Engine: Engine{MaxLanes: 2, Memory: 1, Queue: 1, Threads: -1}}.Validate()
	want := strings.Join([]string{
		`device: "cuda:" is not one of auto, cpu, cuda, cuda:N`,
		`log.level: "" is not one of debug, info, warn, error`,
		`engine.threads: -1 is out of range: from 0 to 1024`,
		`engine.memory: 1B is out of range: from 16MiB to 1TiB`,
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestEndsOfRangesAreAllowed(t *testing.T) {
	var c Config
	for _, f := range fields(reflect.ValueOf(&c).Elem(), "") {
		least, most, ok := strings.Cut(f.tag.Get("range"), "..")
		if !ok {
			continue
		}
		for _, end := range []string{least, most} {
			if err := errors.Join(f.set(end), f.check()); err != nil {
				t.Errorf("%s: %v", f.key, err)
			}
		}
	}
}

// Every field has what the rules need, so that a new one cannot be half a key.
func TestFieldsAreKeys(t *testing.T) {
	seen := map[string]bool{}
	var c Config
	for _, f := range fields(reflect.ValueOf(&c).Elem(), "") {
		if !regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*$`).MatchString(f.key) {
			t.Errorf("%q is not a key", f.key)
		}
		for _, name := range []string{f.key, f.tag.Get("env")} {
			if name != "" && seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if f.isSecret() && (f.tag.Get("env") == "" || f.value.Kind() != reflect.String) {
			t.Errorf("%s: a secret is a string with an environment variable", f.key)
		}
	}
}

func TestExampleFile(t *testing.T) {
	text, err := os.ReadFile("easel.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(text, "easel.example.yaml")
	if err != nil || c != Default() {
		t.Errorf("the example is %+v, %v\nand not the default %+v", c, err, Default())
	}
	comments := documented(string(text))
	for _, f := range fields(reflect.ValueOf(&c).Elem(), "") {
		comment, ok := comments[f.key]
		if !ok {
			t.Errorf("%s is missing", f.key)
		}
		for _, word := range wantedWords(f) {
			if !strings.Contains(comment, word) {
				t.Errorf("the comment of %s does not say %q", f.key, word)
			}
		}
	}
}

// documented gives each key of the example the comment right above it, as one line.
func documented(yaml string) map[string]string {
	comments := map[string]string{}
	var section, comment string
	for line := range strings.Lines(yaml) {
		text := strings.TrimSpace(line)
		key, value, isKey := strings.Cut(text, ":")
		switch {
		case strings.HasPrefix(text, "#"):
			comment += strings.TrimPrefix(text, "#")
			continue
		case isKey && strings.HasPrefix(line, " "):
			comments[section+"."+key] = comment
		case isKey:
			comments[key] = comment
			if value == "" {
				section = key
			}
		}
		comment = ""
	}
	return comments
}

// wantedWords is what a field's comment has to say.
func wantedWords(f field) []string {
	if f.isSection() {
		return nil
	}
	words := []string{"Default: "}
	if env := f.tag.Get("env"); env != "" {
		words = append(words, "Environment: "+env+".")
	}
	if least, most, ok := strings.Cut(f.tag.Get("range"), ".."); ok {
		words = append(words, least+" to "+most)
	}
	if options := f.tag.Get("oneof"); options != "" {
		words = append(words, strings.Split(options, "|")...)
	}
	return words
}

func TestSize(t *testing.T) {
	tests := []struct {
		text string
		want Size // -1: refused
	}{
		{"0B", 0},
		{"1B", 1},
		{"1536KiB", 1536 << 10},
		{"512MiB", 512 << 20},
		{"2 GiB", 2 << 30},
		{"1TiB", 1 << 40},
		{"9223372036854775807B", 1<<63 - 1},
		{"9223372036854775808B", -1},
		{"8388607TiB", 8388607 << 40},
		{"8388608TiB", -1},
		{"", -1},
		{"B", -1},
		{"12", -1},
		{"-1MiB", -1},
		{"1.5GiB", -1},
		{"1gib", -1},
		{"1GB", -1},
		{"1MiB2", -1},
		{"MiB", -1},
	}
	for _, tt := range tests {
		got := Size(-1)
		if err := got.UnmarshalText([]byte(tt.text)); (err != nil) != (tt.want == -1) || got != tt.want {
			t.Errorf("%q: got %d, %v; want %d", tt.text, got, err, tt.want)
		}
	}
}

func TestSizeTextIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Size(rapid.Int64Range(0, 1<<63-1).Draw(t, "bytes") << rapid.IntRange(0, 40).Draw(t, "shift") & (1<<63 - 1))
		text, _ := want.MarshalText()
		var got Size
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Fatalf("%d as %q came back as %d, %v", want, text, got, err)
		}
	})
}
