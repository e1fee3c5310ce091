package generator

import (
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
)

// What is held for pictures in the making, in bytes. These are estimates from the networks' shapes, for admission: a row
// joins, and a call grows, only while they fit the engine's memory. The weights are not in them.

// Numbers of float32 that a row holds for each of its latents: the latents themselves, and what samplers keep of
// earlier calls.
const rowCopies = 8

// Bytes of activations that a decoder's widest layers take for each pixel and channel of their first block: four
// float32.
const decodeBytes = 16

// A place is the part of a row that all rows of a call must share.
type place struct{ height, width int } // of the latents

func placeOf(f *model.Folder, r imagine.Request) place {
	return place{r.Height / f.VAE.Factor, r.Width / f.VAE.Factor}
}

// latents is how many numbers a row's latents have.
func latents(f *model.Folder, r imagine.Request) int {
	p := placeOf(f, r)
	return f.Denoiser.Channels * p.height * p.width
}

// rowBytes is about what a row holds until its picture is delivered.
func rowBytes(f *model.Folder, r imagine.Request) int64 {
	const pixel = 4 + 3*4 // the picture, and the floats it is made of
	return int64(latents(f, r))*4*rowCopies + int64(r.Width)*int64(r.Height)*pixel
}

// Bytes of a denoiser's other activations for each cell and head of its finest level.
const cellBytes = 4 << 10

// laneBytes is about what a lane takes during a call: the attention between all cells of the finest level, once as scores
// and once as weights, and what grows with the cells alone (docs/performance.md has what was measured).
func laneBytes(f *model.Folder, p place) int64 {
	cells, heads := int64(p.height)*int64(p.width), int64(f.Denoiser.Heads)
	return 2*cells*cells*heads*4 + cells*heads*cellBytes
}

// lanesWithin is how many lanes of a place fit a call, at least the two without which there is none.
func lanesWithin(f *model.Folder, memory int64, p place) int {
	return int(max(2, memory/max(laneBytes(f, p), 1)))
}

// need is the memory without which a request cannot be painted at all: one row, and the larger of its smallest call and its
// decoding.
func need(f *model.Folder, r imagine.Request) int64 {
	decoding := int64(r.Width) * int64(r.Height) * int64(f.VAE.Width) * decodeBytes
	return rowBytes(f, r) + max(2*laneBytes(f, placeOf(f, r)), decoding)
}
