// Package signals keeps Go's signal handlers where libraries written in C put theirs over them, as the CUDA provider of
// ONNX Runtime does. Without Go's, a request to end kills the program in the middle of its work, and a nil pointer is a
// crash instead of a panic.
//
// [Note] remembers the process's handlers while they are Go's; [Handlers.Restore] puts back what has been overwritten
// since. A handler that was added where there was none stays, but is made to run on the alternate signal stack, as
// os/signal asks of handlers that share a process with Go: on a goroutine's own stack, which is small, it would write over
// other memory.
package signals

/*
#include <signal.h>
#include <stdint.h>

typedef struct { struct sigaction of[NSIG]; } handlers;

// What cannot be asked for, such as the signals that the C library keeps for itself, counts as not handled.
static void note(handlers *h) {
	for (int s = 1; s < NSIG; s++) {
		if (sigaction(s, NULL, &h->of[s]) != 0) h->of[s].sa_handler = SIG_DFL;
	}
}

static int handled(const struct sigaction *a) { return a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN; }

// A signal that is ignored now is left so: that is how a program says that it does not want it.
static int overwritten(const struct sigaction *was, const struct sigaction *now) {
	return now->sa_handler != SIG_IGN &&
		(now->sa_handler != was->sa_handler || (was->sa_flags & ~now->sa_flags & SA_ONSTACK));
}

static int unsafe(const struct sigaction *now) { return handled(now) && !(now->sa_flags & SA_ONSTACK); }

// restore returns the signals it changed: bit 0 for signal 1, and so on.
static uint64_t restore(const handlers *h) {
	uint64_t changed = 0;
	for (int s = 1; s < NSIG; s++) {
		const struct sigaction *was = &h->of[s];
		struct sigaction now;
		if (sigaction(s, NULL, &now) != 0) continue;
		if (handled(was) ? !overwritten(was, &now) : !unsafe(&now)) continue;
		now.sa_flags |= SA_ONSTACK;
		if (sigaction(s, handled(was) ? was : &now, NULL) == 0) changed |= UINT64_C(1) << (s - 1);
	}
	return changed;
}
*/
import "C"

import "syscall"

// Handlers are a process's signal handlers at some moment.
type Handlers struct{ c C.handlers }

// Note returns the handlers of now.
func Note() *Handlers {
	h := new(Handlers)
	c := &h.c
	C.note(c)
	return h
}

// Restore puts back each handler that has been overwritten, and mends those that were added. It returns the signals it did
// that for. It may be called at any time, from many goroutines, and takes a few microseconds if there is nothing to do.
func (h *Handlers) Restore() []syscall.Signal {
	var list []syscall.Signal
	c := &h.c
	changed := uint64(C.restore(c))
	for s := syscall.Signal(1); changed != 0; s++ {
		if changed&1 != 0 {
			list = append(list, s)
		}
		changed >>= 1
	}
	return list
}
