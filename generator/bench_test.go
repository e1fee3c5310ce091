package generator

import (
	"cmp"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/easelbot/easel/imagine"
)

// The benchmarks run the model in the folder that EASEL_MODEL names, or else the tests' tiny one.
func benchEngine(b *testing.B) (*Engine, imagine.Request) {
	b.Helper()
	e := engine(b, cmp.Or(os.Getenv("EASEL_MODEL"), tiny), roomy())
	r := e.Defaults()
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
				if _, err := e.unet.call(b.Context(), rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N*lanes), "ms/lane")
		})
	}
}

// BenchmarkEngineShare runs the loop's work for four pictures at the default settings, and reports as outside-% how much
// of its time is not the U-Net's: picking rows, filling the call, guidance, the samplers, telling of it.
func BenchmarkEngineShare(b *testing.B) {
	e, r := benchEngine(b)
	r.Count = 4
	var inside, calls time.Duration
	for b.Loop() {
		var l line
		rows := l.join(rowsOf(b, e, r))
		begin := time.Now()
		for !rows[0].over() {
			batch := l.gather(rows, e.options.MaxLanes, e.unet.together)
			inside += benchStep(b, e, batch)
		}
		calls += time.Since(begin)
	}
	b.ReportMetric(100*float64(calls-inside)/float64(calls), "outside-%")
}

// benchStep does what step does, and returns how long the U-Net took.
func benchStep(b *testing.B, e *Engine, batch []*row) time.Duration {
	b.Helper()
	d := e.unet
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

// BenchmarkPaint paints four pictures at the model's default settings, as one request.
func BenchmarkPaint(b *testing.B) {
	e, r := benchEngine(b)
	r.Count = 4
	for b.Loop() {
		paint(b, e, r)
	}
	b.ReportMetric(float64(b.N*r.Count)/b.Elapsed().Minutes(), "pictures/min")
}

// BenchmarkTextEncoder encodes one prompt, its tokens included.
func BenchmarkTextEncoder(b *testing.B) {
	e, r := benchEngine(b)
	for b.Loop() {
		read, err := e.text.read(r.Prompt, true)
		if err == nil {
			_, err = e.text.encode(b.Context(), read.List[0])
		}
		if err != nil {
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
		if _, err := e.decoder.decode(b.Context(), latents, first.place); err != nil {
			b.Fatal(err)
		}
	}
}
