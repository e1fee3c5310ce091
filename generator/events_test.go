package generator

import (
	"bytes"
	"image"
	"slices"
	"testing"

	"github.com/easelbot/easel/imagine"
)

// watch paints a request and returns all its events.
func watch(t *testing.T, e *Engine, r imagine.Request, previewEvery int) ([]imagine.Event, []imagine.Picture) {
	t.Helper()
	var events []imagine.Event
	pictures, err := e.Paint(t.Context(), r, imagine.Watcher{
		PreviewEvery: previewEvery,
		Event:        func(ev imagine.Event) { events = append(events, ev) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return events, pictures
}

func TestCallsRiseToTheTotal(t *testing.T) {
	e := engine(t, tiny, roomy())
	for name, r := range map[string]imagine.Request{
		"one picture":    fox(),
		"three pictures": with(fox(), func(r *imagine.Request) { r.Count = 3 }),
		"one call":       with(fox(), func(r *imagine.Request) { r.Steps = 1 }),
	} {
		events, _ := watch(t, e, r, 0)
		next := 0
		for _, ev := range events {
			if ev.Picture == nil {
				if ev.Calls != next {
					t.Errorf("%s: calls are %d, want %d", name, ev.Calls, next)
				}
				next++
			}
			if want := r.Steps * r.Count; ev.Total != want {
				t.Errorf("%s: the total is %d, want %d", name, ev.Total, want)
			}
		}
		if want := r.Steps*r.Count + 1; next != want {
			t.Errorf("%s: %d events tell of calls, want %d", name, next, want)
		}
	}
}

func TestEachPictureIsToldOnce(t *testing.T) {
	e := engine(t, tiny, roomy())
	events, pictures := watch(t, e, with(fox(), func(r *imagine.Request) { r.Count = 5 }), 0)
	told := map[int]imagine.Picture{}
	for _, ev := range events {
		if p := ev.Picture; p != nil {
			if _, again := told[p.Index]; again || ev.Index != p.Index {
				t.Errorf("picture %d is told again, or as %d", p.Index, ev.Index)
			}
			told[p.Index] = *p
		}
	}
	for _, p := range pictures {
		if told[p.Index] != p {
			t.Errorf("picture %d was told as %+v and returned as %+v", p.Index, told[p.Index], p)
		}
	}
	if len(told) != 5 || events[len(events)-1].Picture == nil {
		t.Errorf("%d pictures are told, the last event is %+v; want 5, the last of them last", len(told), events[len(events)-1])
	}
}

func TestPreviews(t *testing.T) {
	e := engine(t, tiny, roomy())
	oblong := with(fox(), func(r *imagine.Request) { r.Width, r.Height = 96, 64 })
	for _, tt := range []struct{ every, least, most int }{
		{0, 0, 0},
		{1, 1, 3}, // the decoder may be busy; after the last call comes the picture itself
		{3, 1, 1},
		{4, 0, 0},
	} {
		events, pictures := watch(t, e, oblong, tt.every)
		n := 0
		for _, ev := range events {
			if ev.Preview == nil {
				continue
			}
			n++
			if got, want := ev.Preview.Rect, image.Rect(0, 0, 96, 64); got != want || ev.Index != 0 {
				t.Errorf("every %d: preview of picture %d is %v, want picture 0 and %v", tt.every, ev.Index, got, want)
			}
			if same(pictures, []imagine.Picture{{Image: ev.Preview}}) {
				t.Errorf("every %d: the preview is the picture itself", tt.every)
			}
		}
		if n < tt.least || n > tt.most {
			t.Errorf("every %d of 4 calls: %d previews, want %d to %d", tt.every, n, tt.least, tt.most)
		}
		if !same(pictures, paint(t, e, oblong)) {
			t.Errorf("every %d: previews changed the picture", tt.every)
		}
	}
}

// A preview shows what the sampler takes for the finished picture, not the noise that is still in it.
func TestPreviewShowsTheEstimate(t *testing.T) {
	e := engine(t, tiny, roomy())
	r := rowsOf(t, e, fox())[0]
	for range 3 {
		if _, err := e.step(t.Context(), e.nets(), []*row{r}); err != nil {
			t.Fatal(err)
		}
	}
	want, err := e.nets().decoder.decode(t.Context(), slices.Clone(r.sampler.Denoised()), r.place)
	if err != nil {
		t.Fatal(err)
	}
	events, _ := watch(t, e, fox(), 3)
	i := slices.IndexFunc(events, func(ev imagine.Event) bool { return ev.Preview != nil })
	if i < 0 || !bytes.Equal(events[i].Preview.Pix, want.Pix) {
		t.Error("the preview after call 3 is not the decoded estimate")
	}
}
