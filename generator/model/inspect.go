package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"

	"github.com/easelbot/easel/inference/graph"
)

// maxFindings is how many findings are kept; a folder with more is not worth the reading.
const maxFindings = 100

// An inspector fills a Folder from its files. It goes on after a problem, so that one look
// finds them all; parts that could not be read stay zero and are not compared.
type inspector struct {
	folder   *Folder
	findings []Finding
	last     Finding

	xl         bool                     // the index tells of Stable Diffusion XL
	texts      []string                 // the text encoders that it names
	aesthetics *bool                    // requires_aesthetics_score, if told
	unet       unetConfig               // zero if it could not be used
	upcast     bool                     // the VAE's force_upcast
	encoders   map[string]encoderConfig // that were read
}

func inspect(fsys fs.FS, name, dir string) *inspector {
	in := &inspector{
		folder:   &Folder{Name: name, Dir: dir, fsys: fsys, signatures: map[string]graph.Signature{}},
		encoders: map[string]encoderConfig{},
	}
	if !in.index() {
		return in
	}
	in.denoiser()
	in.vae()
	in.scheduler()
	in.graphs()
	in.tokenizers()
	in.widths()
	in.conditioning()
	in.fit()
	in.easel()
	in.remarks()
	in.folder.Family = family(in.folder)
	return in
}

func (in *inspector) problem(file, format string, args ...any) {
	in.finding(true, file, format, args...)
}

func (in *inspector) note(file, format string, args ...any) {
	in.finding(false, file, format, args...)
}

func (in *inspector) finding(problem bool, file, format string, args ...any) {
	in.last = Finding{File: plain(file), Text: plain(fmt.Sprintf(format, args...)), Problem: problem}
	if len(in.findings) < maxFindings || problem && len(in.problems()) == 0 {
		in.findings = append(in.findings, in.last)
	}
}

func (in *inspector) problems() []Finding {
	var list []Finding
	for _, f := range in.findings {
		if f.Problem {
			list = append(list, f)
		}
	}
	return list
}

const indexFile = "model_index.json"

// index reads model_index.json; without it, or for a family we cannot run, there is nothing
// further to say.
func (in *inspector) index() bool {
	var parts map[string]json.RawMessage
	if !in.need(indexFile, &parts, "this is no model folder; give the folder that holds model_index.json") {
		return false
	}
	if err := json.Unmarshal(parts["_class_name"], &in.folder.Pipeline); err != nil || in.folder.Pipeline == "" {
		in.problem(indexFile, "_class_name is missing; it names the kind of model, such as StableDiffusionPipeline")
		return false
	}
	if family := familyOfIndex(in.folder.Pipeline, parts); family != "" {
		in.problem(indexFile, "%s", refusal(family))
		return false
	}
	return in.encodersOf(parts)
}

// encodersOf finds which text encoders there are, and what the index tells of their use.
func (in *inspector) encodersOf(parts map[string]json.RawMessage) bool {
	in.xl = present(parts[TextEncoder2]) || strings.Contains(in.folder.Pipeline, "XL")
	for _, component := range []string{TextEncoder, TextEncoder2} {
		part, told := parts[component]
		if present(part) || !told && (component == TextEncoder || in.xl) {
			in.texts = append(in.texts, component)
		}
	}
	last := TextEncoder
	if in.xl {
		last = TextEncoder2
	}
	if n := len(in.texts); n == 0 || in.texts[n-1] != last {
		in.problem(indexFile, "leaves out %s, without which no prompt can be read; copy the file from the model's original folder", last)
		return false
	}
	in.aesthetics = in.flag(parts, "requires_aesthetics_score")
	zeros := in.flag(parts, "force_zeros_for_empty_prompt")
	in.folder.ZeroEmpty = in.xl && (zeros == nil || *zeros)
	return true
}

// flag reads a setting of the index that is true or false, or nil if it is not there.
func (in *inspector) flag(parts map[string]json.RawMessage, key string) *bool {
	var set *bool
	if part, told := parts[key]; told && json.Unmarshal(part, &set) != nil {
		in.problem(indexFile, "%s should be true or false", key)
	}
	return set
}

// need reads a JSON file that must be there, and reports whether it could be used.
func (in *inspector) need(file string, into any, advice string) bool {
	found := in.read(file, into)
	if !found && !in.reported(file) {
		in.problem(file, "is missing: %s", advice)
	}
	return found && !in.reported(file)
}

// reported tells whether the last finding is about this file.
func (in *inspector) reported(file string) bool { return in.last.Problem && in.last.File == file }

// read reads a JSON object, and reports whether it was there and good; what is there and
// bad is a problem.
func (in *inspector) read(file string, into any) bool {
	b, ok := in.bytes(file, maxConfig)
	if !ok {
		return false
	}
	if err := json.Unmarshal(b, into); err != nil {
		in.problem(file, "is no valid configuration: %v", explain(err, b))
		return false
	}
	return true
}

// kindOf words a type as JSON has it.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text in quotes"
	case reflect.Array:
		return "one whole number or two" // as of sides
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object in braces"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Pointer:
		return kindOf(t.Elem())
	}
	return "a whole number"
}

// explain words JSON's errors for somebody who edits the file.
func explain(err error, file []byte) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at := min(int(syntax.Offset), len(file))
		line := 1 + bytes.Count(file[:at], []byte("\n"))
		if at > 0 && (file[at-1] == 'N' || file[at-1] == 'I') { // as Python writes them
			return fmt.Errorf("line %d is not JSON, which knows no NaN and no Infinity; copy the file again", line)
		}
		return fmt.Errorf("line %d is not JSON", line)
	}
	var typ *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &typ):
		return err
	case typ.Field == "":
		return fmt.Errorf("it should be %s, not %s", kindOf(typ.Type), typ.Value)
	}
	return fmt.Errorf("%s should be %s, not %s", typ.Field, kindOf(typ.Type), strings.TrimPrefix(typ.Value, "number "))
}
