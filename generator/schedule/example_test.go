package schedule_test

import (
	"fmt"
	"time"

	"github.com/easelbot/easel/generator/schedule"
)

// Two people share a device whose calls take as long at any width. Ben comes late and is done first.
func Example() {
	s := schedule.New(schedule.Limits{Memory: 1 << 30, Weights: 1 << 30, MaxLanes: 8})
	job := func(person string, calls int) *schedule.Job {
		return &schedule.Job{Person: person, Weight: 1, Model: schedule.Model{Name: "sd", Bytes: 1 << 20}, Group: 64, Lanes: 2, Calls: []int{calls}, Cost: 1}
	}
	const second = time.Second
	for now := time.Duration(0); now < 12*second; now += second {
		switch now {
		case 0:
			_ = s.Add(now, job("Ada", 9))
		case 4 * second:
			_ = s.Add(now, job("Ben", 3))
		}
		d := s.Next(now)
		if d.Load != nil {
			s.Loaded(now+second, *d.Load, second)
		}
		if d.Call != nil {
			for _, r := range s.Done(second) {
				fmt.Println(now+second, r.Job.Person)
				s.Release(r)
			}
		}
	}
	// Output:
	// 7s Ben
	// 10s Ada
}
