package configs

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// environment is a lookup as [os.LookupEnv] is.
type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadTakesTheNearestFile(t *testing.T) {
	here, home, xdg := t.TempDir(), t.TempDir(), t.TempDir()
	t.Chdir(here)
	env := environment{"HOME": home}
	load := func(path, want string) {
		t.Helper()
		c, err := Load(path, env.lookup)
		if err != nil || c.Model != want {
			t.Errorf("model %q, %v; want %q", c.Model, err, want)
		}
	}
	load("", "builtin")
	write(t, filepath.Join(home, ".config/easel/easel.yaml"), "model: home\n")
	load("", "home")
	env["XDG_CONFIG_HOME"] = "relative"
	load("", "home")
	env["XDG_CONFIG_HOME"] = xdg
	load("", "builtin")
	write(t, filepath.Join(xdg, "easel/easel.yaml"), "model: xdg\n")
	load("", "xdg")
	write(t, "easel.yaml", "model: here\n")
	load("", "here")
	load(write(t, filepath.Join(home, "other.yaml"), "model: named\n"), "named")
}

func TestLoadEnvironmentWins(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "easel.yaml"), "model: file\ndevice: cpu\ndata_dir: /file\nlog: {level: warn}\nlisten: ':1'\npublic_url: http://file\n")
	tests := []struct {
		name string
		env  environment
		want [6]string // model, device, data folder, level, listen, public URL
	}{
		{"nothing", environment{}, [6]string{"file", "cpu", "/file", "warn", ":1", "http://file"}},
		{"empty is unset", environment{"EASEL_MODEL": "", "EASEL_DEVICE": ""}, [6]string{"file", "cpu", "/file", "warn", ":1", "http://file"}},
		{
			"all",
			environment{
				"EASEL_MODEL": "env", "EASEL_DEVICE": "cuda:2", "EASEL_DATA_DIR": "/env", "EASEL_LOG_LEVEL": "error",
				"EASEL_LISTEN": "[::1]:0", "EASEL_PUBLIC_URL": "https://env",
			},
			[6]string{"env", "cuda:2", "/env", "error", "[::1]:0", "https://env"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(path, tt.env.lookup)
			if got := [6]string{c.Model, c.Device, c.DataDir, c.Log.Level, c.Listen, c.PublicURL}; err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestLoadFolders(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "easel.yaml"), "")
	tests := []struct {
		name    string
		env     environment
		dataDir string
	}{
		{"no home", environment{}, ""},
		{"home", environment{"HOME": "/home/ada"}, "/home/ada/.local/share/easel"},
		{"XDG", environment{"HOME": "/home/ada", "XDG_DATA_HOME": "/data"}, "/data/easel"},
		{"relative XDG", environment{"HOME": "/home/ada", "XDG_DATA_HOME": "data"}, "/home/ada/.local/share/easel"},
		{"given", environment{"HOME": "/home/ada", "EASEL_DATA_DIR": "/srv/easel"}, "/srv/easel"},
		{"tilde", environment{"HOME": "/home/ada", "EASEL_DATA_DIR": "~/easel"}, "/home/ada/easel"},
		{"tilde without home", environment{"EASEL_DATA_DIR": "~/easel"}, "~/easel"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(path, tt.env.lookup)
			if err != nil || c.DataDir != tt.dataDir {
				t.Errorf("got %q, %v; want %q", c.DataDir, err, tt.dataDir)
			}
		})
	}
}

func TestLoadMistakes(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "bad.yaml", "modle: a\n")
	write(t, "large.yaml", strings.Repeat("#", maxBytes+1))
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	const (
		head   = "the configuration file cannot be read ("
		advice = "); name another with --config, or leave --config out"
	)
	tests := []struct {
		name, path string
		env        environment
		want       string
	}{
		{"missing", "nope.yaml", nil, head + "open nope.yaml: no such file or directory" + advice},
		{"a folder", "folder", nil, head + "read folder: is a directory" + advice},
		{"large", "large.yaml", nil, "large.yaml: more than 1MiB: not a configuration file"},
		{
			"file and environment", "bad.yaml",
			environment{"EASEL_DEVICE": "gpu", "EASEL_LOG_LEVEL": "LOUD", "EASEL_LISTEN": "8321"},
			`bad.yaml:1: unknown key "modle": did you mean "model"?
EASEL_DEVICE: "gpu" is not one of auto, cpu, cuda, cuda:N
EASEL_LISTEN: ` + wantsAddress + `
EASEL_LOG_LEVEL: "LOUD" is not one of debug, info, warn, error`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(tt.path, tt.env.lookup)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got:\n%v\nwant:\n%s", err, tt.want)
			}
			if !reflect.DeepEqual(c, Config{}) {
				t.Errorf("a configuration came with the error: %+v", c)
			}
		})
	}
}

func TestLoadFoundFileMustBeReadable(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir(FileName, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Load("", environment{}.lookup)
	if err == nil || !strings.Contains(err.Error(), "read easel.yaml: is a directory") {
		t.Errorf("got %v", err)
	}
}
