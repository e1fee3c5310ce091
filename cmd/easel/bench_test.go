package main

import "testing"

// BenchmarkFirstPicture measures what a newcomer waits for: from the start of the program to a picture on disk.
//
//	make build && eval "$(make -s env)" && EASEL_BIN=$PWD/bin/easel go test -tags nomodel -run '^$' -bench FirstPicture ./cmd/easel/
func BenchmarkFirstPicture(b *testing.B) {
	program(b)
	dir := b.TempDir()
	for b.Loop() {
		start(b, dir, "imagine", "--prompt", "a red fox", "--seed", "42")
	}
}
