package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/easelbot/easel/inference/graph"
)

// Sizes above which a file is not what it should be.
const (
	maxConfig    = 1 << 20
	maxTokenizer = 64 << 20
)

// An inspector fills a Folder from its files. It goes on after a problem, so that one look
// finds them all; parts that could not be read stay zero and are not compared.
type inspector struct {
	folder   *Folder
	findings []Finding
}

func inspect(fsys fs.FS, name, dir string) *inspector {
	in := &inspector{folder: &Folder{Name: name, Dir: dir, fsys: fsys, signatures: map[string]graph.Signature{}}}
	if !in.index() {
		return in
	}
	in.denoiser()
	in.vae()
	in.scheduler()
	in.graphs()
	in.tokenizer()
	in.fit()
	in.easel()
	return in
}

func (in *inspector) problem(file, format string, args ...any) {
	in.findings = append(in.findings, Finding{File: file, Text: fmt.Sprintf(format, args...), Problem: true})
}

func (in *inspector) note(file, format string, args ...any) {
	in.findings = append(in.findings, Finding{File: file, Text: fmt.Sprintf(format, args...)})
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

// index reads model_index.json; without it, or for a family we cannot run, there is nothing
// further to say.
func (in *inspector) index() bool {
	const file = "model_index.json"
	var parts map[string]json.RawMessage
	if !in.need(file, &parts, "this is no model folder; give the folder that holds model_index.json") {
		return false
	}
	if err := json.Unmarshal(parts["_class_name"], &in.folder.Pipeline); err != nil || in.folder.Pipeline == "" {
		in.problem(file, "_class_name is missing; it names the kind of model, such as StableDiffusionPipeline")
		return false
	}
	if family := familyOfIndex(in.folder.Pipeline, parts); family != "" {
		in.problem(file, "%s", refusal(family))
		return false
	}
	return true
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
func (in *inspector) reported(file string) bool {
	n := len(in.findings)
	return n > 0 && in.findings[n-1].File == file && in.findings[n-1].Problem
}

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

// bytes reads a small file whole, and reports whether it was there and could be read.
func (in *inspector) bytes(file string, limit int64) ([]byte, bool) {
	f, err := in.folder.fsys.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	if err != nil {
		in.problem(file, "cannot be opened: %v", err)
		return nil, false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		in.problem(file, "cannot be read: %v", err)
	case int64(len(b)) > limit:
		in.problem(file, "is larger than %d MiB, which no such file is", limit>>20)
	default:
		return b, true
	}
	return nil, false
}

// explain words JSON's errors for somebody who edits the file.
func explain(err error, file []byte) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line := 1 + bytes.Count(file[:min(int(syntax.Offset), len(file))], []byte("\n"))
		return fmt.Errorf("line %d is not JSON", line)
	}
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) && typ.Field != "" {
		return fmt.Errorf("%s should be %v, not %s", typ.Field, typ.Type, typ.Value)
	}
	return err
}
