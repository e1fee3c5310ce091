package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/inference"
	"github.com/easelbot/easel/models"
	judge "github.com/easelbot/easel/moderation/image"
)

// errNoFilter tells how to get a picture filter.
var errNoFilter = errors.New("this easel was built without its picture filter (build tag nomodel), and there is none beside the model; " +
	"put the folder " + models.PictureFilterName + " there")

// openFilter loads ONNX Runtime and the picture filter. It runs on the CPU: a few milliseconds a picture, and the GPU is left
// to painting.
func openFilter(c configs.Config) (*judge.Judge, error) {
	files, err := filterFiles(c)
	if err != nil {
		return nil, err
	}
	if err := inference.Load(""); err != nil {
		return nil, err
	}
	return judge.Open(files, judge.Options{Device: inference.CPU, Threads: c.Engine.Threads})
}

// filterFiles is the filter that the program carries or, if it was built without, the one beside the model.
func filterFiles(c configs.Config) (fs.FS, error) {
	if models.PictureFilter != nil {
		return models.PictureFilter, nil
	}
	for _, dir := range modelPlaces(c) {
		files := os.DirFS(filepath.Join(filepath.Dir(dir), models.PictureFilterName))
		if _, err := fs.Stat(files, judge.File); err == nil {
			return files, nil
		}
	}
	return nil, errNoFilter
}
