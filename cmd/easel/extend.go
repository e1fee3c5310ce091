package main

import (
	"image"
	"slices"
	"strings"

	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/generator/canvas"
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/resample"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/jobs"
)

// directions that --pan knows.
var directions = []string{"left", "right", "up", "down"}

// extends reports whether the picture to start from is to be continued beyond its edges, and whether that can be.
func (f *imagineFlags) extends() (bool, error) {
	zoom, pan := f.given("zoom"), f.given("pan")
	flag := "--zoom"
	if pan {
		flag = "--pan"
	}
	switch {
	case !zoom && !pan:
		return false, nil
	case zoom && pan:
		return false, usagef("--zoom and --pan go one after the other; do one, and the other with what comes of it")
	case f.init == "":
		return false, usagef("%s needs a picture to continue; give it with --init", flag)
	case f.mask != "":
		return false, usagef("%s makes its own mask; leave --mask out", flag)
	case zoom && !(f.zoom >= canvas.LeastZoom && f.zoom <= canvas.MostZoom): // nor is NaN
		return false, usagef("--zoom is %v; it must be %v to %v", f.zoom, canvas.LeastZoom, canvas.MostZoom)
	case pan && !slices.Contains(directions, f.pan):
		return false, usagef("--pan %q: it is one of %s", f.pan, strings.Join(directions, ", "))
	}
	return true, nil
}

// extend lays the picture to start from on a canvas, and asks for what is around it.
func (f *imagineFlags) extend(folder *model.Folder, a *jobs.Ask) (err error) {
	picture := a.Init.Image
	if f.given("zoom") {
		f.canvas, err = f.zoomed(folder, picture, a.Size)
	} else {
		f.canvas, err = f.panned(folder, picture, a.Size)
	}
	if err != nil {
		return err
	}
	size := f.canvas.Init.Rect.Size()
	a.Size, a.Mask = &size, &imagine.Source{Image: f.canvas.Mask}
	a.Init = &imagine.Source{Hash: a.Init.Hash, Image: f.canvas.Init}
	return nil
}

func (f *imagineFlags) zoomed(folder *model.Folder, picture image.Image, asked *image.Point) (*canvas.Canvas, error) {
	size := sizeOr(folder, picture, asked)
	if err := checkSize(folder, size); err != nil {
		return nil, err
	}
	c, err := canvas.Zoom(picture, size, f.zoom, folder.VAE.Factor)
	if err != nil {
		return nil, usagef("--zoom %v: %w", f.zoom, err)
	}
	return c, nil
}

// panned adds half as much as there is, in multiples that the model can take. What was asked for is the size of both together.
func (f *imagineFlags) panned(folder *model.Folder, picture image.Image, asked *image.Point) (*canvas.Canvas, error) {
	size, step := sizeOr(folder, picture, asked), folder.SizeStep()
	side := &size.X
	if f.pan == "up" || f.pan == "down" {
		side = &size.Y
	}
	more := (*side/2 + step - 1) / step * step
	if asked != nil {
		more = max(*side/3/step*step, step)
		*side -= more
	}
	all := size
	if side == &size.X {
		all.X += more
	} else {
		all.Y += more
	}
	if err := checkSize(folder, all); err != nil {
		return nil, err
	}
	if *side < 1 {
		return nil, usagef("--pan %s: nothing of the picture is left in %dx%d; ask for a larger --size", f.pan, all.X, all.Y)
	}
	own := resample.Resize(resample.Flatten(picture), size.X, size.Y, resample.Lanczos)
	c, err := canvas.Outpaint(own, map[string]canvas.Margins{
		"left": {Left: more}, "right": {Right: more}, "up": {Top: more}, "down": {Bottom: more},
	}[f.pan], folder.VAE.Factor)
	if err != nil {
		return nil, usagef("--pan %s: %w", f.pan, err)
	}
	return c, nil
}

// sizeOr is the size that was asked for, or else the one that the model best paints from the picture.
func sizeOr(folder *model.Folder, picture image.Image, asked *image.Point) image.Point {
	if asked != nil {
		return *asked
	}
	w, h := generator.SizeFor(folder, picture.Bounds())
	return image.Pt(w, h)
}

func checkSize(folder *model.Folder, size image.Point) error {
	if err := folder.CheckSize(size.X, size.Y); err != nil {
		return imagine.Invalid("size", "%v", err)
	}
	return nil
}
