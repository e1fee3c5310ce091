// Package generator paints: it turns an [imagine.Request] into pictures by latent diffusion, for many people at once.
//
// # One loop
//
// A row is a picture in the making: its latents, its sampler, its text, its place. The engine's loop gathers rows that
// fit one call of the denoiser, makes the call, advances each row by its own sampler, lets finished rows leave and new
// ones join at the very next call. Rows of different people, with different samplers, step counts, guidance and seeds
// share a call; every row has its own timestep in it. A lane is one entry of the call's batch: a row under
// classifier-free guidance has two. Text is encoded before a row joins and pictures are decoded after it left, beside
// the loop.
//
// # Stopping
//
// A call in flight is stopped once nobody waits for it: when the engine closes, or when all requests that have a row in it
// were cancelled or have failed. While somebody else has a row in it, the call goes on, and the rows of who left leave after it.
// So no row is ever computed twice because of another's request. Text and pictures are encoded and decoded for one request
// each, and stop with it.
//
// # Fairness and bounds
//
// Rows are picked by start-time fair queuing over requests: each call goes to those that had least so far, whoever asked
// for more pictures. A row joins only when what it will hold fits the memory that the engine was given; until then its
// request waits, and when too many wait the next is refused with [ErrBusy].
//
// # Determinism
//
// On a CPU the same model, request and seed give the same bytes, whatever else shares the calls: noise comes from
// the row's own seed, nothing is computed across lanes, and a call never has a single lane, because matrix products of one
// row take another path in ONNX Runtime. A lone lane is doubled. Text and pictures are encoded and decoded one at a time.
package generator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

// Errors of [Engine.Paint] besides those of the request and of ctx.
var (
	ErrBusy   = errors.New("too many requests are waiting; try again later")
	ErrClosed = errors.New("the engine is shut down")
)

// Options bound what an engine takes of the machine.
type Options struct {
	Device   inference.Device
	Threads  int   // on the CPU for one model call; 0 is one a core
	MaxLanes int   // most lanes in one call, at least 2
	Memory   int64 // most bytes held for pictures in the making
	Queue    int   // most requests waiting
}

// An Engine paints with one model. It is safe for concurrent use. Close it to free the model.
type Engine struct {
	folder   *model.Folder
	schedule sampler.Config
	options  Options

	text    *textEncoder
	unet    *denoiser
	decoder *decoder

	open    context.Context // ends when the engine closes, by stop
	stop    context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{} // holds one: something changed that the loop may wait for
	decodes chan decode   // from the loop to the decoder

	mu       sync.Mutex
	waiting  []*job // not all of their rows have joined
	entering int    // requests in line whose text is not encoded yet
	used     int64  // bytes held by rows
	closed   bool
}

// Open loads a model and starts the engine. [inference.Load] must have succeeded.
func Open(folder *model.Folder, o Options) (*Engine, error) {
	schedule, err := sampler.ParseConfig(folder.Scheduler.JSON)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", folder.Name, err)
	}
	e := &Engine{
		folder: folder, schedule: schedule, options: o,
		wake: make(chan struct{}, 1), decodes: make(chan decode, o.MaxLanes),
	}
	var loading errgroup.Group
	loading.Go(func() (err error) { e.text, err = openText(folder, o); return err })
	loading.Go(func() (err error) { e.unet, err = openDenoiser(folder, o); return err })
	loading.Go(func() (err error) { e.decoder, err = openDecoder(folder, o); return err })
	if err := loading.Wait(); err != nil {
		return nil, errors.Join(err, e.free())
	}
	e.open, e.stop = context.WithCancel(context.Background())
	e.running.Go(func() { e.loop(e.open) })
	e.running.Go(func() { e.decodeAll(e.open) })
	return e, nil
}

// Close stops the calls in flight, fails what is not finished with [ErrClosed] and frees the model.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.stop()
	e.running.Wait()
	return e.free()
}

func (e *Engine) free() error {
	var errs []error
	if e.text != nil {
		errs = append(errs, e.text.close())
	}
	if e.unet != nil {
		errs = append(errs, e.unet.session.Close())
	}
	if e.decoder != nil {
		errs = append(errs, e.decoder.session.Close())
	}
	return errors.Join(errs...)
}

// Device returns what the denoiser runs on, and why it is not a GPU if one was hoped for.
func (e *Engine) Device() (inference.Device, string) {
	return e.unet.session.Device(), e.unet.session.Note()
}

// Defaults returns what the engine's model proposes, see [Defaults].
func (e *Engine) Defaults() imagine.Request { return Defaults(e.folder) }

// Defaults returns a request with everything that a model proposes, for one picture; prompt and seed are left to fill
// in.
func Defaults(f *model.Folder) imagine.Request {
	d := f.Defaults
	return imagine.Request{
		Width: d.Width, Height: d.Height, Count: 1,
		Sampler: defaultSampler(f), Steps: d.Steps, Guidance: d.Guidance,
	}
}

// defaultSampler falls back to ddim for a scheduler class that no sampler stands for yet.
func defaultSampler(f *model.Folder) string {
	if f.Defaults.Sampler != "" {
		return f.Defaults.Sampler
	}
	if name, ok := sampler.ForClass(f.Scheduler.Class); ok {
		return name
	}
	return "ddim"
}

// Check reports whether the engine can paint the request, see [Check].
func (e *Engine) Check(r imagine.Request) error { return Check(e.folder, e.options.Memory, r) }

// Check reports whether an engine with this model and so much memory can paint a request; if the request is to blame, the
// error is an [*imagine.InvalidError].
func Check(f *model.Folder, memory int64, r imagine.Request) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if err := checkTexts(r); err != nil {
		return err
	}
	if err := f.CheckSize(r.Width, r.Height); err != nil {
		return imagine.Invalid("size", "%v", err)
	}
	if bytes := need(f, r); bytes > memory {
		return imagine.Invalid("size", "a picture of %dx%d takes about %d MiB to make, and the engine may use %d (engine.memory); ask for a smaller one, or raise that",
			r.Width, r.Height, bytes>>20, memory>>20)
	}
	if err := knowSampler(f); err != nil && r.Sampler == f.Defaults.Sampler {
		return fmt.Errorf("model %s: easel.json: %w", f.Name, err) // whoever asked did not choose it
	}
	schedule, err := sampler.ParseConfig(f.Scheduler.JSON)
	if err != nil {
		return fmt.Errorf("model %s: %w", f.Name, err)
	}
	if _, err := sampler.New(r.Sampler, schedule, samplerOptions(f, r)); err != nil {
		return imagine.Invalid("sampler", "%v", err)
	}
	return nil
}

// Paint paints a request and returns its pictures in the order of their seeds. It fails as a whole: with the error of
// [Engine.Check], [ErrBusy], [ErrClosed], ctx's error, or what went wrong in the model.
func (e *Engine) Paint(ctx context.Context, r imagine.Request, w imagine.Watcher) ([]imagine.Picture, error) {
	if err := e.Check(r); err != nil {
		return nil, err
	}
	if err := e.enter(); err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	defer end() // stops calls that were made for the request alone
	j := newJob(ctx, r, w)
	if err := e.read(ctx, j); err != nil {
		e.giveUp()
		return nil, err
	}
	if err := e.enqueue(j); err != nil {
		return nil, err
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		j.finish(ctx.Err())
		e.poke()
	}
	return j.pictures, j.err
}

// read encodes a job's texts, unless the engine closes.
func (e *Engine) read(ctx context.Context, j *job) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(e.open, stop)()
	switch err := e.encode(reading, j); {
	case err != nil && ctx.Err() == nil && reading.Err() != nil:
		return ErrClosed
	case err != nil:
		return err
	case slices.ContainsFunc(j.texts, func(c conditioning) bool { return !finite(c.positive) || !finite(c.negative) }):
		return errors.New("the text encoder gave values that are not numbers")
	}
	return nil
}
