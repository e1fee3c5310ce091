package configs

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const asList = `write ["one", "and another"], or each after a "- " on a line of its own`

func TestParseMistakes(t *testing.T) {
	tests := []struct {
		name, yaml string
		want       []string // the error's lines
	}{
		{"typo", "engine:\n  thread: 4\n", []string{
			`easel.yaml:2: unknown key "engine.thread": did you mean "engine.threads"?`,
		}},
		{"typo in a section", "engin:\n  threads: 4\n", []string{
			`easel.yaml:1: unknown key "engin": did you mean "engine"?`,
		}},
		{"wrong section", "log:\n  threads: 4\n", []string{
			`easel.yaml:2: unknown key "log.threads": did you mean "engine.threads"?`,
		}},
		{"right section", "engine:\n  zzz: 4\n", []string{
			`easel.yaml:2: unknown key "engine.zzz": the nearest known key is "engine.queue"`,
		}},
		{"nothing like it", "zzzzzz: 4\n", []string{
			`easel.yaml:1: unknown key "zzzzzz": the nearest known key is "model"`,
		}},
		{"very long key", strings.Repeat("k", 200) + ": 4\n", []string{
			`easel.yaml:1: unknown key "` + strings.Repeat("k", 66) + `": the nearest known key is "slack.bot_token"`,
		}},
		{"dotted key", "log.level: debug\n", []string{
			`easel.yaml:1: unknown key "log.level": write "level" on a line of its own under "log"`,
		}},
		{"merge key", "<<: 1\n", []string{
			`easel.yaml:1: unknown key "<<": the nearest known key is "log"`,
		}},
		{"several at once", "modle: a\ndevice: tpu\n\n# comment\nengine:\n  max_lanes: 1000\n  queue: many\n  que: 2\n", []string{
			`easel.yaml:1: unknown key "modle": did you mean "model"?`,
			`easel.yaml:2: device: "tpu" is not one of auto, cpu, cuda, cuda:N`,
			`easel.yaml:6: engine.max_lanes: 1000 is out of range: from 2 to 256`,
			`easel.yaml:7: engine.queue: expected a whole number, found text`,
			`easel.yaml:8: unknown key "engine.que": did you mean "engine.queue"?`,
		}},
		{"twice", "model: a\ndevice: cpu\nmodel: b\n", []string{
			`easel.yaml:3: "model" is set twice, first on line 1: keep one`,
		}},
		{"section twice", "log:\n  level: info\nlog: {level: debug}\n", []string{
			`easel.yaml:3: "log" is set twice, first on line 1: keep one`,
		}},
		{"number for text", "model: 15\n", []string{
			`easel.yaml:1: model: expected text, found a number: put it in quotes`,
		}},
		{"bool for text", "model: true\n", []string{
			`easel.yaml:1: model: expected text, found true or false: put it in quotes`,
		}},
		{"list for text", "model: [a, b]\n", []string{`easel.yaml:1: model: expected text, found a list`}},
		{"keys for text", "model:\n  name: a\n", []string{`easel.yaml:1: model: expected text, found keys`}},
		{"no value", "model:\ndevice: cpu\n", []string{
			`easel.yaml:1: model: has no value: give it one, or leave the line out for the default`,
		}},
		{"fraction", "engine: {threads: 1.5}\n", []string{
			`easel.yaml:1: engine.threads: expected a whole number, found a number`,
		}},
		{"text for a section", "engine: fast\n", []string{`easel.yaml:1: engine: expected keys, found text`}},
		{"list for a section", "engine:\n- threads\n", []string{`easel.yaml:2: engine: expected keys, found a list`}},
		{"text alone", "model\n", []string{`easel.yaml:1: the file: expected keys, found text`}},
		{"list alone", "- model\n", []string{`easel.yaml:1: the file: expected keys, found a list`}},
		{"negative", "engine:\n  threads: -1\n", []string{
			`easel.yaml:2: engine.threads: -1 is out of range: from 0 to 1024`,
		}},
		{"not a level", "log: {level: loud}\n", []string{
			`easel.yaml:1: log.level: "loud" is not one of debug, info, warn, error`,
		}},
		{"not a GPU", "device: cuda:first\n", []string{
			`easel.yaml:1: device: "cuda:first" is not one of auto, cpu, cuda, cuda:N`,
		}},
		{"N itself", "device: cuda:N\n", []string{
			`easel.yaml:1: device: "cuda:N" is not one of auto, cpu, cuda, cuda:N`,
		}},
		{"lines run together", "device: cpu\n  model:builtin\n", []string{
			`easel.yaml:1: device: a value not shown here is not one of auto, cpu, cuda, cuda:N`,
		}},
		{"size without a unit", "engine: {memory: 1024}\n", []string{
			`easel.yaml:1: engine.memory: expected a size such as 512MiB or 2GiB, found a number`,
		}},
		{"size with another unit", "engine: {memory: 512MB}\n", []string{
			`easel.yaml:1: engine.memory: expected a size such as 512MiB or 2GiB, found "512MB"`,
		}},
		{"size too small", "engine: {memory: 1MiB}\n", []string{
			`easel.yaml:1: engine.memory: 1MiB is out of range: from 16MiB to 1TiB`,
		}},
		{"infinite limit", "limits:\n  person:\n    burst: .inf\n    per_hour: .nan\n", []string{
			`easel.yaml:3: limits.person.burst: +Inf is out of range: from 0 to 1000000`,
			`easel.yaml:4: limits.person.per_hour: NaN is out of range: from 0 to 1000000`,
		}},
		{"negative limit", "limits: {tenant: {burst: -0.25}, channel: {per_hour: 1.5e7}}\n", []string{
			`easel.yaml:1: limits.tenant.burst: -0.25 is out of range: from 0 to 1000000`,
			`easel.yaml:1: limits.channel.per_hour: 1.5e+07 is out of range: from 0 to 1000000`,
		}},
		{"text for a limit", "limits:\n  person:\n    burst: '8'\n    per_hour: [1]\n", []string{
			`easel.yaml:3: limits.person.burst: expected a number, found text`,
			`easel.yaml:4: limits.person.per_hour: expected a number, found a list`,
		}},
		{"limit in the wrong place", "limits:\n  burst: 8\n  person: 8\n", []string{
			`easel.yaml:2: unknown key "limits.burst": did you mean "limits.person.burst"?`,
			`easel.yaml:3: limits.person: expected keys, found a number`,
		}},
		{"not an address", "listen: 8321\n", []string{
			`easel.yaml:1: listen: expected text, found a number: put it in quotes`,
		}},
		{"address without a port", "listen: localhost\npublic_url: example.org\n", []string{
			`easel.yaml:1: listen: ` + wantsAddress,
			`easel.yaml:2: public_url: ` + wantsOrigin,
		}},
		{"text for a list", "moderation:\n  block: fudge\n  allow: 5\n  review: {a: b}\n", []string{
			`easel.yaml:2: moderation.block: expected a list, found text: ` + asList,
			`easel.yaml:3: moderation.allow: expected a list, found a number: ` + asList,
			`easel.yaml:4: moderation.review: expected a list, found keys: ` + asList,
		}},
		{"not words", "moderation:\n  block:\n  - fudge\n  - 88\n  - true\n  -\n  - [a]\n  - a: b\n  - ' '\n  - .5\n", []string{
			`easel.yaml:4: moderation.block: expected text, found a number: put it in quotes`,
			`easel.yaml:5: moderation.block: expected text, found true or false: put it in quotes`,
			`easel.yaml:6: moderation.block: an entry is blank: write a word, or take the entry out`,
			`easel.yaml:7: moderation.block: expected text, found a list`,
			`easel.yaml:8: moderation.block: expected text, found keys`,
			`easel.yaml:9: moderation.block: an entry is blank: write a word, or take the entry out`,
			`easel.yaml:10: moderation.block: expected text, found a number: put it in quotes`,
		}},
		{"not YAML", "model: [a\n", []string{`easel.yaml:1: not valid YAML: sequence end token ']' not found`}},
		{"tab", "log:\n\tlevel: info\n", []string{
			`easel.yaml:2: not valid YAML: found character '	' that cannot start any token`,
		}},
		{"two documents", "model: a\n---\nmodel: b\n", []string{
			`easel.yaml:3: a second document begins here: keep to one, without "---" in between`,
		}},
		{"anchor", "model: &m a\n", []string{
			`easel.yaml:1: anchors ("&name") are not supported: write the value out, or quote it`,
		}},
		{"alias", "model: *m\n", []string{
			`easel.yaml:1: aliases ("*name") are not supported: write the value out, or quote it`,
		}},
		{"tag", "model: !!str 5\n", []string{
			`easel.yaml:1: tags ("!name") are not supported: leave the tag out, or quote the value`,
		}},
		{"directive", "%YAML 1.2\n---\nmodel: a\n", []string{
			`easel.yaml:1: directives ("%NAME") are not supported: leave the line out`,
		}},
		{"explicit key", "? model\n: a\n", []string{
			`easel.yaml:1: explicit keys ("? key") are not supported: write "key: value"`,
		}},
		{"deep flow", "model: " + strings.Repeat("[", 1<<16), []string{`easel.yaml:1: lists nested more than 16 deep`}},
		{"deep list", strings.Repeat("- ", 1<<16), []string{`easel.yaml:1: lists nested more than 16 deep`}},
		{"endless", strings.Repeat("a: 1\n", 1<<15), []string{`easel.yaml:10923: the file is too long from here on`}},
		{"too large", strings.Repeat("#", 1<<20+1), []string{`easel.yaml: more than 1MiB: not a configuration file`}},
		{"not text", "model: \xff\n", []string{`easel.yaml: not UTF-8 text: save it as UTF-8`}},
		{"binary", "model: \x00\n", []string{`easel.yaml: not UTF-8 text: save it as UTF-8`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Parse([]byte(tt.yaml), "easel.yaml")
			if err == nil {
				t.Fatalf("no error; got %+v", c)
			}
			if want := strings.Join(tt.want, "\n"); err.Error() != want {
				t.Errorf("got:\n%v\nwant:\n%s", err, want)
			}
			if !reflect.DeepEqual(c, Config{}) {
				t.Errorf("a configuration came with the error: %+v", c)
			}
		})
	}
}

func TestParse(t *testing.T) {
	with := func(change func(*Config)) Config {
		c := Default()
		change(&c)
		return c
	}
	tests := []struct {
		name, yaml string
		want       Config
	}{
		{"empty", "", Default()},
		{"blank", " \n\n", Default()},
		{"comments", "# model: a\n# device: cpu\n", Default()},
		{"empty document", "---\n", Default()},
		{"ended document", "---\nmodel: a\n...\n", with(func(c *Config) { c.Model = "a" })},
		{"section of comments", "engine:\n  # threads: 4\nmodel: a\n", with(func(c *Config) { c.Model = "a" })},
		{"empty text", "model: ''\ndata_dir: \"\"\nengine: {memory: ''}\n", Default()},
		{"quoted", "\"model\": '15'\n", with(func(c *Config) { c.Model = "15" })},
		{"block text", "model: |-\n  a b\n", with(func(c *Config) { c.Model = "a b" })},
		{"mark and line ends of Windows", "\ufeffmodel: a\r\n# c\r\nlog:\r\n  level: warn\r\n", with(func(c *Config) {
			c.Model, c.Log.Level = "a", "warn"
		})},
		{"GPU", "device: cuda:1\n", with(func(c *Config) { c.Device = "cuda:1" })},
		{"marks in quotes", "model: '&a *b !c'\n", with(func(c *Config) { c.Model = "&a *b !c" })},
		{"limits", "limits:\n  person:\n    burst: 8\n    per_hour: 2.5\n  channel:\n    # burst: 4\n  tenant: {burst: 0x10, per_hour: 1_000}\n", with(func(c *Config) {
			c.Limits = Limits{Person: Limit{8, 2.5}, Tenant: Limit{16, 1000}}
		})},
		{"addresses", "listen: :0\npublic_url: https://example.org/\n", with(func(c *Config) {
			c.Listen, c.PublicURL = ":0", "https://example.org/"
		})},
		{"no addresses", "listen: ''\npublic_url: ''\n", Default()},
		{"words", "moderation:\n  block:\n  - two words\n  - '88'\n  - |-\n    b\n  - yes\n  review: [a, \"b: c\"]\n  allow:\n  # - later\n", with(func(c *Config) {
			c.Moderation = Moderation{Block: []string{"two words", "88", "b", "yes"}, Review: []string{"a", "b: c"}}
		})},
		{"no words", "moderation: {allow: [], review: , block: []}\n", Default()},
		{"flow", "{engine: {threads: 0x10, max_lanes: 256, memory: 2 GiB, queue: 1_000}}", with(func(c *Config) {
			c.Engine = Engine{Threads: 16, MaxLanes: 256, Memory: 2 << 30, Queue: 1000}
		})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.yaml), "easel.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// What is written by the rules is read as it was meant.
func TestParseReadsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Config{
			Model:   rapid.StringMatching(`[ -~äß]{1,40}`).Draw(t, "model"),
			Device:  rapid.SampledFrom([]string{"auto", "cpu", "cuda", "cuda:0", "cuda:17"}).Draw(t, "device"),
			DataDir: rapid.StringMatching(`/[a-z /]{0,20}`).Draw(t, "data_dir"),
			Log:     Log{Level: rapid.SampledFrom([]string{"debug", "info", "warn", "error"}).Draw(t, "level")},
			Engine: Engine{
				Threads:  rapid.IntRange(0, 1024).Draw(t, "threads"),
				MaxLanes: rapid.IntRange(2, 256).Draw(t, "max_lanes"),
				Memory:   Size(rapid.Int64Range(16<<20, 1<<40).Draw(t, "memory")),
				Queue:    rapid.IntRange(1, 1<<16).Draw(t, "queue"),
			},
			Listen: rapid.StringMatching(`[a-z.]{0,9}:[0-9]{1,4}`).Draw(t, "listen"),
			Limits: Limits{Channel: Limit{PerHour: rapid.Float64Range(0, 1e6).Draw(t, "per_hour")}},
			Moderation: Moderation{
				Block: rapid.SliceOfN(rapid.StringMatching(`[!-~äß][ -~äß]{0,20}`), 1, 9).Draw(t, "block"),
			},
		}
		quoted := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
		words := ""
		for _, word := range want.Moderation.Block {
			words += "  - " + quoted(word) + "\n"
		}
		yaml := fmt.Sprintf("model: %s\ndevice: %s\ndata_dir: '%s'\nlog: {level: %s}\nengine:\n  threads: %d\n  max_lanes: %d\n  memory: %v\n  queue: %d\n"+
			"listen: '%s'\nlimits: {channel: {per_hour: %v}}\nmoderation:\n  block:\n%s",
			quoted(want.Model), want.Device, want.DataDir, want.Log.Level,
			want.Engine.Threads, want.Engine.MaxLanes, want.Engine.Memory, want.Engine.Queue,
			want.Listen, strconv.FormatFloat(want.Limits.Channel.PerHour, 'f', -1, 64), words)
		got, err := Parse([]byte(yaml), "easel.yaml")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\ngot  %+v, %v\nwant %+v", yaml, got, err, want)
		}
	})
}

// Any bytes give a valid configuration or an error that names the file on each line.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "model: a\n", "log:\n  level: debug\n", "{engine: {threads: 2, memory: 1GiB}}", "- a\n- [b, {c: d}]\n",
		"model: |\n  a\n", "a: &b c\nd: *b\n", "? a\n: b\n", "%YAML 1.2\n---\na: !!str b\n...\n", "model: \"\\u00e4\"\r\n",
		"limits: {person: {burst: 1.5e2, per_hour: .inf}}\n", "moderation:\n  block:\n  - a\n  - 'b c'\n  -\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse(text, "easel.yaml")
		if err == nil {
			if err := c.Validate(); err != nil {
				t.Errorf("%q gave %+v, which is not valid: %v", text, c, err)
			}
			return
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "easel.yaml:") {
				t.Errorf("%q: no place in %q", text, line)
			}
		}
	})
}

// withSecret has keys of a kind that Config has none of.
type withSecret struct {
	Model   string `yaml:"model" oneof:"a|b"`
	Discord struct {
		Token     string `yaml:"token" env:"EASEL_DISCORD_TOKEN" secret:"true"`
		TokenFile string `yaml:"token_file"`
	} `yaml:"discord"`
}

func TestSecretIsRefusedInTheFile(t *testing.T) {
	const want = `easel.yaml:2: discord.token is a secret and is not read from this file: set EASEL_DISCORD_TOKEN, or name a file in discord.token_file`
	for _, value := range []string{"hunter2", "5", "[hunter2]", "{hunter2: hunter2}", "|\n    hunter2", ""} {
		var c withSecret
		err := parseInto(reflect.ValueOf(&c).Elem(), []byte("discord:\n  token: "+value+"\n"), "easel.yaml")
		if err == nil || err.Error() != want {
			t.Errorf("token: %s\ngot  %v\nwant %s", value, err, want)
		}
		if c.Discord.Token != "" {
			t.Errorf("token: %s was read as %q", value, c.Discord.Token)
		}
	}
	var c withSecret
	text := []byte("discord: {token_file: /run/token}\n")
	if err := parseInto(reflect.ValueOf(&c).Elem(), text, "easel.yaml"); err != nil || c.Discord.TokenFile != "/run/token" {
		t.Errorf("token_file: got %q, %v", c.Discord.TokenFile, err)
	}
}

func TestErrorsShowNoSecret(t *testing.T) {
	for _, yaml := range []string{
		"discord:\n  token:hunter2\n",
		"discord:\n  tokn: hunter2\n",
		"discord:\n  token: 'hunter2\n",
		"discord:\n  token: \"hunter2\\q\"\n",
		"discord:\n\ttoken: hunter2\n",
		"discord:\n   token: hunter2\n  x: 1\n",
		"discord: {token: hunter2\n",
		"discord:\n  token: &hunter2 x\n",
		"discord:\n  token: *hunter2\n",
		"discord:\n  token: !hunter2 x\n",
		"discord:\n  token: x: hunter2\n",
		"discord:\n  - token: hunter2\n",
		"discord:\n  token: hunter2\n  token: hunter2\n",
		"discord: hunter2\n",
		"model: x\n  token:hunter2\n",
		"model: x\n---\nhunter2\n",
		"hunter2\n",
	} {
		var c withSecret
		err := parseInto(reflect.ValueOf(&c).Elem(), []byte(yaml), "easel.yaml")
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", yaml, err)
		}
	}
}
