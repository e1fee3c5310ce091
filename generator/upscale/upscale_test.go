package upscale

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/easelbot/easel/generator/resample"
	"github.com/easelbot/easel/inference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(tb testing.TB) {
	tb.Helper()
	if err := inference.Load(""); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
}

var onCPU = inference.Options{Device: inference.CPU, Threads: 2}

// open opens one of testdata's networks.
func open(tb testing.TB, name string) *Upscaler {
	tb.Helper()
	load(tb)
	u, err := Open(inference.Graph{Name: name, Path: "testdata/" + name + ".onnx"}, onCPU)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := u.Close(); err != nil {
			tb.Error(err)
		}
	})
	return u
}

func read(tb testing.TB, name string) *image.NRGBA {
	tb.Helper()
	f, err := os.Open("testdata/" + name + ".png")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		tb.Fatal(err)
	}
	return resample.Flatten(m)
}

func upscale(tb testing.TB, u *Upscaler, m *image.NRGBA, factor int) *image.NRGBA {
	tb.Helper()
	big, err := u.Upscale(tb.Context(), m, factor)
	if err != nil {
		tb.Fatal(err)
	}
	return big
}

// differ fails unless two pictures are of one size and no byte differs by more than 1, which the order of sums may do.
func differ(tb testing.TB, got, want *image.NRGBA) {
	tb.Helper()
	if got.Rect != want.Rect {
		tb.Fatalf("the picture is of %v, want %v", got.Rect, want.Rect)
	}
	most := 0
	for i, v := range want.Pix {
		most = max(most, int(v)-int(got.Pix[i]), int(got.Pix[i])-int(v))
	}
	if most > 1 {
		tb.Errorf("some byte differs by %d", most)
	}
}

func paint(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		x, y := i%w, i/w
		copy(m.Pix[4*i:], []uint8{uint8(x * 7), uint8(x*y>>3) ^ uint8(y), uint8(y*11 + x), 255})
	}
	return m
}

// TestPyTorch compares with what PyTorch makes of the picture in one piece.
func TestPyTorch(t *testing.T) {
	for name, scale := range map[string]int{
		"two":  2,
		"four": 4, // float16, its size fixed to less than the picture's
	} {
		t.Run(name, func(t *testing.T) {
			u := open(t, name)
			if u.Scale() != scale || u.Device() != inference.CPU {
				t.Errorf("scale %d on %v, want %d on the CPU", u.Scale(), u.Device(), scale)
			}
			differ(t, upscale(t, u, read(t, "picture"), scale), read(t, "picture-"+name))
		})
	}
}

// TestTiles compares a picture of several tiles with the same in one piece.
func TestTiles(t *testing.T) {
	u := open(t, "two")
	m := paint(389, 500)
	whole := newTile(400, 512, u.scale)
	whole.read(m, 0, 0)
	if err := u.run(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	want := image.NewNRGBA(image.Rect(0, 0, 778, 1000))
	whole.write(want, span{0, 0, 389}, span{0, 0, 500})
	differ(t, upscale(t, u, m, 2), want)
}

// TestSpans checks that what is kept covers the row once, and is seen with a margin unless it is at an end.
func TestSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 2000).Draw(t, "n")
		fixed := rapid.OneOf(rapid.Just(0), rapid.IntRange(leastFixed, mostFixed)).Draw(t, "fixed")
		padded, size := sides(n, fixed)
		end, edge := 0, min(margin, size/4)
		for _, s := range spans(n, padded, size) {
			switch {
			case s.from != end || s.to <= s.from:
				t.Fatalf("%+v follows %d", s, end)
			case s.start < 0 || s.start+size > padded:
				t.Fatalf("%+v of %d lies outside the %d there are", s, size, padded)
			case s.from > 0 && s.from < s.start+edge, s.to < n && s.to > s.start+size-edge:
				t.Fatalf("%+v of %d is seen without a margin of %d", s, size, edge)
			case s.to > s.start+size:
				t.Fatalf("%+v reads more than the %d there are", s, size)
			}
			end = s.to
		}
		if end != n {
			t.Fatalf("of %d, %d are kept", n, end)
		}
	})
}

func TestReflected(t *testing.T) {
	for i, want := range []int{0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2} {
		if got := reflected(i, 4); got != want {
			t.Errorf("place %d of 4 shows %d, want %d", i, got, want)
		}
		if got := reflected(i, 1); got != 0 {
			t.Errorf("place %d of 1 shows %d", i, got)
		}
	}
}

// TestFactors checks how factors are reached that are not the network's own.
func TestFactors(t *testing.T) {
	two, three := open(t, "two"), open(t, "three")
	m := paint(21, 34)
	twice := upscale(t, two, m, 2)
	thrice := upscale(t, three, m, 3)
	if three.Scale() != 3 {
		t.Errorf("scale %d, want 3", three.Scale())
	}
	for name, c := range map[string]struct {
		u      *Upscaler
		factor int
		want   *image.NRGBA
	}{
		"again":         {two, 4, upscale(t, two, twice, 2)},
		"a third time":  {two, 8, upscale(t, two, upscale(t, two, twice, 2), 2)},
		"once, then up": {two, 3, resample.Resize(twice, 63, 102, resample.Lanczos)},
		"then down":     {three, 2, resample.Resize(thrice, 42, 68, resample.Lanczos)},
		"back":          {three, 1, resample.Resize(thrice, 21, 34, resample.Lanczos)},
		"up":            {three, 4, resample.Resize(thrice, 84, 136, resample.Lanczos)},
	} {
		if got := upscale(t, c.u, m, c.factor); got.Rect != c.want.Rect || !bytes.Equal(got.Pix, c.want.Pix) {
			t.Errorf("%s: times %d differs", name, c.factor)
		}
	}
}

func TestSmall(t *testing.T) {
	u := open(t, "four")
	for _, size := range []image.Point{{1, 1}, {1, 50}, {33, 1}} {
		if got := upscale(t, u, paint(size.X, size.Y), 4); got.Rect.Max != size.Mul(4) {
			t.Errorf("%v became %v", size, got.Rect)
		}
	}
}

func TestVeiled(t *testing.T) {
	u := open(t, "two")
	clear := image.NewNRGBA(image.Rect(0, 0, 9, 9))
	white := resample.Flatten(clear)
	if got, want := upscale(t, u, clear, 2), upscale(t, u, white, 2); !bytes.Equal(got.Pix, want.Pix) {
		t.Error("what is transparent is not seen as white")
	}
	if got, err := Lanczos(clear, 2); err != nil || !bytes.Equal(got.Pix, bytes.Repeat([]byte{255}, 4*18*18)) {
		t.Errorf("Lanczos: %v; what is transparent is not seen as white", err)
	}
}

func TestLanczos(t *testing.T) {
	m := paint(40, 30)
	got, err := Lanczos(m, 4)
	if err != nil || !bytes.Equal(got.Pix, resample.Resize(m, 160, 120, resample.Lanczos).Pix) {
		t.Errorf("times 4 differs (%v)", err)
	}
	got, err = Lanczos(m, 1)
	if err != nil || !bytes.Equal(got.Pix, m.Pix) {
		t.Errorf("times 1 differs (%v)", err)
	}
}

func TestRefusals(t *testing.T) {
	u := open(t, "two")
	flat := &image.NRGBA{Rect: image.Rect(0, 0, 1<<14, 1<<13)} // its size is all that is looked at
	for name, c := range map[string]struct {
		m      *image.NRGBA
		factor int
	}{
		"nothing":    {&image.NRGBA{}, 2},
		"no factor":  {paint(4, 4), 0},
		"negative":   {paint(4, 4), -2},
		"too much":   {paint(4, 4), MaxFactor + 1},
		"overflow":   {paint(4, 4), 1 << 62},
		"too large":  {flat, 2},
		"very large": {flat, 8},
	} {
		if _, err := u.Upscale(t.Context(), c.m, c.factor); err == nil {
			t.Errorf("%s: upscaled", name)
		}
		if _, err := Lanczos(c.m, c.factor); err == nil {
			t.Errorf("%s: upscaled by Lanczos", name)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	load(t)
	for name, want := range map[string]string{
		"gray":    "should be a picture",
		"whole":   "float32 or float16",
		"odd":     "cannot be run on a picture of 16x16",
		"missing": "no such file",
	} {
		u, err := Open(inference.Graph{Name: name, Path: "testdata/" + name + ".onnx"}, onCPU)
		if err == nil {
			t.Errorf("%s: opened, at scale %d", name, u.Scale())
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want word of %q", name, err, want)
		}
	}
	for name, b := range map[string][]byte{"nothing": nil, "no graph": []byte("no graph")} {
		if _, err := Open(inference.Graph{Name: name, Bytes: b}, onCPU); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestBytes(t *testing.T) {
	load(t)
	file, err := os.ReadFile("testdata/three.onnx")
	if err != nil {
		t.Fatal(err)
	}
	u, err := Open(inference.Graph{Name: "three", Bytes: file}, onCPU)
	if err != nil {
		t.Fatal(err)
	}
	if u.Scale() != 3 {
		t.Errorf("scale %d, want 3", u.Scale())
	}
	if err := errors.Join(u.Close(), u.Close()); err != nil {
		t.Error(err)
	}
	if _, err := u.Upscale(t.Context(), paint(4, 4), 2); !errors.Is(err, inference.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestNumbers has a network that finds no root of dark pixels.
func TestNumbers(t *testing.T) {
	u := open(t, "lost")
	bright := bytes.Repeat([]byte{255}, 4*20*20)
	m := &image.NRGBA{Pix: bright, Stride: 80, Rect: image.Rect(0, 0, 20, 20)}
	upscale(t, u, m, 2)
	m.Pix[4*399] = 0
	if _, err := u.Upscale(t.Context(), m, 2); !errors.Is(err, errNumbers) {
		t.Errorf("got %v, want word of what are no numbers", err)
	}
}

// TestStop stops a tile that takes far longer.
func TestStop(t *testing.T) {
	u := open(t, "slow")
	m := paint(tileSide, tileSide)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := u.Upscale(ctx, m, 2); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v to stop", took)
	}
}

// TestStopped starts nothing for a context that is over.
func TestStopped(t *testing.T) {
	u := open(t, "two")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := u.Upscale(ctx, paint(500, 500), 2); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
}

func BenchmarkUpscale(b *testing.B) {
	u, m := open(b, "two"), paint(512, 512)
	for b.Loop() {
		upscale(b, u, m, 2)
	}
}
