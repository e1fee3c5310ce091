package configs

import (
	"errors"
	"math"
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
	err := Config{
		Device: "cuda:", PublicURL: "example.org",
		Engine:     Engine{MaxLanes: 2, Memory: 1, Queue: 1, Threads: -1},
		Limits:     Limits{Person: Limit{Burst: math.NaN(), PerHour: math.Inf(1)}, Tenant: Limit{Burst: -0.5}},
		Moderation: Moderation{Block: []string{"word", " \t"}},
	}.Validate()
	want := strings.Join([]string{
		`device: "cuda:" is not one of auto, cpu, cuda, cuda:N`,
		`listen: ` + wantsAddress,
		`public_url: ` + wantsOrigin,
		`log.level: "" is not one of debug, info, warn, error`,
		`engine.threads: -1 is out of range: from 0 to 1024`,
		`engine.memory: 1B is out of range: from 16MiB to 1TiB`,
		`limits.person.burst: NaN is out of range: from 0 to 1000000`,
		`limits.person.per_hour: +Inf is out of range: from 0 to 1000000`,
		`limits.tenant.burst: -0.5 is out of range: from 0 to 1000000`,
		`moderation.block: an entry is blank: write a word, or take the entry out`,
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
	seen, secrets := map[string]bool{}, []string{}
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
		if f.isSecret() {
			secrets = append(secrets, f.key)
		}
		if f.isList() && f.tag.Get("env") != "" {
			t.Errorf("%s: a list cannot come from the environment", f.key)
		}
		if form, ok := f.tag.Lookup("form"); ok && forms[form] == nil {
			t.Errorf("%s: there is no form %q", f.key, form)
		}
	}
	for _, key := range secrets {
		if !seen[key+"_file"] {
			t.Errorf("%s: a secret has a key %s_file beside it", key, key)
		}
	}
}

func TestExampleFile(t *testing.T) {
	text, err := os.ReadFile("easel.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(text, "easel.example.yaml")
	if err != nil || !reflect.DeepEqual(c, Default()) {
		t.Errorf("the example is %+v, %v\nand not the default %+v", c, err, Default())
	}
	comments := documented(string(text))
	for _, f := range fields(reflect.ValueOf(&c).Elem(), "") {
		key := f.key
		if f.isSecret() {
			key += "_file" // the secret itself has no place in the file
		}
		comment, ok := comments[key]
		if !ok {
			t.Errorf("%s is missing", key)
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
	var comment string
	var sections []string
	for line := range strings.Lines(yaml) {
		text := strings.TrimSpace(line)
		key, _, isKey := strings.Cut(text, ":")
		switch {
		case strings.HasPrefix(text, "#"):
			comment += strings.TrimPrefix(text, "#")
			continue
		case isKey:
			depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
			sections = append(sections[:depth], key)
			comments[strings.Join(sections, ".")] = comment
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

// What is wanted of the two forms.
const (
	wantsAddress = "expected HOST:PORT such as 127.0.0.1:8321 or [::1]:8321, with a port from 0 to 65535"
	wantsOrigin  = "expected an address such as https://pictures.example.org, without a path, a query or a name to sign in with"
)

type formTest struct {
	form      string
	good, bad []string
}

var platformForms = []formTest{
	{"channel", []string{"", "C0123456789", "G01"}, []string{"#mods", "mods", "D0123", "U0123", "C0123 ", "c0123", "https://x.slack.com/archives/C012"}},
	{"snowflake", []string{"", "1", "123456789012345678"}, []string{"#mods", "-1", "1e5", " 1", "1\n", "123456789012345678901", "hunter2"}},
	{"key", []string{"", strings.Repeat("0aF9", 16)}, []string{"hunter2", strings.Repeat("a", 63), strings.Repeat("a", 65), strings.Repeat("g", 64)}},
	{
		"http",
		[]string{"", "http://127.0.0.1:8080/api", "https://discord.example.org/api/", "http://[::1]:1"},
		[]string{"hunter2", "127.0.0.1:80/api", "ws://host", "https:///api", "http://ada:hunter2@host", "http://host/?a=b", "http://host/#a", "http://host:", "http://a b"},
	},
	{"websocket", []string{"", "ws://127.0.0.1:8080", "wss://host/gateway"}, []string{"http://host", "hunter2", "ws://", "wss://host?token=hunter2"}},
	{
		"redis",
		[]string{"", "redis://localhost", "redis://:hunter2@host:6379/1", "rediss://ada:hunter2@[::1]:1", "unix:///run/redis.sock", "unix://:hunter2@/run/redis.sock?db=1"},
		[]string{"hunter2", "host:6379", "http://host", "redis://", "redis://:hunter2@", "redis://:hunter2@host:port", "unix://", "redis:host", "redis://:hunter2/@host"},
	},
}

func TestForms(t *testing.T) {
	tests := []formTest{
		{
			"address",
			[]string{"127.0.0.1:8321", "127.0.0.1:0", ":65535", "[::1]:80", "[fe80::1%eth0]:80", "localhost:8321", "a-b.example.org:1"},
			[]string{
				"", "8321", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "::1:80", "[::1]", "http://127.0.0.1:80",
				"127.0.0.1:80/", "a b:80", "hunter2@host:80", "127.0.0.1 :80", "127.0.0.1:80 ",
			},
		},
		{
			"origin",
			[]string{"", "http://localhost", "https://pictures.example.org/", "HTTPS://Example.org:8443", "http://127.0.0.1:8321", "http://[::1]:8321"},
			[]string{
				"example.org", "example.org:80", "//example.org", "ftp://example.org", "https://", "https:///", "https://:80", "https://example.org:",
				"https://example.org:65536", "https://example.org:http", "https://example.org//", "https://example.org/easel", "https://example.org?",
				"https://example.org/?a=b", "https://example.org#", "https://ada:hunter2@example.org", "https://@example.org", "https:example.org",
				" https://example.org", "https://exam ple.org", "https://example.org\n",
			},
		},
	}
	for _, tt := range append(tests, platformForms...) {
		for _, text := range tt.good {
			if err := forms[tt.form](text); err != nil {
				t.Errorf("%s %q: %v", tt.form, text, err)
			}
		}
		for _, text := range tt.bad {
			if err := forms[tt.form](text); err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s %q: got %v", tt.form, text, err)
			}
		}
	}
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
