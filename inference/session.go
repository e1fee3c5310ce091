package inference

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/easelbot/easel/inference/graph"
)

// Options say how a graph is run.
type Options struct {
	Threads int      // on the CPU; 0 means one a core
	Device  Device   // the zero value is auto
	Outputs []string // what to compute; nil means everything the graph gives

	// PerRow names an input that is to hold a number a row, as the timestep of a U-Net whose
	// rows are at different steps, and Skips asks a text encoder for outputs skip.1, skip.2 and
	// so on besides Outputs: see [graph.Draft]. Graphs that were exported without are edited
	// in memory, never on disk; one that cannot be is used as it is. [Session.Inputs] and
	// [Session.Outputs] tell.
	PerRow string
	Skips  bool
}

// A Session is a graph loaded and ready to run. It is safe for concurrent use.
type Session struct {
	name      string
	signature graph.Signature // with the outputs that were asked for
	device    Device
	note      string

	mu  sync.RWMutex // held for writing by Close alone
	run *ort.DynamicAdvancedSession
}

// ErrNoOutput says that a graph does not have an output that was asked for.
var ErrNoOutput = errors.New("it has no output")

// Open loads a graph. On device auto it tries the first GPU, then the CPU; [Session.Note] says
// why if it came to the CPU. A device that was asked for by name and cannot be had is an error.
// [Load] must have succeeded.
func Open(g Graph, o Options) (*Session, error) {
	if Version() == "" {
		return nil, errors.New("ONNX Runtime is not loaded")
	}
	if edited, ok := edit(g, o); ok {
		// A graph that the runtime refuses in this form may do as it is, and else has the error to tell.
		s, err := start(edited, o)
		size := len(edited.Bytes)
		forget(size)
		if err == nil {
			return s, nil
		}
	}
	return start(source{Graph: g}, o)
}

func start(g source, o Options) (*Session, error) {
	sig, err := read(g)
	if err == nil {
		sig, err = choose(sig, o)
	}
	if err != nil {
		return nil, fmt.Errorf("graph %s: %w", g.Name, err)
	}
	s := &Session{name: g.Name, signature: sig, device: o.Device}
	if o.Device.kind == auto {
		err = s.openAuto(g, o)
	} else {
		s.run, err = create(g, sig, o.Threads, o.Device)
	}
	if err != nil {
		return nil, fmt.Errorf("graph %s on %v: %w", g.Name, o.Device, err)
	}
	return s, nil
}

func (s *Session) openAuto(g source, o Options) (err error) {
	s.device = Device{kind: cuda}
	if s.run, err = create(g, s.signature, o.Threads, s.device); err == nil {
		return nil
	}
	s.device, s.note = CPU, "no GPU is used: "+brief(err)
	s.run, err = create(g, s.signature, o.Threads, s.device)
	return err
}

// brief is what a note needs to say of why there is no GPU: most often the library was not built for one.
func brief(err error) string {
	if strings.Contains(err.Error(), "not enabled in this build") {
		return "this ONNX Runtime is not built for CUDA"
	}
	return err.Error()
}

// choose leaves the outputs that are wanted, in the order wanted, and refuses what could not
// be fed or fetched.
func choose(sig graph.Signature, o Options) (graph.Signature, error) {
	if o.Outputs != nil {
		chosen := make([]graph.Value, len(o.Outputs))
		for i, name := range o.Outputs {
			var ok bool
			if chosen[i], ok = sig.Output(name); !ok {
				return sig, fmt.Errorf("%w %q; it has %s", ErrNoOutput, name, names(sig.Outputs))
			}
		}
		sig.Outputs = slices.Concat(chosen, skips(sig, o))
	}
	for _, v := range sig.Inputs {
		if !slices.Contains([]graph.Type{graph.Float32, graph.Float16, graph.Int64, graph.Int32}, v.Type) {
			return sig, fmt.Errorf("input %v is of a type that cannot be fed", v)
		}
		if v.Type == graph.Float16 && v.Shape != nil && len(v.Shape) == 0 {
			return sig, fmt.Errorf("input %v is a single float16 number, which cannot be fed; export the graph with float32 for it, or with one number a row", v)
		}
	}
	return sig, nil
}

// create makes the runtime's session on one device.
func create(g source, sig graph.Signature, threads int, d Device) (*ort.DynamicAdvancedSession, error) {
	defer keepSignals()
	options, err := settings(threads, d)
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }() // fails only if done twice
	if g.weights != "" {
		if err := options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", g.weights); err != nil {
			return nil, err
		}
	}
	in, out := namesOf(sig.Inputs), namesOf(sig.Outputs)
	if g.Path != "" {
		return ort.NewDynamicAdvancedSession(g.Path, in, out, options)
	}
	return ort.NewDynamicAdvancedSessionWithONNXData(g.Bytes, in, out, options)
}

func settings(threads int, d Device) (*ort.SessionOptions, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	// Threads spin between the operators of a run, but not between runs: several sessions share the cores, and
	// idle ones that spun cost a fifth of the pictures, while threads that slept at once cost as much. Without an arena
	// and plans of its use, large pictures take half the memory and give it back, at no cost in time (docs/performance.md).
	err = errors.Join(
		options.SetIntraOpNumThreads(threads),
		options.SetInterOpNumThreads(1),
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", "1"),
		options.AddSessionConfigEntry("session.force_spinning_stop", "1"),
		options.SetCpuMemArena(false),
		options.SetMemPattern(false),
	)
	if err == nil && d.kind == cuda {
		err = useCUDA(options, d.index)
	}
	if err != nil {
		return nil, errors.Join(err, options.Destroy())
	}
	return options, nil
}

// useCUDA asks for a GPU, with settings for agreement and for pictures of many sizes: no
// TF32, which rounds to ten bits; no search for the best convolution at each new shape; no
// doubling of the memory held.
func useCUDA(options *ort.SessionOptions, index int) error {
	provider, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return noCUDA(err)
	}
	defer func() { _ = provider.Destroy() }() // likewise
	err = provider.Update(map[string]string{
		"device_id":              strconv.Itoa(index),
		"use_tf32":               "0",
		"cudnn_conv_algo_search": "HEURISTIC",
		"arena_extend_strategy":  "kSameAsRequested",
	})
	if err == nil {
		err = options.AppendExecutionProviderCUDA(provider)
	}
	return noCUDA(err)
}

func noCUDA(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("CUDA cannot be used (%w); it needs an NVIDIA driver and ONNX Runtime built for CUDA "+
		"with libonnxruntime_providers_cuda beside it: point EASEL_ONNXRUNTIME to that, or use device cpu", err)
}

// Device returns what the session runs on, never auto.
func (s *Session) Device() Device { return s.device }

// Note says, for device auto, why no GPU is used; "" if there is nothing to say.
func (s *Session) Note() string { return s.note }

// Inputs returns what the graph takes, in declared order.
func (s *Session) Inputs() []graph.Value { return slices.Clone(s.signature.Inputs) }

// Outputs returns what the session gives, in the order that was asked for.
func (s *Session) Outputs() []graph.Value { return slices.Clone(s.signature.Outputs) }

// Close frees the session once running calls have returned. It may be called again.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return nil
	}
	err := s.run.Destroy()
	s.run = nil
	return err
}
