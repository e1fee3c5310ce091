package jobs

import (
	"context"
	"image"
	"maps"
	"sync"

	"golang.org/x/image/draw"

	"github.com/easelbot/easel/imagine"
)

// A feed carries a job's events from the engine, which must not wait, to a courier, which may be slow: of what is not yet
// delivered only the newest is kept.
type feed struct {
	job Job

	mu       sync.Mutex
	progress Progress
	news     chan struct{} // holds one
	ended    bool
}

func newFeed(j Job) *feed {
	return &feed{job: j, progress: Progress{Previews: map[int]image.Image{}}, news: make(chan struct{}, 1)}
}

// event is an imagine.Watcher's.
func (f *feed) event(e imagine.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.progress.Calls, f.progress.Total, f.progress.Left = e.Calls, e.Total, e.Left
	if e.Preview != nil {
		f.progress.Previews[e.Index] = e.Preview
	}
	if !f.ended {
		poke(f.news)
	}
}

func (f *feed) share() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.progress.Total == 0 {
		return 0
	}
	return float64(f.progress.Calls) / float64(f.progress.Total)
}

// end stops the delivery.
func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	close(f.news)
}

// deliver passes progress on until the end.
func (f *feed) deliver(ctx context.Context, c Courier) {
	for range f.news {
		if ctx.Err() != nil {
			continue // cancelled: nobody wants to see more of it
		}
		f.mu.Lock()
		p := f.progress
		p.Previews = maps.Clone(p.Previews)
		f.mu.Unlock()
		for i, m := range p.Previews {
			p.Previews[i] = coarse(m)
		}
		c.Progress(f.job, p)
	}
}

const mosaic = 16 // tiles along a sketch's longer side: colours and place can be told, and no more

// coarse makes a sketch that shows nothing which would have to be inspected first.
func coarse(m image.Image) image.Image {
	b := m.Bounds()
	longer := max(b.Dx(), b.Dy(), 1)
	small := image.NewNRGBA(image.Rect(0, 0, max(1, b.Dx()*mosaic/longer), max(1, b.Dy()*mosaic/longer)))
	draw.ApproxBiLinear.Scale(small, small.Rect, m, b, draw.Src, nil)
	return small
}
