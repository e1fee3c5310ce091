package configs

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A field is one key of the configuration, or a section that holds keys.
type field struct {
	key   string // dotted, from the top: "engine.threads"
	tag   reflect.StructTag
	value reflect.Value // addressable
}

// fields lists the sections and keys of a struct in order, a section before its keys.
func fields(section reflect.Value, prefix string) []field {
	var all []field
	for i := range section.NumField() {
		tag := section.Type().Field(i).Tag
		f := field{key: prefix + tag.Get("yaml"), tag: tag, value: section.Field(i)}
		all = append(all, f)
		if f.isSection() {
			all = append(all, fields(f.value, f.key+".")...)
		}
	}
	return all
}

func (f field) isSection() bool { return f.value.Kind() == reflect.Struct }
func (f field) isSecret() bool  { return f.tag.Get("secret") == "true" }
func (f field) isList() bool    { return f.value.Kind() == reflect.Slice }
func (f field) isNumeric() bool { return f.value.Kind() == reflect.Int || f.value.CanFloat() }

// wants names what the field takes.
func (f field) wants() string {
	switch f.value.Interface().(type) {
	case int:
		return "a whole number"
	case float64:
		return "a number"
	case Size:
		return "a size such as 512MiB or 2GiB"
	default:
		return "text"
	}
}

// set reads the field from text as the environment has it. Empty text leaves it as it is.
func (f field) set(text string) error {
	if text == "" {
		return nil
	}
	switch p := f.value.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return p.UnmarshalText([]byte(text))
	case *string:
		*p = text
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("expected %s, found %s", f.wants(), show(text))
		}
		*p = n
	case *float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("expected %s, found %s", f.wants(), show(text))
		}
		*p = x
	default:
		panic(fmt.Sprintf("configs: %s has a type that cannot be a key: %T", f.key, p))
	}
	return nil
}

// check compares the field with its tags oneof, form and range, and looks for blanks in
// a list.
func (f field) check() error {
	if options, ok := f.tag.Lookup("oneof"); ok {
		return checkOption(f.value.String(), strings.Split(options, "|"))
	}
	if form, ok := f.tag.Lookup("form"); ok {
		return forms[form](f.value.String())
	}
	if least, most, ok := strings.Cut(f.tag.Get("range"), ".."); ok {
		// NaN is in no range.
		if n := number(f.value); !(f.bound(least) <= n && n <= f.bound(most)) {
			return fmt.Errorf("%v is out of range: from %s to %s", f.value, least, most)
		}
	}
	if list, ok := f.value.Interface().([]string); ok && slices.ContainsFunc(list, blank) {
		return errBlank
	}
	return nil
}

// bound reads an end of the range as a value of the field's own type.
func (f field) bound(text string) float64 {
	b := field{key: f.key, value: reflect.New(f.value.Type()).Elem()}
	if err := b.set(text); err != nil {
		panic(fmt.Sprintf("configs: range of %s: %v", f.key, err))
	}
	return number(b.value)
}

func number(v reflect.Value) float64 {
	if v.CanFloat() {
		return v.Float()
	}
	return float64(v.Int())
}

// errBlank is for an entry that would match everything, or nothing.
var errBlank = errors.New("an entry is blank: write a word, or take the entry out")

func blank(text string) bool { return strings.TrimSpace(text) == "" }

func checkOption(text string, options []string) error {
	for _, o := range options {
		kind, numbered := strings.CutSuffix(o, ":N")
		if text == o && !numbered {
			return nil
		}
		if n, ok := strings.CutPrefix(text, kind+":"); ok && numbered && isNumber(n) {
			return nil
		}
	}
	return fmt.Errorf("%s is not one of %s", show(text), strings.Join(options, ", "))
}

func isNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// show quotes a value for an error. A value with a space in it may be several lines that
// a missing colon has run together, a secret among them: it is not shown.
func show(text string) string {
	if len(text) > 64 || strings.ContainsAny(text, " \t\r\n") {
		return "a value not shown here"
	}
	return strconv.Quote(text)
}
