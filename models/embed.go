//go:build !nomodel

package models

import (
	"embed"
	"io/fs"
)

//go:embed builtin opennsfw
var files embed.FS

// BuiltIn is the model's folder, or nil when it was left out.
var BuiltIn = must(fs.Sub(files, Name))

// PictureFilter is the picture filter's folder, or nil when it was left out.
var PictureFilter = must(fs.Sub(files, PictureFilterName))

func must(fsys fs.FS, err error) fs.FS {
	if err != nil {
		panic(err) // the names are constants that fs.Sub takes
	}
	return fsys
}
