package upscale

import (
	"context"
	"errors"
	"image"
	"math"

	"github.com/easelbot/easel/inference"
)

// Sizes in pixels of the picture that goes in. ESRGAN at scale 4 takes about half a gigabyte for a tile; with a quarter of it
// margin, two fifths of the work are done twice.
const (
	tileSide = 192
	margin   = 16 // on each side of a tile that is not the picture's own
	step     = 16 // what sides are multiples of
)

// A span is what one tile reads of a row or column, from start on, and what is kept of it.
type span struct{ start, from, to int }

// spans cuts a row of n pixels, padded to at least size, into overlapping spans of that size.
func spans(n, padded, size int) []span {
	edge := min(margin, size/4)
	var list []span
	for from := 0; from < n; from = list[len(list)-1].to {
		start := min(len(list)*(size-2*edge), padded-size)
		to := start + size - edge
		if start == padded-size {
			to = n
		}
		list = append(list, span{start, from, min(to, n)})
	}
	return list
}

// sides returns the padded length of a row and the size of tiles, which the graph may fix.
func sides(n, fixed int) (padded, size int) {
	padded = (n + step - 1) / step * step
	if fixed > 0 {
		return max(padded, fixed), fixed
	}
	return padded, min(padded, tileSide)
}

// enlarge runs the network over a picture.
func (u *Upscaler) enlarge(ctx context.Context, m *image.NRGBA) (*image.NRGBA, error) {
	size := m.Rect.Size()
	paddedWidth, width := sides(size.X, u.width)
	paddedHeight, height := sides(size.Y, u.height)
	dst := image.NewNRGBA(image.Rectangle{Max: size.Mul(u.scale)})
	t := newTile(width, height, u.scale)
	for _, y := range spans(size.Y, paddedHeight, height) {
		for _, x := range spans(size.X, paddedWidth, width) {
			t.read(m, x.start, y.start)
			if err := u.run(ctx, t); err != nil {
				return nil, err
			}
			if err := t.check(); err != nil {
				return nil, err
			}
			t.write(dst, x, y)
		}
	}
	return dst, nil
}

// A tile is a piece of a picture on its way through the network, three planes of 0 to 1 each.
type tile struct {
	width, height, scale int
	in, out              []float32
}

func newTile(width, height, scale int) *tile {
	n := 3 * width * height
	return &tile{width, height, scale, make([]float32, n), make([]float32, n*scale*scale)}
}

func (u *Upscaler) run(ctx context.Context, t *tile) error {
	w, h, s := int64(t.width), int64(t.height), int64(t.scale)
	return u.session.Run(ctx,
		map[string]inference.Tensor{u.input: inference.Float32(t.in, 1, 3, h, w)},
		map[string]inference.Tensor{u.output: inference.Float32(t.out, 1, 3, s*h, s*w)})
}

var errNumbers = errors.New("the network gave values that are not numbers; if it is one for float16, try it in float32")

// check refuses what would be a black picture.
func (t *tile) check() error {
	for _, v := range t.out {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return errNumbers
		}
	}
	return nil
}

// read fills the tile with a picture's pixels, from a place on; beyond the picture's edges these are reflected.
func (t *tile) read(m *image.NRGBA, left, top int) {
	n := t.width * t.height
	for y := range t.height {
		row := m.Pix[reflected(top+y, m.Rect.Dy())*m.Stride:]
		for x := range t.width {
			p := row[4*reflected(left+x, m.Rect.Dx()):][:3]
			i := y*t.width + x
			t.in[i], t.in[n+i], t.in[2*n+i] = float32(p[0])/255, float32(p[1])/255, float32(p[2])/255
		}
	}
}

// reflected returns the place in 0..n-1 where a mirror standing on the last pixel shows place i, and one on the first what
// lies farther than that.
func reflected(i, n int) int {
	if i < n {
		return i
	}
	if n == 1 {
		return 0
	}
	i %= 2 * (n - 1)
	return min(i, 2*(n-1)-i)
}

// write copies what is kept of the tile to the result.
func (t *tile) write(dst *image.NRGBA, x, y span) {
	n, width := t.scale*t.scale*t.width*t.height, t.scale*t.width
	for row := y.from * t.scale; row < y.to*t.scale; row++ {
		line := (row-y.start*t.scale)*width - x.start*t.scale
		pixels := dst.Pix[row*dst.Stride:]
		for column := x.from * t.scale; column < x.to*t.scale; column++ {
			p := pixels[4*column:][:4]
			for c := range 3 {
				p[c] = toByte(t.out[c*n+line+column])
			}
			p[3] = math.MaxUint8
		}
	}
}

// toByte rounds half to even, as Real-ESRGAN does.
func toByte(v float32) uint8 {
	return uint8(math.RoundToEven(float64(min(max(v, 0), 1) * math.MaxUint8)))
}
