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
//     word on where to put it, and no error shows its value or a neighbouring line. Each
//     has a key of the same name and "_file" beside it, which may name a file that holds
//     the secret; [Load] reads it unless the environment has the secret.
//
// # Tags
//
//	yaml:"name"       the key, within its section
//	env:"EASEL_NAME"  the environment variable that overrides it
//	oneof:"a|b|c:N"   the strings allowed; N stands for a whole number from 0
//	range:"2..256"    the least and the greatest value, both allowed
//	form:"address"    what the text must look like; see forms
//	secret:"true"     refused in the file; a key "name_file" beside it may name a file
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
	Upscaler   string     `yaml:"upscaler" env:"EASEL_UPSCALER"`                          // file of a network that makes pictures larger; "" is Lanczos' filter
	CLIP       string     `yaml:"clip" env:"EASEL_CLIP"`                                  // folder of a CLIP that scores pictures; "" is none
	Models     []string   `yaml:"models"`                                                 // names or folders of further models
	Device     string     `yaml:"device" env:"EASEL_DEVICE" oneof:"auto|cpu|cuda|cuda:N"` // where the model runs
	DataDir    string     `yaml:"data_dir" env:"EASEL_DATA_DIR"`                          // what Easel keeps; see [Load]
	Listen     string     `yaml:"listen" env:"EASEL_LISTEN" form:"address"`               // where the web server listens, HOST:PORT
	PublicURL  string     `yaml:"public_url" env:"EASEL_PUBLIC_URL" form:"origin"`        // what people type to get there; "" if that is Listen
	Log        Log        `yaml:"log"`
	Engine     Engine     `yaml:"engine"`
	Limits     Limits     `yaml:"limits"`
	Moderation Moderation `yaml:"moderation"`
	Discord    Discord    `yaml:"discord"`
	Slack      Slack      `yaml:"slack"`
	Redis      Redis      `yaml:"redis"`
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
	Weights  Size `yaml:"weights" range:"0B..1TiB"`   // most bytes of loaded models, by their files; 0 is no bound
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

// Discord is how Easel gets there. It is on when Token is set.
type Discord struct {
	Token            string `yaml:"token" env:"EASEL_DISCORD_TOKEN" secret:"true"` // the bot's
	TokenFile        string `yaml:"token_file"`
	AppID            string `yaml:"app_id" env:"EASEL_DISCORD_APP_ID" form:"snowflake"`            // the application
	GuildID          string `yaml:"guild_id" env:"EASEL_DISCORD_GUILD_ID" form:"snowflake"`        // where commands are registered; "" is everywhere
	PublicKey        string `yaml:"public_key" env:"EASEL_DISCORD_PUBLIC_KEY" form:"key"`          // what signs interactions over HTTP, 64 hexadecimal digits
	ClientSecret     string `yaml:"client_secret" env:"EASEL_DISCORD_CLIENT_SECRET" secret:"true"` // for signing in
	ClientSecretFile string `yaml:"client_secret_file"`
	ReviewChannel    string `yaml:"review_channel" env:"EASEL_DISCORD_REVIEW_CHANNEL" form:"snowflake"` // the moderators'
	APIURL           string `yaml:"api_url" env:"EASEL_DISCORD_API_URL" form:"http"`                    // another server for Discord's own, without a version
	GatewayURL       string `yaml:"gateway_url" env:"EASEL_DISCORD_GATEWAY_URL" form:"websocket"`       // another gateway
}

// Slack is how Easel gets there. It is on when BotToken or ClientID is set.
type Slack struct {
	BotToken          string `yaml:"bot_token" env:"EASEL_SLACK_BOT_TOKEN" secret:"true"` // xoxb-…
	BotTokenFile      string `yaml:"bot_token_file"`
	AppToken          string `yaml:"app_token" env:"EASEL_SLACK_APP_TOKEN" secret:"true"` // xapp-…; with it Socket Mode, else HTTP
	AppTokenFile      string `yaml:"app_token_file"`
	SigningSecret     string `yaml:"signing_secret" env:"EASEL_SLACK_SIGNING_SECRET" secret:"true"` // for HTTP
	SigningSecretFile string `yaml:"signing_secret_file"`
	ClientID          string `yaml:"client_id" env:"EASEL_SLACK_CLIENT_ID"`                       // for installing by OAuth
	ClientSecret      string `yaml:"client_secret" env:"EASEL_SLACK_CLIENT_SECRET" secret:"true"` // the same
	ClientSecretFile  string `yaml:"client_secret_file"`
	ReviewChannel     string `yaml:"review_channel" env:"EASEL_SLACK_REVIEW_CHANNEL" form:"channel"` // the moderators', by its ID
	APIURL            string `yaml:"api_url" env:"EASEL_SLACK_API_URL" form:"http"`                  // another server for Slack's own, with /api/
}

// Redis is where limits are counted when several processes share them.
type Redis struct {
	URL     string `yaml:"url" env:"EASEL_REDIS_URL" form:"redis" secret:"true"` // "": each process counts for itself
	URLFile string `yaml:"url_file"`
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
