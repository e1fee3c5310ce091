package configs

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestSecrets sets each secret of Config from its file and from its variable.
func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	var c Config
	for _, f := range fields(reflect.ValueOf(&c).Elem(), "") {
		if !f.isSecret() {
			continue
		}
		section, name := split(f.key)
		write(t, filepath.Join(dir, "secret"), "redis://file\n")
		yaml := write(t, filepath.Join(dir, "easel.yaml"), section+":\n  "+name+"_file: ~/secret\n")
		env := environment{"HOME": dir}
		if got := secretFrom(t, yaml, env, f.key); got != "redis://file" {
			t.Errorf("%s from its file: got %q", f.key, got)
		}
		env[f.tag.Get("env")] = "redis://env"
		if got := secretFrom(t, yaml, env, f.key); got != "redis://env" {
			t.Errorf("%s from its file and %s: got %q", f.key, f.tag.Get("env"), got)
		}
	}
}

func secretFrom(t *testing.T, path string, env environment, key string) string {
	t.Helper()
	c, err := Load(path, env.lookup)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields(reflect.ValueOf(&c).Elem(), "") {
		if f.key == key {
			return f.value.String()
		}
	}
	return ""
}

func TestSecretFiles(t *testing.T) {
	const alone = "holds more than one line: put the secret in it, alone"
	tests := []struct{ content, want, mistake string }{
		{"hunter2", "hunter2", ""},
		{"hunter2\n", "hunter2", ""},
		{"hunter2\r\n", "hunter2", ""},
		{"  hunter2 ", "  hunter2 ", ""},
		{"hunter2\nhunter2\n", "", alone},
		{"hunter2\n\n", "", alone},
		{"hunter2\x00", "", alone},
		{strings.Repeat("hunter2", maxSecret), "", alone},
		{"", "", "is empty: put the secret in it, alone"},
		{" \n", "", "is empty: put the secret in it, alone"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		yaml := write(t, filepath.Join(dir, "easel.yaml"), "discord: {token_file: "+write(t, filepath.Join(dir, "token"), tt.content)+"}\n")
		c, err := Load(yaml, environment{}.lookup)
		want := "discord.token_file: the file it names " + tt.mistake
		if (err == nil) != (tt.mistake == "") || err != nil && err.Error() != want || c.Discord.Token != tt.want {
			t.Errorf("%.20q: got %.20q, %v; want %q, %s", tt.content, c.Discord.Token, err, tt.want, tt.mistake)
		}
	}
}

// All mistakes are told at once, and none shows a secret, not even one that stands where a file's name should.
func TestSecretFileMistakes(t *testing.T) {
	dir := t.TempDir()
	text := "discord: {token_file: hunter2, client_secret_file: " + dir + "}\nredis: {url_file: " + write(t, filepath.Join(dir, "url"), "hunter2:6379") + "}\n"
	c, err := Load(write(t, filepath.Join(dir, "easel.yaml"), text), environment{"EASEL_DISCORD_GUILD_ID": "home"}.lookup)
	want := `EASEL_DISCORD_GUILD_ID: expected an ID, which is a number such as 123456789012345678 (in YAML in quotes)
discord.token_file: the file it names cannot be read (no such file or directory)
discord.client_secret_file: the file it names cannot be read (is a directory)
redis.url_file: expected redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH, with USER:PASSWORD@ before the host if need be`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if !reflect.DeepEqual(c, Config{}) {
		t.Error("a configuration came with the error")
	}
}

func TestIDsAreWrittenInQuotes(t *testing.T) {
	_, err := Parse([]byte("discord:\n  guild_id: 123456789012345678\n"), "easel.yaml")
	if want := "easel.yaml:2: discord.guild_id: expected text, found a number: put it in quotes"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
