//go:build !nomodel

package models

import (
	"embed"
	"io/fs"
)

//go:embed builtin
var files embed.FS

// BuiltIn is the model's folder, or nil when it was left out.
var BuiltIn = must(fs.Sub(files, Name))

func must(fsys fs.FS, err error) fs.FS {
	if err != nil {
		panic(err) // the name is a constant that fs.Sub takes
	}
	return fsys
}
