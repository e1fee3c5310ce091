package inference

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/easelbot/easel/inference/graph"
)

// Run computes out from in: tensors by the names the graph gives them, every input and at least
// one output of the session, each of the shape it has in this call. Outputs are written into the
// tensors' own numbers; after an error these are undefined.
//
// When ctx ends, the run is stopped between two operators of the graph, and Run returns the
// context's error after that; a GPU first finishes what it was given. A run for only some of
// the outputs is not stopped: it is for short graphs, such as text encoders.
func (s *Session) Run(ctx context.Context, in, out map[string]Tensor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.check("input", s.signature.Inputs, in); err != nil {
		return err
	}
	wanted := s.wanted(out)
	if err := s.check("output", wanted, out); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.run == nil {
		return ErrClosed
	}
	if err := s.bindAndCall(ctx, in, out, wanted); err != nil {
		if cause := ctx.Err(); cause != nil {
			return cause
		}
		return fmt.Errorf("running %s: %w", s.name, err)
	}
	return nil
}

// wanted returns the outputs that are given, or all if there are none, which check refuses.
func (s *Session) wanted(out map[string]Tensor) []graph.Value {
	some := slices.DeleteFunc(s.Outputs(), func(v graph.Value) bool {
		_, ok := out[v.Name]
		return !ok
	})
	if len(some) == 0 {
		return s.signature.Outputs
	}
	return some
}

func (s *Session) bindAndCall(ctx context.Context, in, out map[string]Tensor, wanted []graph.Value) error {
	var b binding
	defer b.release()
	for _, v := range s.signature.Inputs {
		if err := b.feed(v, in[v.Name]); err != nil {
			return fmt.Errorf("input %q: %w", v.Name, err)
		}
	}
	for _, v := range wanted {
		if err := b.receive(v, out[v.Name]); err != nil {
			return fmt.Errorf("output %q: %w", v.Name, err)
		}
	}
	call := s.call
	if len(wanted) < len(s.signature.Outputs) {
		call = func(ctx context.Context, b *binding) error { return s.callSome(ctx, b, wanted) }
	}
	if err := call(ctx, &b); err != nil {
		return err
	}
	b.fetch()
	return nil
}

// call runs the graph with options of its own, since those that once stopped a run would
// stop any later one. Making them takes 0.1 µs, so none are kept.
func (s *Session) call(ctx context.Context, b *binding) error {
	options, err := ort.NewRunOptions()
	if err != nil {
		return err
	}
	defer func() { _ = options.Destroy() }() // fails only if done twice
	stopped := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(stopped)
		_ = options.Terminate() // fails only on options that are destroyed
	})
	err = s.run.RunWithOptions(b.in, b.out, options)
	if s.device.kind != cpu {
		keepSignals()
	}
	if !cancel() {
		<-stopped
	}
	return err
}

// callSome runs the graph for the wanted outputs alone, by a way that knows no options.
func (s *Session) callSome(ctx context.Context, b *binding, wanted []graph.Value) error {
	io, err := s.run.CreateIoBinding()
	if err != nil {
		return err
	}
	defer func() { _ = io.Destroy() }() // fails only if done twice
	for i, v := range s.signature.Inputs {
		err = errors.Join(err, io.BindInput(v.Name, b.in[i]))
	}
	for i, v := range wanted {
		err = errors.Join(err, io.BindOutput(v.Name, b.out[i]))
	}
	if err != nil {
		return err
	}
	err = s.run.RunWithBinding(io)
	if s.device.kind != cpu {
		keepSignals()
	}
	return errors.Join(err, ctx.Err())
}

// check compares the given tensors with what the graph declares.
func (s *Session) check(side string, want []graph.Value, got map[string]Tensor) error {
	for _, v := range want {
		t, ok := got[v.Name]
		if !ok {
			return fmt.Errorf("graph %s: %s %q is missing", s.name, side, v.Name)
		}
		if err := t.check(); err != nil {
			return fmt.Errorf("graph %s: %s %q: %w", s.name, side, v.Name, err)
		}
		if !v.Fits(t.Shape) {
			return fmt.Errorf("graph %s: %s %v cannot be of shape %v", s.name, side, v, t.Shape)
		}
	}
	if len(got) == len(want) {
		return nil
	}
	for name := range got {
		if !slices.ContainsFunc(want, func(v graph.Value) bool { return v.Name == name }) {
			return fmt.Errorf("graph %s: there is no %s %q; there is %s", s.name, side, name, names(want))
		}
	}
	return nil
}

func namesOf(values []graph.Value) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.Name
	}
	return list
}

func names(values []graph.Value) string { return strings.Join(namesOf(values), ", ") }
