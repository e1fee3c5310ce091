package signals_test

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"

	"github.com/easelbot/easel/inference/signals"
	"github.com/easelbot/easel/inference/signals/signalstest"
)

// listen returns a channel of signals, and raises one to see that it works.
func listen(t *testing.T, s syscall.Signal) <-chan os.Signal {
	t.Helper()
	c := make(chan os.Signal, 1)
	signal.Notify(c, s)
	t.Cleanup(func() { signal.Stop(c) })
	signalstest.Raise(s)
	<-c
	return c
}

func TestRestorePutsBackWhatWasOverwritten(t *testing.T) {
	c := listen(t, syscall.SIGUSR1)
	h := signals.Note()
	before, _ := signalstest.Caught()
	signalstest.Overwrite(t, syscall.SIGUSR1)
	signalstest.Raise(syscall.SIGUSR1)
	if runs, _ := signalstest.Caught(); runs != before+1 || len(c) != 0 {
		t.Fatalf("the handler in C ran %d times and Go heard %d signals, want 1 and 0", runs-before, len(c))
	}
	if got := h.Restore(); !slices.Equal(got, []syscall.Signal{syscall.SIGUSR1}) {
		t.Errorf("restored %v, want SIGUSR1", got)
	}
	signalstest.Raise(syscall.SIGUSR1)
	<-c
	if runs, _ := signalstest.Caught(); runs != before+1 {
		t.Errorf("the handler in C ran %d times after that, want 0", runs-before-1)
	}
}

// Go leaves SIGCONT without a handler, so a library's is not in its way, once it keeps off goroutines' stacks.
func TestRestoreMendsWhatWasAdded(t *testing.T) {
	h := signals.Note()
	signalstest.Overwrite(t, syscall.SIGCONT)
	if got := h.Restore(); !slices.Equal(got, []syscall.Signal{syscall.SIGCONT}) {
		t.Errorf("restored %v, want SIGCONT", got)
	}
	before, safe := signalstest.Caught()
	signalstest.Raise(syscall.SIGCONT)
	if runs, onStack := signalstest.Caught(); runs != before+1 || onStack != safe+1 {
		t.Errorf("the handler in C ran %d times, %d on the alternate stack; want 1 and 1", runs-before, onStack-safe)
	}
}

func TestRestoreLeavesTheRest(t *testing.T) {
	h := signals.Note()
	if got := h.Restore(); got != nil {
		t.Errorf("restored %v where nothing was overwritten", got)
	}
	signal.Ignore(syscall.SIGUSR2)
	t.Cleanup(func() { listen(t, syscall.SIGUSR2) })
	if got := h.Restore(); got != nil {
		t.Errorf("restored %v, which the program had chosen to ignore", got)
	}
	signalstest.Raise(syscall.SIGUSR2) // would end the test if nobody ignored it
}

func BenchmarkRestore(b *testing.B) {
	h := signals.Note()
	for b.Loop() {
		h.Restore()
	}
}
