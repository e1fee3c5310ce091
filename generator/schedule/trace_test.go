package schedule

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// A scenario is a trace of arrivals, drawn from a fixed seed. Short jobs are those of 30 calls.
type scenario struct {
	name  string
	trace func(d device) []arrival
}

const short = 30

// poisson lets people come one by one, each with one picture, so often that a device busy with them alone, in pairs of
// lanes, would be loaded so much.
func poisson(d device, seed uint64, people int, load float64, job func(k int) *Job) []arrival {
	draw := rand.New(rand.NewPCG(seed, 1))
	mean := float64(short) * (d.base + 2*d.lane) / load
	var at float64
	trace := make([]arrival, people)
	for k := range trace {
		at += draw.ExpFloat64() * mean
		trace[k] = arrival{at: seconds(at), job: job(k)}
	}
	return trace
}

func someone(k int) *Job { return picture(fmt.Sprintf("person %d", k), 1, short) }

func burst(n int, at time.Duration) (trace []arrival) {
	for k := range n {
		trace = append(trace, arrival{at: at, job: picture(fmt.Sprintf("%v %d", at, k), 1, short)})
	}
	return trace
}

var scenarios = []scenario{
	{"Poisson, load 0.6", func(d device) []arrival { return poisson(d, 1, 300, 0.6, someone) }},
	{"Poisson, load 2 of a lone pair", func(d device) []arrival { return poisson(d, 2, 300, 2, someone) }},
	{"bursts of 8", func(device) []arrival {
		var trace []arrival
		for k := range 10 {
			trace = append(trace, burst(8, time.Duration(k)*5*time.Minute)...)
		}
		return trace
	}},
	{"hog, 64 pictures of 1000 steps", func(d device) []arrival {
		return append([]arrival{{job: picture("hog", 64, 1000)}}, poisson(d, 3, 60, 0.3, someone)...)
	}},
	{"short behind long", func(d device) []arrival {
		return []arrival{{job: picture("long", 1, 500)}, {at: d.takes(picture("", 1, 1), 2) * 5, job: picture("short", 1, short)}}
	}},
	{"three models, room for one", func(d device) []arrival {
		return poisson(d, 4, 150, 0.6, func(k int) *Job {
			j := someone(k)
			j.Model = Model{fmt.Sprint("model ", k*k%3), 3 << 30}
			return j
		})
	}},
}

// BenchmarkSimulator prints a table of what each way of scheduling gives in each scenario.
func BenchmarkSimulator(b *testing.B) {
	ways := []struct {
		name string
		run  func(Limits, device, []arrival) result
	}{
		{"one job at a time", one},
		{"whole jobs in batches", whole},
		{"this scheduler", func(l Limits, d device, t []arrival) result { return newWorld(l, d, t).run() }},
	}
	devices := []struct {
		name string
		device
	}{{"CPU", cpu}, {"GPU", gpu}}
	for b.Loop() {
		fmt.Println("\n| device | scenario | way | short p50 s | short p99 s | lanes/s | lag, credits | loads |\n| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |")
		for _, d := range devices {
			for _, s := range scenarios {
				for _, way := range ways {
					r := way.run(roomy, d.device, s.trace(d.device))
					fmt.Printf("| %s | %s | %s | %.1f | %.1f | %.1f | %.0f | %d |\n", d.name, s.name, way.name, r.quantile(.5, short),
						r.quantile(.99, short), float64(r.lanes)/r.busy.Seconds(), r.lag, r.switches)
				}
			}
		}
	}
}

// crowd is a scheduler with so many waiting jobs, one a person, in calls of 64 rows.
func crowd(tb testing.TB, jobs int) *Scheduler {
	tb.Helper()
	s := New(Limits{Memory: 1 << 40, Weights: 1 << 40, MaxLanes: 128})
	for k := range jobs {
		j := picture(fmt.Sprint(k), 1, 1<<30)
		if err := s.Add(0, j); err != nil {
			tb.Fatal(err)
		}
	}
	d := s.Next(0)
	s.Loaded(0, *d.Load, time.Second)
	for range 40 { // until calls are as wide as they get
		s.Next(0)
		s.Done(gpu.duration(s.call))
	}
	return s
}

func BenchmarkNext(b *testing.B) {
	s := crowd(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if d := s.Next(0); len(d.Call) < 32 {
			b.Fatalf("%d rows in a call", len(d.Call))
		}
		s.Done(0)
	}
}

func BenchmarkExpect(b *testing.B) {
	s := New(Limits{Memory: 1 << 40, Weights: 1 << 40, MaxLanes: 16})
	for k := range 1000 {
		if err := s.Add(0, picture(fmt.Sprint(k), 1, short)); err != nil {
			b.Fatal(err)
		}
	}
	d := s.Next(0)
	s.Loaded(0, *d.Load, time.Second)
	s.Next(0)
	s.Done(time.Second)
	for b.Loop() {
		if len(s.Expect(0)) != 1000 {
			b.Fatal("jobs are missing")
		}
	}
}
