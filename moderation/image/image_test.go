package image

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/draw"
	_ "image/png" // testdata's pictures
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/easelbot/easel/inference"
	"github.com/easelbot/easel/moderation"
)

// open opens the filter that the program carries.
func open(tb testing.TB) *Judge {
	tb.Helper()
	if err := inference.Load(""); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
	j, err := Open(os.DirFS("../../models/opennsfw"), Options{Device: inference.CPU, Threads: 2})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := j.Close(); err != nil {
			tb.Error(err)
		}
	})
	return j
}

func picture(tb testing.TB, name string) image.Image {
	tb.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// references are what the original Python pipeline makes of testdata's pictures; make_reference.py wrote them.
func references(tb testing.TB) (list map[string]struct {
	Score  float64
	Blocks []float64 // means of 4x4 parts of what the network sees
},
) {
	tb.Helper()
	text, err := os.ReadFile("testdata/reference.json")
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil || len(list) == 0 {
		tb.Fatal("no references: ", err)
	}
	return list
}

func inspect(tb testing.TB, j *Judge, m image.Image) moderation.Verdict {
	tb.Helper()
	v, err := j.Inspect(tb.Context(), m)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// TestOriginal compares with the original network and preparation. The tolerance is for rounded weights and another JPEG encoder.
func TestOriginal(t *testing.T) {
	j := open(t)
	actions := map[string]moderation.Action{"plain.png": moderation.Allow, "middle.png": moderation.Allow, "review.png": moderation.Review, "block.png": moderation.Block}
	for name, want := range references(t) {
		v := inspect(t, j, picture(t, name))
		got := v.Scores[moderation.Sexual]
		if math.Abs(got-want.Score) > 0.015 {
			t.Errorf("%s scores %.5f, the original says %.5f", name, got, want.Score)
		}
		if v.Action != actions[name] {
			t.Errorf("%s: %v at %.3f, want %v", name, v.Action, got, actions[name])
		}
		if v.Action == moderation.Allow {
			if v.Reasons != nil {
				t.Errorf("%s: allowed, with reasons %v", name, v.Reasons)
			}
			continue
		}
		if reason := (moderation.Reason{Rule: Rule, Category: moderation.Sexual, Score: got}); len(v.Reasons) != 1 || v.Reasons[0] != reason {
			t.Errorf("%s: reasons %v, want %v alone", name, v.Reasons, reason)
		}
	}
}

func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		score float64
		want  moderation.Action
	}{
		{0, moderation.Allow},
		{math.Nextafter(ReviewAt, 0), moderation.Allow},
		{ReviewAt, moderation.Review},
		{math.Nextafter(BlockAt, 0), moderation.Review},
		{BlockAt, moderation.Block},
		{1, moderation.Block},
	} {
		if got := verdict(c.score).Action; got != c.want {
			t.Errorf("%v is %v, want %v", c.score, got, c.want)
		}
	}
}

// TestSizes inspects what is small, large or long.
func TestSizes(t *testing.T) {
	j := open(t)
	for _, size := range []image.Point{{1, 1}, {1, 2}, {224, 224}, {8192, 1}, {1, 8192}, {8192, 8192}} {
		v := inspect(t, j, image.NewGray(image.Rectangle{Max: size}))
		if v.Action != moderation.Allow {
			t.Errorf("black of %v: %v at %.3f", size, v.Action, v.Scores[moderation.Sexual])
		}
	}
	if v, err := j.Inspect(t.Context(), image.NewRGBA(image.Rectangle{})); err == nil {
		t.Errorf("a picture of no pixels is %v", v)
	}
}

// TestLong hides what is blocked at either end of a strip, where the picture as a whole does not show it.
func TestLong(t *testing.T) {
	j := open(t)
	bad := picture(t, "block.png")
	w, h := bad.Bounds().Dx(), bad.Bounds().Dy()
	for _, at := range []image.Point{{0, 0}, {5 * h, 0}} {
		strip := image.NewRGBA(image.Rect(0, 0, 5*h+w, h))
		draw.Draw(strip, strip.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(strip, bad.Bounds().Add(at), bad, image.Point{}, draw.Src)
		if v := inspect(t, j, strip); v.Action == moderation.Allow {
			t.Errorf("at %v: allowed at %.3f", at, v.Scores[moderation.Sexual])
		}
		whole, err := j.score(t.Context(), strip, views(strip.Rect)[0])
		if err != nil || whole >= ReviewAt {
			t.Errorf("at %v: the whole strip scores %.3f (%v); the test shows nothing", at, whole, err)
		}
	}
}

func TestConcurrent(t *testing.T) {
	j := open(t)
	var group sync.WaitGroup
	for name := range references(t) {
		m := picture(t, name)
		want := inspect(t, j, m).Scores[moderation.Sexual]
		for range 4 {
			group.Go(func() {
				v, err := j.Inspect(t.Context(), m)
				if got := v.Scores[moderation.Sexual]; err != nil || got != want {
					t.Errorf("%s among others: %v (%v), alone %v", name, got, err, want)
				}
			})
		}
	}
	group.Wait()
}

func TestNoVerdict(t *testing.T) {
	j := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Inspect(ctx, picture(t, "plain.png")); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Inspect(t.Context(), picture(t, "plain.png")); !errors.Is(err, inference.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	open(t) // for the library
	if _, err := Open(fstest.MapFS{}, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := Open(fstest.MapFS{File: {Data: []byte("no network")}}, Options{Device: inference.CPU}); err == nil {
		t.Error("what is no network was opened")
	}
}

// TestOtherNetwork refuses a network that takes something else, when it is opened.
func TestOtherNetwork(t *testing.T) {
	open(t)
	network, err := os.ReadFile("../../testdata/tiny/vae_decoder/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if j, err := Open(fstest.MapFS{File: {Data: network}}, Options{Device: inference.CPU}); err == nil {
		t.Errorf("a decoder was opened as a picture filter: %v", j.Close())
	}
}

func BenchmarkInspect(b *testing.B) {
	j := open(b)
	m := picture(b, "review.png")
	b.ReportAllocs()
	for b.Loop() {
		inspect(b, j, m)
	}
}

// BenchmarkInspectFour inspects four pictures at once; the time is for one.
func BenchmarkInspectFour(b *testing.B) {
	j := open(b)
	m := picture(b, "review.png")
	b.SetParallelism(max(1, 4/max(1, cores())))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			inspect(b, j, m)
		}
	})
}

// BenchmarkInspectLarge shows what shrinking costs.
func BenchmarkInspectLarge(b *testing.B) {
	j := open(b)
	m := image.NewNRGBA(image.Rect(0, 0, 4096, 4096))
	for b.Loop() {
		inspect(b, j, m)
	}
}
