package noise_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/easelbot/easel/generator/noise"
	"pgregory.net/rapid"
)

// reference is testdata/reference.json: what PyTorch drew in a sequence of calls, as float32 in little-endian order.
type reference struct {
	Cases []struct {
		Seed    int64
		Lengths []int
		First   []float32
		SHA256  string
	}
}

func TestNormalEqualsTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref reference
	if err := json.Unmarshal(text, &ref); err != nil {
		t.Fatal(err)
	}
	if len(ref.Cases) < 100 {
		t.Fatalf("only %d cases", len(ref.Cases))
	}
	for _, c := range ref.Cases {
		t.Run(fmt.Sprint(c.Seed, c.Lengths), func(t *testing.T) {
			got := draw(noise.New(c.Seed), c.Lengths...)
			if first := got[:len(c.First)]; !same(first, c.First) {
				t.Errorf("begins %v, want %v", first, c.First)
			}
			if sum := hash(got); sum != c.SHA256 {
				t.Errorf("sha256 %s, want %s", sum, c.SHA256)
			}
		})
	}
}

// draw returns the values of one call a length, one after the other.
func draw(s *noise.Source, lengths ...int) []float32 {
	var all []float32
	for _, n := range lengths {
		d := make([]float32, n)
		s.Normal(d)
		all = append(all, d...)
	}
	return all
}

func same(a, b []float32) bool {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

func hash(x []float32) string {
	h := sha256.New()
	if err := binary.Write(h, binary.LittleEndian, x); err != nil {
		panic(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// A draw of 16 or more passes over a kept number, and a short one after it takes it up.
func TestKeptNumberOutlivesALongDraw(t *testing.T) {
	plain, mixed := noise.New(7), noise.New(7)
	want := draw(plain, 1, 1)
	got := append(draw(mixed, 1), draw(mixed, 16, 1)[16])
	if !same(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOnlyLow32BitsOfSeedCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Int64().Draw(t, "seed")
		n := rapid.IntRange(0, 100).Draw(t, "n")
		if !same(draw(noise.New(seed), n), draw(noise.New(int64(uint32(seed))), n)) {
			t.Fatal("the high bits changed the noise")
		}
	})
}

func TestNormalIsNormal(t *testing.T) {
	const n = 1 << 18
	var sum, squares, fourths float64
	for _, v := range draw(noise.New(99), n) {
		x := float64(v)
		sum += x
		squares += x * x
		fourths += x * x * x * x
	}
	for _, m := range []struct {
		name            string
		got, want, sdev float64
	}{
		{"mean", sum / n, 0, 1},
		{"variance", squares / n, 1, math.Sqrt2},
		{"fourth moment", fourths / n, 3, math.Sqrt(96)},
	} {
		if math.Abs(m.got-m.want) > 5*m.sdev/math.Sqrt(n) {
			t.Errorf("%s %v, want near %v", m.name, m.got, m.want)
		}
	}
}

func TestNormalAllocatesNothing(t *testing.T) {
	s, d := noise.New(1), make([]float32, 1000)
	if n := testing.AllocsPerRun(100, func() { s.Normal(d); s.Normal(d[:3]) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}

func BenchmarkNormal(b *testing.B) {
	for _, n := range []int{1024, 16384} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, d := noise.New(1), make([]float32, n)
			b.SetBytes(int64(4 * n))
			for b.Loop() {
				s.Normal(d)
			}
		})
	}
}
