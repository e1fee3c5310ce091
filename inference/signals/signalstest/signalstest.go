// Package signalstest plays the library in C that takes no care of Go's signal handlers, for tests.
package signalstest

/*
#include <signal.h>

static volatile sig_atomic_t caught, safe;

static void handle(int s) {
	stack_t stack;
	caught++;
	if (sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_ONSTACK)) safe++;
}

static struct sigaction overwrite(int s) {
	struct sigaction careless = { .sa_handler = handle }, was;
	sigaction(s, &careless, &was);
	return was;
}

static void undo(int s, struct sigaction was) { sigaction(s, &was, NULL); }
static void send(int s) { raise(s); }
static int runs() { return caught; }
static int safely() { return safe; }
*/
import "C"

import (
	"syscall"
	"testing"
)

// Overwrite puts a handler in C over a signal's own, without SA_ONSTACK, until the test ends.
func Overwrite(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	was := C.overwrite(C.int(s))
	tb.Cleanup(func() { C.undo(C.int(s), was) })
}

// Raise sends the calling thread a signal and returns when its handler has.
func Raise(s syscall.Signal) { C.send(C.int(s)) }

// Caught returns how often the handler in C has run, and how many times of these on the alternate signal stack.
func Caught() (runs, onStack int) { return int(C.runs()), int(C.safely()) }
