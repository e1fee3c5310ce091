package generator

import (
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
)

// What is held for pictures in the making, in bytes. These are estimates from the networks' shapes, for admission: a row
// joins, and a call grows, only while they fit the engine's memory. The weights are not in them.

// Numbers of float32 that a row holds for each of its latents: the latents themselves, and what samplers keep of
// earlier calls. One made from a picture holds that, its noise, and what a mask keeps of it, too.
const (
	rowCopies    = 8
	canvasCopies = 7
)

// Bytes of activations that a decoder's widest layers take for each pixel and channel of their first block: four
// float32.
const pixelBytes = 16

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

// Bytes of a picture for each of its pixels, and of the float32 that it is made of.
const pictureBytes = 4 + 3*4

// rowBytes is about what a row holds until its picture is delivered.
func rowBytes(f *model.Folder, r imagine.Request) int64 {
	copies := int64(rowCopies)
	if r.Init != nil {
		copies += canvasCopies
	}
	return int64(latents(f, r))*4*copies + int64(r.Width)*int64(r.Height)*pictureBytes
}

// Bytes of a denoiser's other activations for each cell and head of its finest level.
const cellBytes = 4 << 10

// laneBytes is about what a lane takes during a call: the attention between all cells of the finest level that has it, as scores,
// scaled scores and weights, and what grows with the cells alone (docs/performance.md has what was measured).
func laneBytes(f *model.Folder, p place) int64 {
	cells, heads := int64(p.height)*int64(p.width), int64(f.Denoiser.Heads)
	seen := int64(p.height/f.Denoiser.HeadStep) * int64(p.width/f.Denoiser.HeadStep)
	return 3*seen*seen*heads*4 + cells*heads*cellBytes
}

// decodeBytes is about what the VAE takes for a picture, either way: its widest layers, or the attention between all cells in its middle.
func decodeBytes(f *model.Folder, r imagine.Request) int64 {
	pixels := int64(tilesOf(f).pixels(r.Width, r.Height))
	cells := pixels / int64(f.VAE.Factor*f.VAE.Factor)
	return max(pixels*int64(f.VAE.Width)*pixelBytes, 2*4*cells*cells)
}

// encodeBytes is about what it takes to encode what a request brings along.
func encodeBytes(f *model.Folder, r imagine.Request) int64 {
	if r.Init == nil {
		return 0
	}
	return decodeBytes(f, r) + int64(r.Width)*int64(r.Height)*pictureBytes
}

// need is the memory without which a request cannot be painted at all: one row, its smallest call, and decoding beside that.
func need(f *model.Folder, r imagine.Request) int64 {
	return rowBytes(f, r) + decodeBytes(f, r) + 2*laneBytes(f, placeOf(f, r))
}

// What loaded networks take beside what their files hold: some weights are kept twice, arranged for the processor.
const arranged = 1.2

// Needs returns about how many bytes a model takes of a machine: for its networks while they are loaded, and for one picture of
// a request on its way ([Options].Memory must be as large).
func Needs(f *model.Folder, r imagine.Request) (loaded, picture int64) {
	return int64(arranged * float64(f.Weight())), need(f, r)
}

// credits is what a lane costs in one call: 40 of them at 512x512 are 1.
func credits(r imagine.Request) float64 {
	return float64(r.Width) * float64(r.Height) / (512 * 512) / 40
}
