package main

import (
	"cmp"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/easelbot/easel/generator/prompt/syntax"
	"github.com/easelbot/easel/imagine"
)

// A destination is where a request's pictures go.
type destination struct {
	file string // for the one picture, or
	dir  string // for several
	grid string // "" for none

	enlarge func(*image.NRGBA) (*image.NRGBA, error) // or nil

	request imagine.Request
	images  []*image.NRGBA
	saved   []painted
}

// openDestination decides where pictures go and makes sure, before anything is painted, that they can be written there.
func openDestination(out, grid string, r imagine.Request) (*destination, error) {
	out = cmp.Or(out, ".")
	d := &destination{grid: grid, request: r}
	switch {
	case isDir(out), strings.HasSuffix(out, string(filepath.Separator)):
		d.dir = out
	case encoderOf(out) != nil && r.Count > 1:
		return nil, usagef("--out %s is a file, and %d pictures need a folder", out, r.Count)
	case encoderOf(out) != nil:
		d.file = out
	case filepath.Ext(out) == "":
		d.dir = out
	default:
		return nil, usagef("--out %s: name a file that ends in .png, .webp or .jpg, or a folder that ends in %c", out, filepath.Separator)
	}
	if err := d.checkGrid(); err != nil {
		return nil, err
	}
	return d, d.tryWriting()
}

// checkGrid refuses a grid that is no file for a picture, or is that of another.
func (d *destination) checkGrid() error {
	switch {
	case d.grid == "":
		return nil
	case encoderOf(d.grid) == nil:
		return usagef("--grid %s: name a file that ends in .png, .webp or .jpg", d.grid)
	case isDir(d.grid):
		return usagef("--grid %s is a folder; name a file", d.grid)
	}
	for k := range d.request.Count {
		if filepath.Clean(d.grid) == filepath.Clean(d.fileOf(k)) {
			return usagef("--grid %s is also the file of a picture; choose another name", d.grid)
		}
	}
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// tryWriting makes the folders and tries whether they take files.
func (d *destination) tryWriting() error {
	dir := d.dir
	if d.file != "" {
		dir = filepath.Dir(d.file)
	}
	if err := tryOption("out", dir); err != nil || d.grid == "" {
		return err
	}
	return tryOption("grid", filepath.Dir(d.grid))
}

func tryOption(option, dir string) error {
	if err := tryFolder(dir); err != nil {
		return fmt.Errorf("pictures cannot be written to %s (%w); choose another place with --%s", dir, reason(err), option)
	}
	return nil
}

// fileOf names the file of picture k.
func (d *destination) fileOf(k int) string {
	seed, variation := d.request.Seeds(k)
	switch {
	case d.file != "":
		return d.file
	case d.request.Variation.Strength > 0:
		return filepath.Join(d.dir, fmt.Sprintf("%d-%d.png", seed, variation))
	}
	return filepath.Join(d.dir, fmt.Sprintf("%d.png", seed))
}

// saveAll writes pictures as they come, then the grid. At the first error it calls stop, and reads on without writing.
func (d *destination) saveAll(pictures <-chan imagine.Picture, stop func()) error {
	d.images = make([]*image.NRGBA, d.request.Count)
	var err error
	for p := range pictures {
		if err != nil {
			continue
		}
		if err = d.save(p); err != nil {
			stop()
		}
	}
	slices.SortFunc(d.saved, func(a, b painted) int { return a.Index - b.Index })
	if d.grid != "" && len(d.saved) == d.request.Count {
		return save(d.grid, imagine.Grid(d.images))
	}
	return err
}

func (d *destination) save(p imagine.Picture) error {
	file := d.fileOf(p.Index)
	if d.enlarge != nil {
		var err error
		if p.Image, err = d.enlarge(p.Image); err != nil {
			return err
		}
	}
	if err := save(file, p.Image); err != nil {
		return err
	}
	size := p.Image.Rect.Size()
	d.images[p.Index] = p.Image
	saved := painted{Index: p.Index, File: file, Seed: p.Seed, Width: size.X, Height: size.Y}
	if prompt, _, err := syntax.Painted(d.request, p.Index); err == nil && prompt != d.request.Prompt {
		saved.Prompt = prompt
	}
	if strength := d.request.Variation.Strength; strength > 0 {
		saved.VariationSeed, saved.VariationStrength = &p.VariationSeed, strength
	}
	d.saved = append(d.saved, saved)
	return nil
}
