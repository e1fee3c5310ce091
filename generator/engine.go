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
// Package schedule picks the rows of each call: fairly between people by what their lanes cost, in calls as wide as pays by
// measurement, within the memory that the engine was given. When too many requests wait the next is refused with [ErrBusy].
//
// # Models
//
// An engine may know several models. They are loaded when somebody asks for them, and unloaded for others when all of them do not fit
// the memory for weights; a request waits meanwhile, and those for other models go on.
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
	"strings"
	"sync"
	"time"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/generator/schedule"
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
	Weights  int64 // most bytes of models that are loaded, by their files; 0 is no bound
	Queue    int   // most requests waiting
}

// An Engine paints with one or more models. It is safe for concurrent use. Close it to free them.
type Engine struct {
	options Options
	kits    []*kit
	began   time.Time

	open    context.Context // ends when the engine closes, by stop
	stop    context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{} // holds one: something changed that the loop may wait for
	decodes chan decode   // from the loop to the decoder
	coding  chan struct{} // holds one: one picture at a time goes through a VAE, whichever way

	mu        sync.Mutex
	scheduler *schedule.Scheduler
	jobs      map[*job]bool // in the engine; true while none of a job's rows has begun
	foreseen  time.Duration // when jobs were last told how long they will take
	device    inference.Device
	note      string
	closed    bool
}

// Open starts an engine with the models that it may paint with, the first of which is loaded and is what is painted with by default.
// [inference.Load] must have succeeded.
func Open(o Options, folders ...*model.Folder) (*Engine, error) {
	e, err := newEngine(o, folders)
	if err != nil {
		return nil, err
	}
	first := e.kits[0]
	nets, took, err := first.load(o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the model %s could not be loaded: %w", first.folder.Name, err), e.free())
	}
	e.take(first, nets)
	e.scheduler.Here(e.now(), first.known, took)
	e.running.Go(func() { e.loop(e.open) })
	e.running.Go(func() { e.decodeAll(e.open) })
	return e, nil
}

// newEngine makes one whose loop does not run.
func newEngine(o Options, folders []*model.Folder) (*Engine, error) {
	if len(folders) == 0 {
		return nil, errors.New("an engine needs a model")
	}
	e := &Engine{
		options: o, began: time.Now(), wake: make(chan struct{}, 1), decodes: make(chan decode, o.MaxLanes), coding: make(chan struct{}, 1), jobs: map[*job]bool{},
		scheduler: schedule.New(schedule.Limits{Memory: o.Memory, Weights: weights(o, folders), MaxLanes: o.MaxLanes}),
	}
	e.open, e.stop = context.WithCancel(context.Background())
	for _, f := range folders {
		if slices.ContainsFunc(e.kits, func(k *kit) bool { return k.folder.Name == f.Name }) {
			return nil, errors.Join(fmt.Errorf("two models are called %s; rename the folder of one", f.Name), e.free())
		}
		k, err := newKit(f)
		if err != nil {
			return nil, errors.Join(err, e.free())
		}
		k.coding = e.coding
		e.kits = append(e.kits, k)
	}
	return e, nil
}

// weights returns the bound for loaded models: at least the largest, without which nobody could paint with it.
func weights(o Options, folders []*model.Folder) int64 {
	var largest, all int64
	for _, f := range folders {
		largest, all = max(largest, f.Weight()), all+f.Weight()
	}
	if o.Weights == 0 {
		return all
	}
	return max(o.Weights, largest)
}

// now is the scheduler's clock.
func (e *Engine) now() time.Duration { return time.Since(e.began) }

// take gives a kit its networks.
func (e *Engine) take(k *kit, nets *networks) {
	k.nets, k.scalar, k.broken = nets, nets.unet.scalar, nil
	close(k.arrived)
	e.device, e.note = nets.unet.session.Device(), nets.unet.session.Note()
}

// Close stops the calls in flight, fails what is not finished with [ErrClosed] and frees the models.
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
	for _, k := range e.kits {
		if k.nets != nil {
			errs = append(errs, k.nets.close())
		}
		errs = append(errs, k.close())
	}
	return errors.Join(errs...)
}

// Device returns what the denoiser runs on, and why it is not a GPU if one was hoped for.
func (e *Engine) Device() (inference.Device, string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.device, e.note
}

// Models returns the names of the engine's models, the default first.
func (e *Engine) Models() []string {
	names := make([]string, len(e.kits))
	for i, k := range e.kits {
		names[i] = k.folder.Name
	}
	return names
}

// kit returns the model that a request is for.
func (e *Engine) kit(r imagine.Request) (*kit, error) { return pick(e.kits, "model", r.Model) }

// pick returns the model of a name that a field of a request holds; "" is the first.
func pick(kits []*kit, field, name string) (*kit, error) {
	if name == "" {
		return kits[0], nil
	}
	var names []string
	for _, k := range kits {
		if k.folder.Name == name {
			return k, nil
		}
		names = append(names, k.folder.Name)
	}
	return nil, imagine.Invalid(field, "there is no model %q here; choose one of %s", name, strings.Join(names, ", "))
}

// Defaults returns what the model of a name proposes, "" the first, see [Defaults]; the error is an [*imagine.InvalidError].
func (e *Engine) Defaults(name string) (imagine.Request, error) {
	k, err := pick(e.kits, "model", name)
	if err != nil {
		return imagine.Request{}, err
	}
	r := Defaults(k.folder)
	r.Model = name
	return r, nil
}

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

// Paint paints a request and returns its pictures in the order of their seeds. It fails as a whole: with the error of
// [Engine.Check], [ErrBusy], [ErrClosed], ctx's error, or what went wrong in the model.
func (e *Engine) Paint(ctx context.Context, r imagine.Request, w imagine.Watcher) ([]imagine.Picture, error) {
	ctx, end := context.WithCancel(ctx)
	defer end() // stops calls that were made for the request alone
	if err := e.Check(r); err != nil {
		return nil, err
	}
	stages, err := stages(e.kits, r)
	if err != nil {
		return nil, err
	}
	var pictures []imagine.Picture
	var rows []*row
	for _, s := range stages {
		s.from = rows
		if rows, pictures, err = e.pass(ctx, s, w); err != nil {
			return nil, err
		}
	}
	return pictures, nil
}

// pass leads one stage of a request through the engine, and returns its rows and, of the last stage, its pictures.
func (e *Engine) pass(ctx context.Context, s stage, w imagine.Watcher) ([]*row, []imagine.Picture, error) {
	j, err := e.enter(ctx, s, w)
	if err != nil {
		return nil, nil, err
	}
	defer e.leave(j)
	if err := e.prepare(ctx, j); err != nil {
		j.finish(err)
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		j.finish(ctx.Err())
	}
	return j.rows, j.pictures, j.err
}
