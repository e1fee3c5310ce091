//go:build nomodel

package models

import "io/fs"

// BuiltIn is the model's folder, or nil when it was left out.
var BuiltIn fs.FS

// PictureFilter is the picture filter's folder, or nil when it was left out.
var PictureFilter fs.FS
