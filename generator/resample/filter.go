package resample

import "math"

// A Filter says how pixels are made from their neighbours.
type Filter int

// The filters, from the sharpest to the plainest.
const (
	Lanczos  Filter = iota // a sinc within a sinc of three lobes
	Bicubic                // Keys' cubic with a = -0.5
	Bilinear               // a triangle
	Nearest                // the pixel under the middle
)

var filters = [...]struct {
	reach float64 // to each side, in pixels of the larger picture
	at    func(x float64) float64
}{
	Lanczos:  {3, func(x float64) float64 { return sinc(x) * sinc(x/3) }},
	Bicubic:  {2, cubic},
	Bilinear: {1, func(x float64) float64 { return max(1-math.Abs(x), 0) }},
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

func cubic(x float64) float64 {
	const a = -0.5
	switch x = math.Abs(x); {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

// A tap is what one pixel is made from: neighbours in a row or column, from one on, and their weights in 22 binary places.
type tap struct {
	from    int
	weights []int32
}

// taps returns how m pixels are made from n.
func (f Filter) taps(n, m int) []tap {
	scale := float64(n) / float64(m)
	stretch := max(scale, 1)
	reach, shrink := filters[f].reach*stretch, 1/stretch
	taps := make([]tap, m)
	buffer := make([]float64, 0, 2*int(math.Ceil(reach))+1)
	for i := range taps {
		middle := (float64(i) + 0.5) * scale
		first := max(int(middle-reach+0.5), 0)
		last := min(int(middle+reach+0.5), n)
		weights := buffer[:last-first]
		for k := range weights {
			weights[k] = filters[f].at((float64(k+first) - middle + 0.5) * shrink)
		}
		taps[i] = tap{first, whole(weights)}
	}
	return taps
}

// whole brings weights to a sum of 1 and rounds them, halves away from zero.
func whole(weights []float64) []int32 {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	list := make([]int32, len(weights))
	for i, w := range weights {
		list[i] = int32(math.Round(w / sum * (1 << places)))
	}
	return list
}
