package inference

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/easelbot/easel/inference/signals/signalstest"
)

// TestRunStopsSoon compares a run that is stopped with the same run to its end: of 400 operators, only the one in flight is
// finished. A run that is stopped at a fiftieth may take half as long as the whole, for the machine may be busy.
func TestRunStopsSoon(t *testing.T) {
	s := open(t, "chain", Options{Threads: 1})
	in, out := square(480)
	begin := time.Now()
	if err := s.Run(t.Context(), in, out); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(begin)
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(whole/50, cancel).Stop()
	begin = time.Now()
	if err := s.Run(ctx, in, out); err != context.Canceled { //nolint:errorlint // it must be this one, in no library's words
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if stopped := time.Since(begin); stopped > whole/2 {
		t.Errorf("the stopped run took %v, the whole one %v", stopped, whole)
	}
}

// TestOpenKeepsSignals overwrites a handler between loading the library and opening a graph, as a GPU's provider does.
func TestOpenKeepsSignals(t *testing.T) {
	ready(t)
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	defer signal.Stop(c)
	signalstest.Overwrite(t, syscall.SIGUSR1)
	if err := open(t, "types", Options{}).Run(t.Context(), typesIn(), typesOut()); err != nil {
		t.Fatal(err)
	}
	signalstest.Raise(syscall.SIGUSR1)
	if runs, _ := signalstest.Caught(); runs != 0 {
		t.Fatal("the signal went to the handler in C")
	}
	<-c
}

// TestGPUKeepsSignals looks after Go's handlers on a machine that has a GPU.
func TestGPUKeepsSignals(t *testing.T) {
	ready(t)
	s, err := Open(Graph{Name: "types", Path: "testdata/types.onnx"}, Options{Device: Device{kind: cuda}})
	if err != nil {
		if !strings.Contains(err.Error(), "CUDA") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if got := library.handlers.Restore(); got != nil {
		t.Errorf("opening the session left handlers of the library's for %v", got)
	}
	if err := s.Run(t.Context(), typesIn(), typesOut()); err != nil {
		t.Fatal(err)
	}
	if got := library.handlers.Restore(); got != nil {
		t.Errorf("running it left handlers of the library's for %v", got)
	}
}
