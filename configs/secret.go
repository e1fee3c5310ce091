package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"unicode"
)

// maxSecret is more than any token or URL has.
const maxSecret = 64 << 10

// readSecrets fills the secrets that the environment has not set from the files that keys
// ending in _file name. Its errors show neither a file's content nor its name, which may
// be a secret put into the wrong place.
func (u user) readSecrets(config reflect.Value) error {
	var errs []error
	files := map[string]string{}
	all := fields(config, "")
	for _, f := range all {
		if f.value.Kind() == reflect.String {
			files[f.key] = f.value.String()
		}
	}
	for _, f := range all {
		key := f.key + "_file"
		if !f.isSecret() || f.value.String() != "" || files[key] == "" {
			continue
		}
		if err := f.fill(u.expand(files[key])); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	return errors.Join(errs...)
}

// fill sets a secret to what a file holds.
func (f field) fill(path string) error {
	content, err := read(path)
	if err != nil {
		return fmt.Errorf("the file it names cannot be read (%w)", cause(err))
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch {
	case blank(text):
		return errors.New("the file it names is empty: put the secret in it, alone")
	case len(text) > maxSecret || strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("the file it names holds more than one line: put the secret in it, alone")
	}
	if err := f.set(text); err != nil {
		return err
	}
	return f.check()
}

// cause is what the system says, without the path.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
