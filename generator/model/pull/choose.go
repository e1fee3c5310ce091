package pull

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/easelbot/easel/generator/model"
)

// The files of each folder that the layout needs, weights beside graphs aside. "" is the model's own folder.
var wanted = map[string][]string{
	"":                 {"model_index.json", "easel.json", "README.md", "LICENSE", "LICENSE.md", "LICENSE.txt", "LICENSE.TXT", "Licence.txt"},
	"scheduler":        {"scheduler_config.json"},
	"tokenizer":        tokenizerFiles,
	"tokenizer_2":      tokenizerFiles,
	"vae":              {"config.json"},
	model.TextEncoder:  networkFiles,
	model.TextEncoder2: networkFiles,
	model.UNet:         networkFiles,
	model.VAEDecoder:   networkFiles,
	model.VAEEncoder:   networkFiles,
}

var (
	networkFiles   = []string{graphFile, "config.json"}
	tokenizerFiles = []string{
		"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
		"vocab.json", "merges.txt", "vocab.txt",
	}
)

const graphFile = "model.onnx"

// weights matches the names that exporters give to the weights beside a graph.
var weights = regexp.MustCompile(`^(model\.onnx[._]data(_[0-9]+)?|weights\.pb|model\.(data|weights))$`)

// choose picks from a repository what the layout needs, smallest first, so that what is missing or wrong shows before the
// gigabytes come.
func choose(all map[string]File) ([]File, error) {
	var files []File
	for _, f := range all {
		if needed(f.Path) {
			files = append(files, f)
		}
	}
	if err := complete(all); err != nil {
		return nil, err
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.Path, b.Path)) })
	return files, bounded(files)
}

func needed(name string) bool {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	names, ok := wanted[dir]
	return ok && (slices.Contains(names, base) || slices.Contains(names, graphFile) && weights.MatchString(base))
}

// errNoGraphs tells what to do about a repository that has a model, but not as ONNX.
var errNoGraphs = errors.New("the repository has no ONNX graphs in diffusers' layout (unet/model.onnx); " +
	"look for an ONNX export of the model, or make one: optimum-cli export onnx --model OWNER/NAME FOLDER")

func complete(all map[string]File) error {
	if _, ok := all["model_index.json"]; !ok {
		return errors.New("the repository has no model_index.json, so it holds no model in diffusers' layout; look for one that does")
	}
	if _, ok := all[model.UNet+"/"+graphFile]; !ok {
		return errNoGraphs
	}
	return nil
}

// bounded refuses more than any model has, and names of which a disk that ignores case would make one.
func bounded(files []File) error {
	var size int64
	met := map[string]bool{}
	for _, f := range files {
		if size += f.Size; size > maxModel {
			return fmt.Errorf("the model is larger than %d GiB, which none of its kind is", int64(maxModel)>>30)
		}
		if err := portable(f.Path); err != nil {
			return fmt.Errorf("the repository has %w", err)
		}
		name := strings.ToLower(f.Path)
		if met[name] {
			return fmt.Errorf("the repository has %s in capitals and in small letters, which not every disk can keep apart", f.Path)
		}
		met[name] = true
	}
	return nil
}

// Sum returns the bytes of files together.
func Sum(files []File) (size int64) {
	for _, f := range files {
		size += f.Size
	}
	return size
}
