package configs

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// What a file may be at most. The parser recurses for each level and takes time that
// grows with the square of the number of keys, so both are bounded before it runs.
const (
	maxBytes  = 1 << 20
	maxTokens = 1 << 15
	maxDepth  = 16
)

// Parse reads a configuration file's bytes over [Default]. The name begins each error.
// It reads neither the environment nor any other file.
func Parse(yaml []byte, name string) (Config, error) {
	c := Default()
	if err := parseInto(reflect.ValueOf(&c).Elem(), yaml, name); err != nil {
		return Config{}, err
	}
	return c, nil
}

// parseInto reads a file into any struct that is tagged as [Config] is.
func parseInto(dst reflect.Value, text []byte, name string) error {
	body, err := syntax(text, name)
	if err != nil || body == nil {
		return err
	}
	d := decoder{name: name, schema: map[string]field{}}
	for _, f := range fields(dst, "") {
		d.schema[f.key] = f
		d.known = append(d.known, f.key)
	}
	d.section(body, field{value: dst})
	return errors.Join(d.errs...)
}

// syntax returns the one document's content, nil if it has none.
func syntax(text []byte, name string) (ast.Node, error) {
	if len(text) > maxBytes {
		return nil, fmt.Errorf("%s: more than %v: not a configuration file", name, Size(maxBytes))
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, fmt.Errorf("%s: not UTF-8 text: save it as UTF-8", name)
	}
	tokens := lexer.Tokenize(string(bytes.TrimPrefix(text, []byte("\ufeff"))))
	if err := refuse(tokens, name); err != nil {
		return nil, err
	}
	// Keys set twice are left to the decoder, which knows both lines.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(err, name)
	}
	return onlyDocument(file, name)
}

// refuse finds what is valid YAML and has no place in a configuration.
func refuse(tokens token.Tokens, name string) error {
	flow, run, count := 0, 0, 0
	for _, t := range tokens {
		if why := refused[t.Type]; why != "" {
			return lineError(name, t, why)
		}
		switch t.Type {
		case token.CommentType:
			continue
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType:
			run++
		default:
			run = 0
		}
		if count++; count > maxTokens {
			return lineError(name, t, "the file is too long from here on")
		}
		if flow+run > maxDepth {
			return lineError(name, t, fmt.Sprintf("lists nested more than %d deep", maxDepth))
		}
	}
	return nil
}

var refused = map[token.Type]string{
	token.AnchorType:     `anchors ("&name") are not supported: write the value out, or quote it`,
	token.AliasType:      `aliases ("*name") are not supported: write the value out, or quote it`,
	token.TagType:        `tags ("!name") are not supported: leave the tag out, or quote the value`,
	token.DirectiveType:  `directives ("%NAME") are not supported: leave the line out`,
	token.MappingKeyType: `explicit keys ("? key") are not supported: write "key: value"`,
}

// syntaxError keeps the parser's message and line, and drops the source it would print.
func syntaxError(err error, name string) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: not valid YAML", name)
	}
	return lineError(name, at.GetToken(), "not valid YAML: "+at.GetMessage())
}

func onlyDocument(file *ast.File, name string) (ast.Node, error) {
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			return nil, lineError(name, doc.Body.GetToken(), `a second document begins here: keep to one, without "---" in between`)
		default:
			body = doc.Body
		}
	}
	return body, nil
}

func lineError(name string, at *token.Token, text string) error {
	if at == nil || at.Position == nil {
		return fmt.Errorf("%s: %s", name, text)
	}
	return fmt.Errorf("%s:%d: %s", name, at.Position.Line, text)
}
