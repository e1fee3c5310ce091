package generator

import (
	"math"
	"slices"
	"testing"

	"github.com/easelbot/easel/generator/schedule"
	"github.com/easelbot/easel/imagine"
)

func TestGuide(t *testing.T) {
	scaled := func(guidance float64) *row {
		return &row{x: make([]float32, 2), job: &job{guided: guidance > 1, stage: stage{request: imagine.Request{Guidance: guidance}}}}
	}
	d := &denoiser{out: []float32{
		1, 2, // negative
		2, 0, // positive
		5, 6, // guidance off: a single lane, as it is
		-5, 8,
		0, -1,
		1, -1,
	}}
	got := d.guide([]*row{scaled(3), scaled(0), scaled(1), scaled(7.5)})
	want := [][]float32{{1 + 3*(2-1), 2 + 3*(0-2)}, {5, 6}, {-5, 8}, {7.5, -1}}
	if !slices.EqualFunc(got, want, slices.Equal[[]float32]) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFill(t *testing.T) {
	e := still(t, roomy())
	made := func(guidance float64, calls int) *row {
		j := newJob(t.Context(), whole(e.kits[0], with(fox(), func(r *imagine.Request) { r.Guidance = guidance })), imagine.Watcher{})
		j.texts = []conditioning{{positive: words{states: []float32{1, 2}}, negative: words{states: []float32{-1, -2}}, tokens: 1}}
		r, err := j.newRow(0)
		if err != nil {
			t.Fatal(err)
		}
		for range calls {
			r.advance(make([]float32, len(r.x)))
		}
		return r
	}
	guided, off := made(3, 0), made(0, 2)
	times := guided.sampler.Timesteps()
	first, third := float32(times[0]), float32(times[2])
	tests := []struct {
		name     string
		batch    []*row
		samples  []*row
		states   []float32
		timestep []float32
	}{
		{"negative before positive", []*row{guided}, []*row{guided, guided}, []float32{-1, -2, 1, 2}, []float32{first, first}},
		{"a lone lane is doubled", []*row{off}, []*row{off, off}, []float32{1, 2, 1, 2}, []float32{third, third}},
		{
			"each at its own timestep",
			[]*row{off, guided},
			[]*row{off, guided, guided},
			[]float32{1, 2, -1, -2, 1, 2},
			[]float32{third, first, first},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, lanes := len(guided.x), len(tt.samples)
			d := &denoiser{folder: e.kits[0].folder, sample: make([]float32, lanes*n), states: make([]float32, 2*lanes), timestep: make([]float32, lanes)}
			d.fill(tt.batch, lanes)
			if !slices.Equal(d.states, tt.states) || !slices.Equal(d.timestep, tt.timestep) {
				t.Errorf("states %v at timesteps %v, want %v at %v", d.states, d.timestep, tt.states, tt.timestep)
			}
			for lane, r := range tt.samples {
				want := make([]float32, n)
				r.sampler.Input(want, r.x, r.call)
				if !slices.Equal(d.sample[lane*n:(lane+1)*n], want) {
					t.Errorf("lane %d does not show its row's latents", lane)
				}
			}
		})
	}
}

// No call has a single lane, for its numbers could then be others than in company.
func TestLanesOfACall(t *testing.T) {
	e := engine(t, tiny, roomy())
	off := with(fox(), noGuidance)
	for _, tt := range []struct {
		name  string
		batch []*row
		want  int
	}{
		{"one without guidance", rowsOf(t, e, off), 2},
		{"one with guidance", rowsOf(t, e, fox()), 2},
		{"one of each", append(rowsOf(t, e, off), rowsOf(t, e, fox())...), 3},
	} {
		outs, err := e.nets().unet.call(t.Context(), tt.batch)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(e.nets().unet.timestep); got != tt.want || len(outs) != len(tt.batch) {
			t.Errorf("%s: %d lanes and %d outputs, want %d and %d", tt.name, got, len(outs), tt.want, len(tt.batch))
		}
	}
}

func TestShapes(t *testing.T) {
	e := still(t, roomy())
	made := func(width, steps int, prompt string) *schedule.Job {
		j := newJob(t.Context(), whole(e.kits[0], with(fox(), func(r *imagine.Request) { r.Width, r.Steps, r.Prompt = width, steps, prompt })), imagine.Watcher{})
		if err := j.plan(); err != nil {
			t.Fatal(err)
		}
		return j.parts[0]
	}
	a := made(64, 4, "a fox")
	if b := made(64, 8, "a cat"); a.Group != b.Group || a.Timestep(0, 1) != b.Timestep(0, 2) || a.Cost != b.Cost {
		t.Errorf("requests of one size go together at any timestep, but %+v and %+v do not", a, b)
	}
	if b := made(96, 4, "a fox"); a.Group == b.Group || math.Abs(b.Cost-1.5*a.Cost) > 1e-9 {
		t.Errorf("a row of half as many cells more costs %v, and not half as much more than %v", b.Cost, a.Cost)
	}
	e.kits[0].scalar = true
	if b := made(64, 8, "a fox"); a.Timestep(0, 0) != b.Timestep(0, 0) || a.Timestep(0, 1) == b.Timestep(0, 1) {
		t.Error("rows of a graph that takes one timestep should go together where they are at the same one")
	}
}

func TestRoom(t *testing.T) {
	small := room(nil, 3)
	large := room(small, 100)
	again := room(large, 7)
	if len(small) != 3 || len(large) != 100 || len(again) != 7 {
		t.Errorf("lengths %d, %d and %d, want 3, 100 and 7", len(small), len(large), len(again))
	}
	if &again[0] != &large[0] {
		t.Error("a slice that is large enough is not used again")
	}
}

func TestFinite(t *testing.T) {
	inf := float32(math.Inf(1))
	tests := []struct {
		name   string
		values []float32
		want   bool
	}{
		{"none", nil, true},
		{"numbers", []float32{0, -1, 3e38, -3e38, 1e-45}, true},
		{"their sum is infinite", []float32{3e38, 3e38, 3e38}, true},
		{"not a number", []float32{1, float32(math.NaN()), 2}, false},
		{"infinite", []float32{inf}, false},
		{"infinities that cancel out", []float32{inf, 0, -inf}, false},
	}
	for _, tt := range tests {
		if got := finite(tt.values); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
