package generator

import (
	"bytes"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/sampler"
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
	e, err := Open(folder(tb, dir), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
		if e.used != 0 {
			tb.Errorf("the closed engine counts %d bytes as held by rows, want 0", e.used)
		}
	})
	return e
}

// still returns an engine whose loop does not run and whose networks are not loaded.
func still(tb testing.TB, o Options) *Engine {
	tb.Helper()
	f := folder(tb, tiny)
	schedule, err := sampler.ParseConfig(f.Scheduler.JSON)
	if err != nil {
		tb.Fatal(err)
	}
	return &Engine{
		folder: f, schedule: schedule, options: o,
		decoder: &decoder{vae: f.VAE}, wake: make(chan struct{}, 1), decodes: make(chan decode, 1),
	}
}

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

// queue puts a request in line, as Paint does, and returns once it is there. Any goroutine may call it.
func queue(tb testing.TB, e *Engine, r imagine.Request, w imagine.Watcher) *job {
	tb.Helper()
	j := newJob(tb.Context(), r, w)
	err := e.encode(tb.Context(), j)
	if err == nil {
		err = inLine(e, j)
	}
	if err != nil {
		j.finish(err)
	}
	return j
}

// rowsOf makes a request's rows, of which the engine's loop knows nothing.
func rowsOf(tb testing.TB, e *Engine, r imagine.Request) []*row {
	tb.Helper()
	j := newJob(tb.Context(), r, imagine.Watcher{})
	if err := e.encode(tb.Context(), j); err != nil {
		tb.Fatal(err)
	}
	rows := make([]*row, r.Count)
	for k := range rows {
		var err error
		if rows[k], err = e.newRow(j, k); err != nil {
			tb.Fatal(err)
		}
	}
	return rows
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

// inLine puts a job in line as Paint does, without encoding its text.
func inLine(e *Engine, j *job) error {
	if err := e.enter(); err != nil {
		return err
	}
	return e.enqueue(j)
}
