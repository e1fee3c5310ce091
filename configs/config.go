// Package configs reads Easel's configuration: one YAML file, overridden by the
// environment, checked before anything starts.
//
// # Rules
//
//   - A key is a field of [Config]; easel.example.yaml documents every one. To add a
//     key, add a field with its tags and a line to the example. Its type is a string, an
//     int, a float64, a [Size], or a list of strings, which the environment cannot set.
//   - No file, an empty file and a file of comments alone are valid and mean [Default].
//   - The environment wins over the file, and a value that is the empty string, in either
//     place, means "not given".
//   - The file is read strictly: unknown keys, keys set twice, values of the wrong type
//     and values out of range are errors, all reported at once, each on a line of its own
//     that begins "FILE:LINE: ". An unknown key names the nearest known one.
//   - The file is one YAML 1.2 document of at most 1 MiB. Anchors, aliases, tags,
//     directives and explicit keys ("? key") are refused: nothing here needs them, and
//     without them a small file cannot unfold into a large one.
//   - Secrets never come from the file. A field tagged secret is refused there with a
//     word on where to put it, and no error shows its value or a neighbouring line.
//
// # Tags
//
//	yaml:"name"       the key, within its section
//	env:"EASEL_NAME"  the environment variable that overrides it
//	oneof:"a|b|c:N"   the strings allowed; N stands for a whole number from 0
//	range:"2..256"    the least and the greatest value, both allowed
//	form:"address"    what the text must look like; see forms
//	secret:"true"     refused in the file; a sibling key "name_file" may name a file
//
// The YAML library's own strict mode is not used: it stops at the first unknown key,
// refuses an empty file and prints the lines around a mistake, secrets included.
package configs

import (
	"errors"
	"fmt"
	"reflect"
)

// Config is everything an operator can set. Get one from [Default], [Parse] or [Load];
// its zero value is not valid.
type Config struct {
	Model      string     `yaml:"model" env:"EASEL_MODEL"`                                // name or folder of the model
	Device     string     `yaml:"device" env:"EASEL_DEVICE" oneof:"auto|cpu|cuda|cuda:N"` // where the model runs
	DataDir    string     `yaml:"data_dir" env:"EASEL_DATA_DIR"`                          // what Easel keeps; see [Load]
	Listen     string     `yaml:"listen" env:"EASEL_LISTEN" form:"address"`               // where the web server listens, HOST:PORT
	PublicURL  string     `yaml:"public_url" env:"EASEL_PUBLIC_URL" form:"origin"`        // what people type to get there; "" if that is Listen
	Log        Log        `yaml:"log"`
	Engine     Engine     `yaml:"engine"`
	Limits     Limits     `yaml:"limits"`
	Moderation Moderation `yaml:"moderation"`
}

// Log says what is logged.
type Log struct {
	Level string `yaml:"level" env:"EASEL_LOG_LEVEL" oneof:"debug|info|warn|error"` // the least level written
}

// Engine bounds what painting may take of the machine.
type Engine struct {
	Threads  int  `yaml:"threads" range:"0..1024"`    // CPU threads for one model call; 0 is one per core
	MaxLanes int  `yaml:"max_lanes" range:"2..256"`   // most lanes in one model call
	Memory   Size `yaml:"memory" range:"16MiB..1TiB"` // most bytes held for pictures in the making
	Queue    int  `yaml:"queue" range:"1..65536"`     // most requests waiting
}

// Limits bound what may be spent.
type Limits struct {
	Person  Limit `yaml:"person"`  // each person in a server or workspace
	Channel Limit `yaml:"channel"` // all in a channel together
	Tenant  Limit `yaml:"tenant"`  // all in a server or workspace together
}

// Limit bounds one of them, in credits. Both zero is no limit, Burst alone zero is an
// hour's worth, PerHour alone zero gives nothing back.
type Limit struct {
	Burst   float64 `yaml:"burst" range:"0..1000000"`    // credits that can be spent at once
	PerHour float64 `yaml:"per_hour" range:"0..1000000"` // credits that come back in an hour
}

// Moderation lists the operator's own words and phrases. No entry is blank.
type Moderation struct {
	Allow  []string `yaml:"allow"`  // harmless here, whatever the built-in lists say
	Review []string `yaml:"review"` // a moderator decides
	Block  []string `yaml:"block"`  // never
}

// Default returns the configuration of an empty file. Its DataDir is empty, since that
// depends on the user; [Load] fills it in.
func Default() Config {
	return Config{
		Model:  "builtin",
		Device: "auto",
		Listen: "127.0.0.1:8321",
		Log:    Log{Level: "info"},
		Engine: Engine{MaxLanes: 16, Memory: 4 << 30, Queue: 256},
	}
}

// Validate reports every value that is not allowed, a line each. Parse and Load have
// done so already; it is for a Config that something else, such as a flag, has changed.
func (c Config) Validate() error {
	var errs []error
	for _, f := range fields(reflect.ValueOf(&c).Elem(), "") {
		if err := f.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.key, err))
		}
	}
	return errors.Join(errs...)
}
