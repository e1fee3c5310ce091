package inference

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/easelbot/easel/inference/graph"
)

// A source is a graph to open, perhaps an edited one: then it has bytes, and weights is the
// folder that the weights outside them lie in, if there are any.
type source struct {
	Graph
	weights string
}

// read reads the signature and checks that the weights are where they may be.
func read(g source) (graph.Signature, error) {
	r, err := content(g.Graph)
	if err != nil {
		return graph.Signature{}, err
	}
	defer r.Close()
	sig, err := graph.Read(r)
	if err != nil {
		return sig, err
	}
	for _, file := range sig.External {
		if g.Path == "" && g.weights == "" {
			return sig, fmt.Errorf("its weights lie in another file (%s); open it from a path", file)
		}
		if !filepath.IsLocal(file) {
			return sig, fmt.Errorf("it wants weights from %q, outside its own folder; do not use it unless you know who made it, and then export it again", file)
		}
	}
	return sig, nil
}

// edit makes what the options ask for of a graph that lacks it. It is not ok when there is
// nothing to do or no way to.
//
// The edited graph is in memory while the runtime reads it, besides what the runtime itself
// needs to: that is the size of the graph's file, two megabytes where the weights have a file
// of their own, up to two gigabytes where they do not.
func edit(g Graph, o Options) (source, bool) {
	if o.PerRow == "" && !o.Skips {
		return source{}, false
	}
	r, err := content(g)
	if err != nil {
		return source{}, false // opening it as it is will tell
	}
	defer r.Close()
	draft, err := graph.Parse(r)
	if err != nil {
		return source{}, false // likewise
	}
	if o.PerRow != "" {
		draft.PerRow(o.PerRow)
	}
	if o.Skips {
		draft.Skips()
	}
	if !draft.Edited() {
		return source{}, false
	}
	folder := ""
	if g.Path != "" {
		if folder, err = move(draft, g.Path); err != nil {
			return source{}, false
		}
	}
	edited, err := draft.Bytes()
	if err != nil {
		return source{}, false
	}
	return source{Graph{Name: g.Name, Bytes: edited}, folder}, true
}

// move returns the folder where the weights beside a graph's file really lie. The runtime takes
// them from there alone if the graph comes from memory, so that links, which Hugging Face's
// cache consists of, are followed here; out of the graph's own real folder they may not lead.
func move(draft *graph.Draft, path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	folder := filepath.Dir(real)
	known := map[string]string{} // a file may hold thousands of weights
	return folder, draft.Relocate(func(file string) (string, error) {
		if _, ok := known[file]; !ok {
			to, err := inside(folder, filepath.Join(filepath.Dir(path), file))
			if err != nil {
				return "", err
			}
			known[file] = to
		}
		return known[file], nil
	})
}

// inside returns the place of a file relative to the folder that it must lie in.
func inside(folder, file string) (string, error) {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	to, err := filepath.Rel(folder, file)
	if err == nil && !filepath.IsLocal(to) {
		err = fmt.Errorf("%s is not in %s", file, folder)
	}
	return to, err
}

// content opens a graph's bytes for reading.
func content(g Graph) (io.ReadSeekCloser, error) {
	if g.Path == "" {
		return inMemory{bytes.NewReader(g.Bytes)}, nil
	}
	return os.Open(g.Path)
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// skips returns the outputs that Options.Skips adds, if they were not named.
func skips(sig graph.Signature, o Options) []graph.Value {
	return slices.DeleteFunc(slices.Clone(sig.Outputs), func(v graph.Value) bool {
		return !o.Skips || !strings.HasPrefix(v.Name, "skip.") || slices.Contains(o.Outputs, v.Name)
	})
}

// forget gives the memory of a large graph, which nobody needs any more, back to the system at once.
func forget(size int) {
	const large = 64 << 20
	if size > large {
		debug.FreeOSMemory()
	}
}
