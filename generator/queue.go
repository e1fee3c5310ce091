package generator

import (
	"slices"

	"github.com/easelbot/easel/imagine"
)

// Numbers of float32 that a row holds for each of its latents: the latents themselves, and what samplers keep of
// earlier calls.
const rowCopies = 8

// Bytes of activations that a decoder's widest layers take for each pixel and channel of their first block: four
// float32.
const decodeBytes = 16

// rowBytes is about what a row holds until its picture is delivered.
func (e *Engine) rowBytes(r imagine.Request) int64 {
	const pixel = 4 + 3*4 // the picture, and the floats it is made of
	return int64(e.latents(r))*4*rowCopies + int64(r.Width)*int64(r.Height)*pixel
}

// need is the memory without which a request cannot be painted at all: one row, and its decoding.
func (e *Engine) need(r imagine.Request) int64 {
	return e.rowBytes(r) + int64(r.Width)*int64(r.Height)*int64(e.decoder.width)*decodeBytes
}

// enqueue puts a job in line.
func (e *Engine) enqueue(j *job) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = slices.DeleteFunc(e.waiting, (*job).over) // who gave up takes nobody's place
	switch {
	case e.closed:
		return ErrClosed
	case len(e.waiting) >= e.options.Queue:
		return ErrBusy
	}
	e.waiting = append(e.waiting, j)
	e.poke()
	return nil
}

// poke tells the loop that something changed.
func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// admit returns the rows that may join now, first come first served, as far as memory goes.
func (e *Engine) admit() []*row {
	e.mu.Lock()
	defer e.mu.Unlock()
	var rows []*row
	for len(e.waiting) > 0 {
		j := e.waiting[0]
		for !j.over() && j.joined < j.request.Count {
			if e.used > 0 && e.used+e.need(j.request) > e.options.Memory {
				return rows
			}
			r, err := e.newRow(j, j.joined)
			if err != nil {
				j.finish(err)
				break
			}
			j.joined++
			e.used += r.bytes
			rows = append(rows, r)
		}
		e.waiting = e.waiting[1:]
	}
	return rows
}

// release gives back what a row held.
func (e *Engine) release(bytes int64) {
	e.mu.Lock()
	e.used -= bytes
	e.mu.Unlock()
	e.poke()
}
