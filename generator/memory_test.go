package generator

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/easelbot/easel/imagine"
)

func TestTooLargeIsRefusedByName(t *testing.T) {
	e := still(t, roomy())
	e.options.Memory = need(e.folder, fox())
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

func TestRowsJoinAsMemoryAllows(t *testing.T) {
	tests := []struct {
		name    string
		rows    int64 // that memory has room for
		counts  []int // of the requests in line
		joining []int // how many join at first, and each time one row has left
	}{
		{"room for all", 9, []int{4, 2}, []int{6, 0}},
		{"room for one", 1, []int{3}, []int{1, 1, 1, 0}},
		{"room for three", 3, []int{2, 2, 1}, []int{3, 1, 1, 0}},
		{"exactly", 4, []int{4}, []int{4, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := still(t, roomy())
			bytes := rowBytes(e.folder, fox())
			e.options.Memory = need(e.folder, fox()) + (tt.rows-1)*bytes
			for _, count := range tt.counts {
				if err := inLine(e, newJob(t.Context(), with(fox(), func(r *imagine.Request) { r.Count = count }), imagine.Watcher{})); err != nil {
					t.Fatal(err)
				}
			}
			for i, want := range tt.joining {
				if i > 0 {
					e.release(bytes)
				}
				if got := len(e.admit()); got != want {
					t.Errorf("%d rows join at turn %d, want %d", got, i, want)
				}
				if e.used > tt.rows*bytes {
					t.Errorf("%d bytes are held, and %d may be", e.used, tt.rows*bytes)
				}
			}
			if len(e.waiting) > 0 {
				t.Errorf("%d requests still wait", len(e.waiting))
			}
		})
	}
}

func TestWhoWaitsForMemoryIsNotOvertaken(t *testing.T) {
	e := still(t, roomy())
	large := with(fox(), func(r *imagine.Request) { r.Width, r.Height = 256, 256 })
	e.options.Memory = need(e.folder, large)
	for _, r := range []imagine.Request{fox(), large, fox()} {
		if err := inLine(e, newJob(t.Context(), r, imagine.Watcher{})); err != nil {
			t.Fatal(err)
		}
	}
	if rows := e.admit(); len(rows) != 1 || !reflect.DeepEqual(rows[0].job.request, fox()) {
		t.Fatalf("%d rows join at first, want the first alone", len(rows))
	}
	e.release(e.used)
	if rows := e.admit(); len(rows) == 0 || !reflect.DeepEqual(rows[0].job.request, large) {
		t.Errorf("%d rows join then, want the large one first", len(rows))
	}
}

func TestBusy(t *testing.T) {
	e := still(t, Options{Memory: 1 << 30, Queue: 3})
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 3 {
		if err := inLine(e, newJob(ctx, fox(), imagine.Watcher{})); err != nil {
			t.Fatalf("request %d of 3: %v", i, err)
		}
	}
	if err := inLine(e, newJob(t.Context(), fox(), imagine.Watcher{})); !errors.Is(err, ErrBusy) {
		t.Errorf("request 4 of 3: got %v, want ErrBusy", err)
	}
	cancel()
	if err := inLine(e, newJob(t.Context(), fox(), imagine.Watcher{})); err != nil {
		t.Errorf("after the others were cancelled: %v", err)
	}
	if rows := e.admit(); len(rows) != 1 || rows[0].job.ctx != t.Context() {
		t.Errorf("%d rows join, want that of the last request", len(rows))
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

func TestRequestsJoinInTurn(t *testing.T) {
	e := still(t, roomy())
	e.options.Memory = need(e.folder, fox()) + 2*rowBytes(e.folder, fox()) // three rows
	for range 2 {
		j := newJob(t.Context(), with(fox(), func(r *imagine.Request) { r.Count = 8 }), imagine.Watcher{})
		if err := inLine(e, j); err != nil {
			t.Fatal(err)
		}
	}
	joined := map[*job]int{}
	for _, r := range e.admit() {
		joined[r.job]++
	}
	if len(joined) != 2 {
		t.Errorf("rows of %d requests joined, want some of both", len(joined))
	}
}

func TestAttentionIsCounted(t *testing.T) {
	e := still(t, roomy())
	heads := int64(e.folder.Denoiser.Heads)
	p := place{32, 32}
	if got, least := laneBytes(e.folder, p), 2*1024*1024*heads*4; got <= least {
		t.Errorf("a lane of 32x32 cells takes %d bytes, want more than the %d of its attention", got, least)
	}
	for _, tt := range []struct {
		memory int64
		want   int
	}{{0, 2}, {laneBytes(e.folder, p), 2}, {5 * laneBytes(e.folder, p), 5}} {
		if got := lanesWithin(e.folder, tt.memory, p); got != tt.want {
			t.Errorf("%d lanes within %d bytes, want %d", got, tt.memory, tt.want)
		}
	}
	huge := with(fox(), func(r *imagine.Request) { r.Width, r.Height = 4096, 4096 })
	var invalid *imagine.InvalidError
	if err := Check(e.folder, 4<<30, huge); !errors.As(err, &invalid) || invalid.Field != "size" {
		t.Errorf("a picture whose attention takes %d GiB is answered by %v", 2*laneBytes(e.folder, placeOf(e.folder, huge))>>30, err)
	}
}
