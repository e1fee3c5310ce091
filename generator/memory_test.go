package generator

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/easelbot/easel/imagine"
)

func TestTooLargeIsRefusedByName(t *testing.T) {
	e := still(t, roomy())
	e.options.Memory = need(e.kits[0].folder, fox())
	if err := e.Check(fox()); err != nil {
		t.Errorf("a request that just fits: %v", err)
	}
	e.options.Memory--
	if err := e.Check(fox()); err == nil {
		t.Error("a request that needs one byte more is not refused")
	}
	var invalid *imagine.InvalidError
	err := e.Check(with(fox(), func(r *imagine.Request) { r.Width += 32 }))
	if !errors.As(err, &invalid) || invalid.Field != "size" || !strings.Contains(err.Error(), "96x64") || !strings.Contains(err.Error(), "engine.memory") {
		t.Errorf("got %v, want an InvalidError of the size that names 96x64 and engine.memory", err)
	}
}

func TestCheck(t *testing.T) {
	e := still(t, roomy())
	tests := []struct {
		name   string
		change func(*imagine.Request)
		field  string
	}{
		{"as it is", func(*imagine.Request) {}, ""},
		{"no prompt", func(r *imagine.Request) { r.Prompt = "" }, "prompt"},
		{"size between steps", func(r *imagine.Request) { r.Width = 80 }, "size"},
		{"no size", func(r *imagine.Request) { r.Height = 0 }, "size"},
		{"negative size", func(r *imagine.Request) { r.Height = -64 }, "size"},
		{"huge size", func(r *imagine.Request) { r.Height = 1 << 40 }, "size"},
		{"unknown sampler", func(r *imagine.Request) { r.Sampler = "guess" }, "sampler"},
		{"more steps than the model was trained with", func(r *imagine.Request) { r.Steps = 1001 }, "steps"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := e.Check(with(fox(), tt.change))
			var invalid *imagine.InvalidError
			if tt.field == "" && err != nil || tt.field != "" && (!errors.As(err, &invalid) || invalid.Field != tt.field) {
				t.Errorf("got %v, want an InvalidError of %q", err, tt.field)
			}
		})
	}
}

func TestBusy(t *testing.T) {
	e := still(t, Options{Memory: 1 << 30, Queue: 3})
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 3 {
		if _, err := e.enter(ctx, whole(e.kits[0], fox()), imagine.Watcher{}); err != nil {
			t.Fatalf("request %d of 3: %v", i, err)
		}
	}
	if _, err := e.enter(t.Context(), whole(e.kits[0], fox()), imagine.Watcher{}); !errors.Is(err, ErrBusy) {
		t.Errorf("request 4 of 3: got %v, want ErrBusy", err)
	}
	cancel()
	if _, err := e.enter(t.Context(), whole(e.kits[0], fox()), imagine.Watcher{}); err != nil {
		t.Errorf("after the others were cancelled: %v", err)
	}
}

func TestPaintWhenBusy(t *testing.T) {
	e := engine(t, tiny, Options{Device: roomy().Device, MaxLanes: 2, Memory: 1 << 30, Queue: 1})
	release := hold(t, e)
	j := queue(t, e, fox(), imagine.Watcher{})
	if _, err := e.Paint(t.Context(), fox(), imagine.Watcher{}); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	release()
	if !same(j.wait(t), paint(t, e, fox())) {
		t.Error("who waited got another picture")
	}
}

// With room for one picture at a time all are painted, also after rows were given up at each stage.
func TestLittleMemoryIsEnough(t *testing.T) {
	many := with(fox(), func(r *imagine.Request) { r.Count = 5 })
	want := paint(t, engine(t, tiny, roomy()), many)
	e := engine(t, tiny, Options{Device: roomy().Device, MaxLanes: 16, Memory: need(folder(t, tiny), many), Queue: 16})
	for calls := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := e.Paint(ctx, endless(), at(calls, cancel)); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want context.Canceled", err)
		}
		if !same(paint(t, e, many), want) {
			t.Error("the pictures differ from those painted with more memory")
		}
	}
}

func TestAttentionIsCounted(t *testing.T) {
	e := still(t, roomy())
	heads := int64(e.kits[0].folder.Denoiser.Heads)
	p := place{32, 32}
	if got, least := laneBytes(e.kits[0].folder, p), 2*1024*1024*heads*4; got <= least {
		t.Errorf("a lane of 32x32 cells takes %d bytes, want more than the %d of its attention", got, least)
	}
}
