// Package models carries the weights of the built-in model inside the program, so that a fresh install paints without a
// download. Only cmd/easel imports it. The build tag nomodel leaves the weights out; tests use it, since linking them
// takes longer than most tests, and read the same folder from disk.
package models

// Name is how the built-in model is asked for.
const Name = "builtin"
