// Package models carries the weights of the built-in model and of the picture filter inside the program, so that a fresh
// install paints and inspects without a download. Only cmd/easel imports it. The build tag nomodel leaves the weights out;
// tests use it, since linking them takes longer than most tests, and read the same folders from disk.
package models

// Name is how the built-in model is asked for.
const Name = "builtin"

// PictureFilterName is the folder of the picture filter, beside the built-in model's.
const PictureFilterName = "opennsfw"
