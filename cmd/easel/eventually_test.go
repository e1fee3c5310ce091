package main

import (
	"testing"
	"time"
)

// eventually waits until something is the case, and ends the test if that takes more than 30 seconds. It asks every 20 ms.
func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !is(); <-tick.C {
		if time.Now().After(deadline) {
			tb.Fatalf("it did not come about: %s", what)
		}
	}
}
