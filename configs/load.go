package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// FileName is the configuration file that [Load] looks for when it is not told one.
const FileName = "easel.yaml"

// Load reads the file at path, lets the environment override it and fills in what depends
// on the user. The environment is a lookup such as [os.LookupEnv].
//
// With an empty path it takes easel.yaml in the working directory, or else
// easel/easel.yaml in the user's configuration folder ($XDG_CONFIG_HOME, or ~/.config);
// to find neither is no error. A path that was given has to be readable.
//
// An empty DataDir becomes easel in the user's data folder ($XDG_DATA_HOME, or
// ~/.local/share) and stays empty where HOME is not set either. A leading "~/" in Model,
// Models, Upscaler, CLIP and DataDir is $HOME, and so it is in the names of files with
// secrets; the line's end is no part of a secret. Load creates nothing.
//
// Mistakes in the file, in the environment and in files with secrets are reported together.
func Load(path string, env func(string) (string, bool)) (Config, error) {
	u := user{env}
	name, text, err := u.find(path)
	if err != nil {
		return Config{}, fmt.Errorf("the configuration file cannot be read (%w); name another with --config, or leave --config out", err)
	}
	c := Default()
	config := reflect.ValueOf(&c).Elem()
	if err := errors.Join(parseInto(config, text, name), override(config, u), u.readSecrets(config)); err != nil {
		return Config{}, err
	}
	if c.DataDir == "" {
		c.DataDir = u.folder("XDG_DATA_HOME", ".local/share", "easel")
	}
	for _, path := range []*string{&c.Model, &c.Upscaler, &c.CLIP, &c.DataDir} {
		*path = u.expand(*path)
	}
	for i, path := range c.Models {
		c.Models[i] = u.expand(path)
	}
	return c, nil
}

// override sets the fields whose variable is in the environment.
func override(config reflect.Value, u user) error {
	var errs []error
	for _, f := range fields(config, "") {
		name := f.tag.Get("env")
		text := u.get(name)
		if name == "" || text == "" {
			continue
		}
		err := f.set(text)
		if err == nil {
			err = f.check()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// A user is whose environment and folders count.
type user struct {
	env func(string) (string, bool)
}

// get returns a variable's value; empty and unset are the same.
func (u user) get(name string) string {
	value, _ := u.env(name)
	return value
}

// folder joins the rest to the XDG folder that the variable names, or else to the one
// under $HOME; it is empty where neither is known. As the XDG base directory
// specification asks, a relative folder in the variable is ignored.
func (u user) folder(variable, underHome, rest string) string {
	if base := u.get(variable); filepath.IsAbs(base) {
		return filepath.Join(base, rest)
	}
	if home := u.get("HOME"); home != "" {
		return filepath.Join(home, underHome, rest)
	}
	return ""
}

func (u user) expand(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if home := u.get("HOME"); ok && home != "" {
		return filepath.Join(home, rest)
	}
	return path
}

// find returns the name and the content of the configuration file, if there is one.
func (u user) find(path string) (name string, text []byte, err error) {
	if path != "" {
		text, err = read(path)
		return path, text, err
	}
	for _, path := range []string{FileName, u.folder("XDG_CONFIG_HOME", ".config", "easel/"+FileName)} {
		text, err = read(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return path, text, err
		}
	}
	return "", nil, nil
}

// read reads a file as far as [Parse] needs to see that it is too long.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBytes+1))
}
