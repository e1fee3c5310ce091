package generator

import (
	"cmp"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/easelbot/easel/generator/schedule"
	"github.com/easelbot/easel/imagine"
)

// The benchmarks run the model in the folder that EASEL_MODEL names, or else the tests' tiny one.
func benchEngine(b *testing.B) (*Engine, imagine.Request) {
	b.Helper()
	e := engine(b, cmp.Or(os.Getenv("EASEL_MODEL"), tiny), roomy())
	r := Defaults(e.kits[0].folder)
	r.Prompt, r.Seed = "a red fox on a blue background", 7
	return e, r
}

// BenchmarkDenoise times one U-Net call by its lanes. A single lane is doubled by the engine, so it costs as two do.
func BenchmarkDenoise(b *testing.B) {
	e, r := benchEngine(b)
	for _, lanes := range []int{1, 2, 4, 8, 16} {
		b.Run(fmt.Sprintf("lanes=%d", lanes), func(b *testing.B) {
			r.Count, r.Guidance = max(lanes/2, 1), 3
			if lanes == 1 {
				r.Guidance = 0
			}
			rows := rowsOf(b, e, r)
			for b.Loop() {
				if _, err := e.nets().unet.call(b.Context(), rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N*lanes), "ms/lane")
		})
	}
}

// BenchmarkEngineShare does the loop's work for one picture and for four at the default settings, and reports as outside-% how much of its
// time is not the U-Net's: picking rows, filling the call, guidance, the samplers, telling of it.
func BenchmarkEngineShare(b *testing.B) {
	e, r := benchEngine(b)
	r.Guidance = 3
	for _, count := range []int{1, 4} {
		b.Run(fmt.Sprintf("lanes=%d", 2*count), func(b *testing.B) {
			r.Count = count
			var inside, calls time.Duration
			for b.Loop() {
				s := schedule.New(schedule.Limits{Memory: e.options.Memory, Weights: 1 << 40, MaxLanes: 2 * count})
				s.Here(0, e.kits[0].known, time.Second)
				j := newJob(b.Context(), whole(e.kits[0], r), imagine.Watcher{})
				j.rows = rowsOf(b, e, r)
				if err := j.plan(); err != nil {
					b.Fatal(err)
				}
				j.parts[0].Waiting = false
				if err := s.Add(0, j.parts[0]); err != nil {
					b.Fatal(err)
				}
				begin := time.Now()
				for {
					picked := s.Next(time.Since(begin)).Call
					if len(picked) == 0 {
						break
					}
					inside += benchStep(b, e, e.rows(picked))
					for _, p := range s.Done(1) {
						s.Release(p)
					}
				}
				calls += time.Since(begin)
			}
			b.ReportMetric(100*float64(calls-inside)/float64(calls), "outside-%")
		})
	}
}

// benchStep does what step does, and returns how long the U-Net took.
func benchStep(b *testing.B, e *Engine, batch []*row) time.Duration {
	b.Helper()
	d := e.nets().unet
	lanes := d.prepare(batch)
	begin := time.Now()
	if err := d.run(b.Context(), batch[0], lanes); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	for i, out := range d.guide(batch) {
		if !finite(out) {
			b.Fatal("the model gave values that are not numbers")
		}
		batch[i].advance(out)
		batch[i].job.called()
	}
	return took
}

// BenchmarkPaint paints pictures at the model's default settings, one and four to a request.
func BenchmarkPaint(b *testing.B) {
	e, r := benchEngine(b)
	for _, count := range []int{1, 4} {
		b.Run(fmt.Sprintf("count=%d", count), func(b *testing.B) {
			r.Count = count
			for b.Loop() {
				paint(b, e, r)
			}
			b.ReportMetric(float64(b.N*count)/b.Elapsed().Minutes(), "pictures/min")
		})
	}
}

// BenchmarkTextEncoder encodes one prompt, its tokens included.
func BenchmarkTextEncoder(b *testing.B) {
	e, r := benchEngine(b)
	for b.Loop() {
		if _, err := e.nets().texts.read(b.Context(), r.Prompt, true, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode turns the latents of one picture of the default size into pixels.
func BenchmarkDecode(b *testing.B) {
	e, r := benchEngine(b)
	r.Count = 1
	first := rowsOf(b, e, r)[0]
	latents := make([]float32, len(first.x))
	for b.Loop() {
		copy(latents, first.x) // decode overwrites them
		if _, err := e.nets().decoder.decode(b.Context(), latents, first.place); err != nil {
			b.Fatal(err)
		}
	}
}
