package generator

import (
	"context"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/inference"
)

// Large pictures go through the VAE in tiles, so that memory stays bounded. Tiles overlap by a quarter and are blended linearly there, as
// diffusers' tiled_encode and tiled_decode do; a picture is tiled by its size alone, so that it is the same on every machine.

// Numbers in the VAE's widest layer above which a picture is tiled: those of 1280x1280 pixels in Stable Diffusion's.
const tileAbove = 1280 * 1280 * 128

// Pixels of a tile's side.
const tileSide = 512

// tiles says how a model's VAE is tiled.
type tiles struct {
	factor int // pixels a cell
	side   int // cells of a tile's side
	width  int // channels of the VAE's widest layer at full size
}

func tilesOf(f *model.Folder) tiles {
	return tiles{factor: f.VAE.Factor, side: max(tileSide/f.VAE.Factor, 4), width: f.VAE.Width}
}

// apply reports whether pictures of w x h pixels are tiled.
func (t tiles) apply(w, h int) bool { return w*h*t.width > tileAbove }

// pixels is how many pixels the VAE has in work at a time for a picture of w x h.
func (t tiles) pixels(w, h int) int {
	if !t.apply(w, h) {
		return w * h
	}
	side := t.side * t.factor
	return min(side, w) * min(side, h)
}

// planes are channels of h x w numbers each.
type planes struct {
	data           []float32
	channels, w, h int
}

// A pass runs the VAE one way.
type pass func(context.Context, planes) (planes, error)

// decode runs a pass from cells to pixels.
func (t tiles) decode(ctx context.Context, run pass, in planes) (planes, error) {
	if !t.apply(in.w*t.factor, in.h*t.factor) {
		return run(ctx, in)
	}
	return t.join(ctx, run, in, t.side, t.side*t.factor)
}

// encode runs a pass from pixels to cells.
func (t tiles) encode(ctx context.Context, run pass, in planes) (planes, error) {
	if !t.apply(in.w, in.h) {
		return run(ctx, in)
	}
	return t.join(ctx, run, in, t.side*t.factor, t.side)
}

// join runs a pass over overlapping tiles, from numbers before and to numbers after it along each side, and puts what comes of them together.
func (t tiles) join(ctx context.Context, run pass, in planes, before, after int) (planes, error) {
	step, blend := before-before/4, after/4
	keep := after - blend
	var out planes
	var above []planes // the row of tiles before this one
	for y := 0; y < in.h; y += step {
		var row []planes
		for x := 0; x < in.w; x += step {
			tile, err := run(ctx, in.part(x, y, before))
			if err != nil {
				return planes{}, err
			}
			if out.data == nil {
				out = blank(tile.channels, in.w*after/before, in.h*after/before)
			}
			if y > 0 {
				tile.blendDown(above[len(row)], blend)
			}
			if x > 0 {
				tile.blendRight(row[len(row)-1], blend)
			}
			out.put(tile, len(row)*keep, y/step*keep, keep)
			row = append(row, tile)
		}
		above = row
	}
	return out, nil
}

func blank(channels, w, h int) planes {
	return planes{make([]float32, channels*w*h), channels, w, h}
}

// tensor lends the numbers as a batch of one.
func (p planes) tensor() inference.Tensor {
	return inference.Float32(p.data, 1, int64(p.channels), int64(p.h), int64(p.w))
}

// row returns a line of a channel.
func (p planes) row(c, y int) []float32 {
	i := (c*p.h + y) * p.w
	return p.data[i : i+p.w]
}

// part copies out the tile at x, y; at the edges it is smaller than side.
func (p planes) part(x, y, side int) planes {
	tile := blank(p.channels, min(side, p.w-x), min(side, p.h-y))
	for c := range p.channels {
		for i := range tile.h {
			copy(tile.row(c, i), p.row(c, y+i)[x:])
		}
	}
	return tile
}

// put writes at most side x side numbers of a tile at x, y.
func (p planes) put(tile planes, x, y, side int) {
	for c := range p.channels {
		for i := range min(side, tile.h, p.h-y) {
			copy(p.row(c, y+i)[x:], tile.row(c, i)[:min(side, tile.w, p.w-x)])
		}
	}
}

// blendDown lets the last lines of the tile above fade into the first of this one.
func (p planes) blendDown(above planes, extent int) {
	extent = min(extent, above.h, p.h)
	for c := range p.channels {
		for y := range extent {
			from, to := above.row(c, above.h-extent+y), p.row(c, y)
			for x := range to {
				to[x] = fade(from[x], to[x], y, extent)
			}
		}
	}
}

// blendRight does the same with the tile to the left.
func (p planes) blendRight(left planes, extent int) {
	extent = min(extent, left.w, p.w)
	for c := range p.channels {
		for y := range p.h {
			from, to := left.row(c, y)[left.w-extent:], p.row(c, y)
			for x := range extent {
				to[x] = fade(from[x], to[x], x, extent)
			}
		}
	}
}

func fade(from, to float32, i, extent int) float32 {
	share := float32(i) / float32(extent)
	return from*(1-share) + to*share
}
