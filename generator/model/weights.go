package model

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/easelbot/easel/inference/graph"
)

// A Weight is how large a network is: the bytes of its graph and of the files of weights beside it. When the network is
// loaded it takes about as much memory, and more with pictures in the making.
type Weight struct {
	Component string
	Bytes     int64
}

// Weights returns how large each network was when the folder was opened, in the order of the layout.
func (f *Folder) Weights() []Weight { return slices.Clone(f.weights) }

// Weight is the sum of [Folder.Weights].
func (f *Folder) Weight() int64 {
	var sum int64
	for _, w := range f.weights {
		sum += w.Bytes
	}
	return sum
}

// Half reports whether a network takes or gives float16, which tells that it computes in it. A network that keeps weights
// in float16 and computes in float32 is not of half precision.
func (f *Folder) Half(component string) bool {
	s := f.Signature(component)
	return slices.ContainsFunc(slices.Concat(s.Inputs, s.Outputs), func(v graph.Value) bool { return v.Type == graph.Float16 })
}

// Precision says for people what the networks compute in: "fp32", "fp16", or "fp16, vae_decoder fp32" and the like.
func (f *Folder) Precision() string {
	name := func(component string) string {
		if f.Half(component) {
			return "fp16"
		}
		return "fp32"
	}
	most := name(UNet) // by far the largest
	words := []string{most}
	for _, w := range f.weights {
		if name(w.Component) != most {
			words = append(words, w.Component+" "+name(w.Component))
		}
	}
	return strings.Join(words, ", ")
}

const (
	maxFiles   = 1 << 14 // of weights beside one graph; some exporters write one a tensor
	maxMissing = 3       // named one by one
)

// beside checks that files of weights lie where the graph says, and nowhere outside, and returns how many bytes they have.
func (in *inspector) beside(component string, sig graph.Signature) int64 {
	files := sig.External
	switch {
	case len(files) > 0 && in.folder.Dir == "":
		in.problem(file(component), "keeps its weights in a file beside it (%s), which an embedded model cannot", files[0])
		return 0
	case len(files) > maxFiles:
		in.problem(file(component), "keeps its weights in %d files, and %d are the most; export it again with all in one", len(files), maxFiles)
		return 0
	}
	var sum int64
	missing := 0
	for _, name := range files {
		if !beneath(name) {
			in.problem(file(component), "wants weights from outside its folder (%q); do not use this file", name)
			return sum
		}
		size, err := in.size(component, name)
		if err == nil && size < sig.Reach[name] {
			err = in.short(path.Join(component, name), size, sig.Reach[name])
		}
		sum += size
		if err == nil {
			continue
		}
		if missing++; missing > maxMissing {
			in.problem(file(component), "cannot use others of its %d files of weights either", len(files))
			return sum
		}
		in.unusable(component, name, err)
	}
	return sum
}

// beneath reports whether a graph's name of a file leads down from the graph's folder, on every system and through every
// link that the folder may hold.
func beneath(name string) bool {
	return filepath.IsLocal(name) && !strings.Contains(name, `\`) && !slices.Contains(strings.Split(name, "/"), "..")
}

func (in *inspector) size(component, name string) (int64, error) {
	full := path.Join(component, name)
	info, err := in.stat(full)
	if err != nil {
		return 0, err
	}
	return info.Size(), in.nextTo(file(component), full)
}

// short says why a file of weights has too few bytes.
func (in *inspector) short(file string, size, need int64) error {
	if other := in.impostor(file); other != "" {
		return errors.New(other)
	}
	return fmt.Errorf("it is cut short, %d bytes of %d; copy it again", size, need)
}

func (in *inspector) unusable(component, name string, err error) {
	full := path.Join(component, name)
	if isMissing(err) {
		in.problem(full, "is missing: %s keeps weights in it; copy it from where you have the model", file(component))
		return
	}
	in.problem(full, "cannot be used, though %s keeps weights in it: %v", file(component), err)
}

// has reports whether there is such a file.
func (in *inspector) has(file string) bool {
	info, err := fs.Stat(in.folder.fsys, file)
	return err == nil && info.Mode().IsRegular()
}
