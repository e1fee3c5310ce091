package generator

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
)

// large is a request whose calls take long enough to be stopped in the middle.
func large() imagine.Request {
	return with(fox(), func(r *imagine.Request) { r.Width, r.Height = 512, 512 })
}

// cancelledAfter makes a job's requester leave after some time.
func cancelledAfter(t *testing.T, j *job, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	j.ctx = ctx
}

// shorter returns how long something takes, of two times: the first may have to warm up.
func shorter(t *testing.T, do func() error) time.Duration {
	t.Helper()
	shortest := time.Hour
	for range 2 {
		begin := time.Now()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		shortest = min(shortest, time.Since(begin))
	}
	return shortest
}

// A call that ran to its end would advance its row.
func TestCallThatNobodyWaitsForIsStopped(t *testing.T) {
	e := engine(t, tiny, roomy())
	mine, theirs := rowsOf(t, e, large())[0], rowsOf(t, e, large())[0]
	both := []*row{mine, theirs}
	took := shorter(t, func() error { _, err := e.step(t.Context(), e.nets(), both); return err })
	cancelledAfter(t, mine.job, took/8)
	if _, err := e.step(t.Context(), e.nets(), both); err != nil || mine.call != 3 || theirs.call != 3 {
		t.Errorf("shared: got %v after calls %d and %d, want none after 3 and 3", err, mine.call, theirs.call)
	}
	cancelledAfter(t, mine.job, took/8)
	cancelledAfter(t, theirs.job, took/16)
	if _, err := e.step(t.Context(), e.nets(), both); err != nil || mine.call != 3 || theirs.call != 3 {
		t.Errorf("abandoned: got %v after calls %d and %d, want none after 3 and 3", err, mine.call, theirs.call)
	}
	if mine.job.err != nil {
		t.Errorf("the loop gave the job %v, which is for who cancelled it to say", mine.job.err)
	}
}

// A decoder that ran to its end would deliver a picture.
func TestDecoderIsStopped(t *testing.T) {
	e := engine(t, tiny, roomy())
	one := func() decode {
		r := rowsOf(t, e, large())[0]
		return decode{row: r, latents: r.x}
	}
	took := shorter(t, func() error { return e.decodeOne(t.Context(), one()) })
	d := one()
	cancelledAfter(t, d.row.job, took/8)
	if err := e.decodeOne(t.Context(), d); err != nil || d.row.job.left != 1 {
		t.Errorf("cancelled: got %v and %d pictures to come, want none and 1", err, d.row.job.left)
	}
	d = one()
	ctx, cancel := context.WithTimeout(t.Context(), took/8)
	defer cancel()
	if err := e.decodeOne(ctx, d); !errors.Is(err, ErrClosed) || d.row.job.left != 1 {
		t.Errorf("closed: got %v and %d pictures to come, want ErrClosed and 1", err, d.row.job.left)
	}
}

// Whoever waits for the text encoder does not wait for an engine that has closed.
func TestCloseStopsReading(t *testing.T) {
	e := engine(t, tiny, roomy())
	e.nets().texts.turn <- struct{}{}
	result := make(chan error)
	go func() {
		result <- e.ready(t.Context(), e.nets(), newJob(t.Context(), whole(e.kits[0], fox()), imagine.Watcher{}))
	}()
	e.stop()
	if err := <-result; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// A deadline is told as one, not as a cancellation.
func TestDeadlineWhileReading(t *testing.T) {
	e := engine(t, tiny, roomy())
	e.nets().texts.turn <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := e.Paint(ctx, fox(), imagine.Watcher{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
}

func TestTextThatIsNotNumbersNamesItsEncoder(t *testing.T) {
	const fox85, width = 85, 16
	e := engine(t, wounded(t, wound{model.TextEncoder, "bert.embeddings.word_embeddings.weight.f16", fox85 * width, width}), roomy())
	if _, err := e.Paint(t.Context(), fox(), imagine.Watcher{}); err == nil || !strings.Contains(err.Error(), "text encoder failed: it gave values that are not numbers") {
		t.Errorf("got %v, want an error that names the text encoder", err)
	}
}

// BenchmarkStop times a call of a large picture, and reports as stop-ms how long one that is cancelled in its middle goes on.
func BenchmarkStop(b *testing.B) {
	e, r := benchEngine(b)
	r.Width, r.Height, r.Guidance = 512, 512, 3
	rows := rowsOf(b, e, r)
	var whole, stopping time.Duration
	for b.Loop() {
		begin := time.Now()
		if _, err := e.nets().unet.call(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
		took := time.Since(begin)
		whole += took
		stopping += benchCancel(b, e, rows, took/2)
	}
	b.ReportMetric(float64(whole.Milliseconds())/float64(b.N), "whole-ms")
	b.ReportMetric(float64(stopping.Milliseconds())/float64(b.N), "stop-ms")
}

// benchCancel cancels a call after some time and returns how long it went on.
func benchCancel(b *testing.B, e *Engine, rows []*row, after time.Duration) time.Duration {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var cancelled time.Time
	stopped := make(chan struct{})
	time.AfterFunc(after, func() {
		cancelled = time.Now()
		cancel()
		close(stopped)
	})
	_, err := e.nets().unet.call(ctx, rows)
	ended := time.Now()
	<-stopped
	if !errors.Is(err, context.Canceled) {
		b.Fatalf("got %v, want a cancelled call", err)
	}
	return ended.Sub(cancelled)
}

func BenchmarkFinite(b *testing.B) {
	latents := make([]float32, 4*64*64) // of 512x512 pixels
	for b.Loop() {
		if !finite(latents) {
			b.Fatal("zeros are numbers")
		}
	}
}

// BenchmarkWanted is what it costs that a call of eight rows can be stopped.
func BenchmarkWanted(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	rows := make([]*row, 8)
	for i := range rows {
		rows[i] = &row{job: newJob(ctx, stage{kit: &kit{folder: &model.Folder{}}, request: fox()}, imagine.Watcher{})}
	}
	for b.Loop() {
		_, end := wanted(b.Context(), rows...)
		end()
	}
}
