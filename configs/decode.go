package configs

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A decoder walks a document against the fields of a struct and collects every mistake.
type decoder struct {
	name   string
	schema map[string]field
	known  []string // the schema's keys in the struct's order
	errs   []error
}

func (d *decoder) report(at *token.Token, format string, args ...any) {
	d.errs = append(d.errs, lineError(d.name, at, fmt.Sprintf(format, args...)))
}

// section reads the keys of one mapping; the root has the key "".
func (d *decoder) section(n ast.Node, at field) {
	entries, ok := n.(ast.MapNode)
	if !ok {
		d.report(n.GetToken(), "%s: expected keys, found %s", cmp.Or(at.key, "the file"), describe(n))
		return
	}
	first := map[string]int{}
	for e := entries.MapRange(); e.Next(); {
		name := e.Key().GetToken()
		if line, twice := first[name.Value]; twice {
			d.report(name, "%q is set twice, first on line %d: keep one", joined(at.key, name.Value), line)
			continue
		}
		first[name.Value] = name.Position.Line
		d.entry(name, joined(at.key, name.Value), e.Value())
	}
}

func (d *decoder) entry(name *token.Token, key string, value ast.Node) {
	f, ok := d.schema[key]
	switch {
	case !ok || strings.Contains(name.Value, "."):
		d.report(name, "unknown key %.66q: %s", key, suggest(key, d.known))
	case f.isSecret():
		d.report(name, "%s is a secret and is not read from this file: set %s, or name a file in %[1]s_file", key, f.tag.Get("env"))
	case f.isSection() && value.Type() == ast.NullType: // all of its keys are commented out
	case f.isSection():
		d.section(value, f)
	case f.isList():
		d.list(name, f, value)
	default:
		d.leaf(name, f, value)
	}
}

func (d *decoder) leaf(name *token.Token, f field, value ast.Node) {
	text, ok := f.text(value)
	if !ok {
		d.report(name, "%s: %s", f.key, f.mismatch(value))
		return
	}
	err := f.set(text)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		d.report(name, "%s: %v", f.key, err)
	}
}

// list reads a list of texts. One whose entries are all commented out is empty.
func (d *decoder) list(name *token.Token, f field, value ast.Node) {
	entries, ok := value.(*ast.SequenceNode)
	if !ok && value.Type() != ast.NullType {
		d.report(name, `%s: expected a list, found %s: write ["one", "and another"], or each after a "- " on a line of its own`, f.key, describe(value))
	}
	if !ok {
		return
	}
	var list []string
	for _, n := range entries.Values {
		text, ok := written(n)
		switch {
		case ok && blank(text), n.Type() == ast.NullType:
			d.report(n.GetToken(), "%s: %v", f.key, errBlank)
		case !ok:
			d.report(n.GetToken(), "%s: expected text, found %s%s", f.key, describe(n), inQuotes(n))
		}
		list = append(list, text)
	}
	f.value.Set(reflect.ValueOf(list))
}

// text is the node's value as [field.set] reads it, and whether its type is the field's.
func (f field) text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return fmt.Sprint(n.Value), f.isNumeric() // 0x10 as 16
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return fmt.Sprint(n.(ast.ScalarNode).GetValue()), f.value.CanFloat()
	}
	text, ok := written(n)
	return text, ok && !f.isNumeric()
}

// written is the text of a node that is text.
func written(n ast.Node) (text string, ok bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

func (f field) mismatch(n ast.Node) string {
	if n.Type() == ast.NullType {
		return "has no value: give it one, or leave the line out for the default"
	}
	text := fmt.Sprintf("expected %s, found %s", f.wants(), describe(n))
	if f.value.Kind() == reflect.String {
		text += inQuotes(n)
	}
	return text
}

// inQuotes is what to do with a value of another type where text is expected.
func inQuotes(n ast.Node) string {
	if _, scalar := n.(ast.ScalarNode); scalar {
		return ": put it in quotes"
	}
	return ""
}

// describe names a node's type, never its content.
func describe(n ast.Node) string {
	switch n.Type() {
	case ast.MappingType, ast.MappingValueType:
		return "keys"
	case ast.SequenceType:
		return "a list"
	case ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType:
		return "a number"
	case ast.BoolType:
		return "true or false"
	default:
		return "text"
	}
}

func joined(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}
