package generator

import (
	"bytes"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

const tiny = "../testdata/tiny" // a model of random weights

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ready skips a test where ONNX Runtime is missing, and fails it in CI.
func ready(tb testing.TB) {
	tb.Helper()
	if err := inference.Load(""); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
}

func roomy() Options {
	return Options{Device: inference.CPU, MaxLanes: 16, Memory: 1 << 30, Queue: 256}
}

func folder(tb testing.TB, dir string) *model.Folder {
	tb.Helper()
	f, err := model.OpenDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// engine opens a model and closes it after the test. By then no row may hold memory any more.
func engine(tb testing.TB, dir string, o Options) *Engine {
	tb.Helper()
	ready(tb)
	e, err := Open(o, folder(tb, dir))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
		if n := e.scheduler.Held(); n != 0 {
			tb.Errorf("the closed engine counts %d bytes as held by rows, want 0", n)
		}
	})
	return e
}

// still returns an engine whose loop does not run and whose networks are not loaded.
func still(tb testing.TB, o Options) *Engine {
	tb.Helper()
	e, err := newEngine(o, []*model.Folder{folder(tb, tiny)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.free(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// nets returns the networks of an engine's only model.
func (e *Engine) nets() *networks { return e.kits[0].nets }

// fox is the request that tests start from: small, four calls, two lanes.
func fox() imagine.Request {
	return imagine.Request{
		Prompt: "a red fox", Width: 64, Height: 64, Count: 1, Seed: 7, Sampler: "ddim", Steps: 4, Guidance: 3,
	}
}

// with changes a copy of a request.
func with(r imagine.Request, change func(*imagine.Request)) imagine.Request {
	change(&r)
	return r
}

func paint(tb testing.TB, e *Engine, r imagine.Request) []imagine.Picture {
	tb.Helper()
	pictures, err := e.Paint(tb.Context(), r, imagine.Watcher{})
	if err != nil {
		tb.Fatal(err)
	}
	return pictures
}

// queue puts a request in line, as Paint does, and returns once its rows may be painted. Any goroutine may call it.
func queue(tb testing.TB, e *Engine, r imagine.Request, w imagine.Watcher) *job {
	tb.Helper()
	k, err := e.kit(r)
	if err != nil {
		tb.Fatal(err)
	}
	j, err := e.enter(tb.Context(), whole(k, r), w)
	if err != nil {
		j = newJob(tb.Context(), whole(e.kits[0], r), w)
		j.finish(err)
		return j
	}
	if err := e.prepare(tb.Context(), j); err != nil {
		j.finish(err)
	}
	go func() {
		<-j.done
		e.leave(j)
	}()
	return j
}

// rowsOf makes a request's rows, of which the engine's loop knows nothing.
func rowsOf(tb testing.TB, e *Engine, r imagine.Request) []*row {
	tb.Helper()
	j := newJob(tb.Context(), whole(e.kits[0], r), imagine.Watcher{})
	if err := e.ready(tb.Context(), e.nets(), j); err != nil {
		tb.Fatal(err)
	}
	for k := range j.rows {
		var err error
		if j.rows[k], err = j.newRow(k); err != nil {
			tb.Fatal(err)
		}
	}
	return j.rows
}

// wait returns what came of a queued request.
func (j *job) wait(tb testing.TB) []imagine.Picture {
	tb.Helper()
	<-j.done
	if j.err != nil {
		tb.Fatal(j.err)
	}
	return j.pictures
}

// hold stops the loop before its next call until release, so that what is queued meanwhile joins at once.
func hold(tb testing.TB, e *Engine) (release func()) {
	tb.Helper()
	held, free := make(chan struct{}), make(chan struct{})
	other := with(fox(), func(r *imagine.Request) { r.Prompt, r.Width, r.Steps = "hold", 32, 1 })
	j := queue(tb, e, other, imagine.Watcher{Event: func(ev imagine.Event) {
		if ev.Calls == 0 {
			close(held)
			<-free
		}
	}})
	<-held
	return func() {
		close(free)
		j.wait(tb)
	}
}

func same(a, b []imagine.Picture) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Image.Rect != b[i].Image.Rect || !bytes.Equal(a[i].Image.Pix, b[i].Image.Pix) {
			return false
		}
	}
	return true
}

// endless is a request that no test sees the end of.
func endless() imagine.Request {
	return with(fox(), func(r *imagine.Request) { r.Steps, r.Count = imagine.MaxSteps, imagine.MaxCount })
}

// at runs do once, when a request has made this many calls.
func at(calls int, do func()) imagine.Watcher {
	done := false
	return imagine.Watcher{Event: func(ev imagine.Event) {
		if !done && ev.Calls >= calls {
			done = true
			do()
		}
	}}
}
