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
	"github.com/easelbot/easel/generator/rank"
	"github.com/easelbot/easel/imagine"
)

// A destination is where a request's pictures go.
type destination struct {
	file string // for the one picture, or
	dir  string // for several
	grid string // "" for none

	// What is done with a picture before it is saved; each may be nil.
	paste   func(*image.NRGBA) *image.NRGBA              // puts in what stays of another
	score   func(k int, m *image.NRGBA) (float64, error) // says how well picture k shows its prompt
	enlarge func(*image.NRGBA) (*image.NRGBA, error)

	request imagine.Request
	keep    int            // how many pictures are saved, those of the highest scores; all have come by then
	images  []*image.NRGBA // of all, as they were painted, before they were made larger
	scores  []float64      // of all, if there is a score
	saved   []painted
	small   error // why pictures were saved as they were painted and not larger
}

// openDestination decides where the best pictures of a request go and makes sure, before anything is painted, that they can be
// written there.
func openDestination(out, grid string, r imagine.Request, keep int) (*destination, error) {
	out = cmp.Or(out, ".")
	d := &destination{grid: grid, request: r, keep: keep}
	switch {
	case isDir(out), strings.HasSuffix(out, string(filepath.Separator)):
		d.dir = out
	case encoderOf(out) != nil && keep > 1:
		return nil, usagef("--out %s is a file, and %d pictures need a folder", out, keep)
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

// saveAll writes pictures as they come, or if not all are kept the best in the end, and then the grid. At the first error it calls
// stop, and reads on without writing.
func (d *destination) saveAll(pictures <-chan imagine.Picture, stop func()) error {
	d.images = make([]*image.NRGBA, d.request.Count)
	d.scores = make([]float64, d.request.Count)
	var come []imagine.Picture
	var err error
	for p := range pictures {
		if err != nil {
			continue
		}
		if d.paste != nil {
			p.Image = d.paste(p.Image)
		}
		if err = d.take(p); err != nil {
			stop()
		}
		come = append(come, p)
	}
	if err == nil && d.selects() && len(come) == d.request.Count {
		err = d.saveBest(come)
	}
	slices.SortFunc(d.saved, func(a, b painted) int { return a.Index - b.Index })
	if d.grid != "" && err == nil && len(d.saved) == d.keep {
		err = save(d.grid, imagine.Grid(d.shown()))
	}
	return cmp.Or(err, d.small)
}

// selects reports whether pictures are left out.
func (d *destination) selects() bool { return d.keep < d.request.Count }

// take saves a picture, unless better ones may come, and judges it.
func (d *destination) take(p imagine.Picture) error {
	d.images[p.Index] = p.Image
	if !d.selects() {
		if err := d.save(p); err != nil {
			return err
		}
	}
	if d.score == nil {
		return nil
	}
	score, err := d.score(p.Index, p.Image)
	d.scores[p.Index] = score
	return err
}

func (d *destination) saveBest(come []imagine.Picture) error {
	kept := highest(d.scores, d.keep)
	for _, p := range come {
		if !slices.Contains(kept, p.Index) {
			continue
		}
		if err := d.save(p); err != nil {
			return err
		}
	}
	return nil
}

// best returns the index of the picture with the highest score, or -1 if nobody judged.
func (d *destination) best() int {
	if d.score == nil {
		return -1
	}
	return rank.Best(d.scores)
}

// shown returns the pictures of the grid: those that are saved, with a mark on the best of several.
func (d *destination) shown() []*image.NRGBA {
	var list []*image.NRGBA
	for _, p := range d.saved {
		m := d.images[p.Index]
		if p.Index == d.best() && len(d.saved) > 1 {
			m = framed(m)
		}
		list = append(list, m)
	}
	return list
}

func (d *destination) save(p imagine.Picture) error {
	file, m := d.fileOf(p.Index), p.Image
	if d.enlarge != nil && d.small == nil {
		if larger, err := d.enlarge(m); err != nil {
			d.small = fmt.Errorf("%w; pictures are saved as they were painted", err)
		} else {
			m = larger
		}
	}
	if err := save(file, m); err != nil {
		return fmt.Errorf("%w; --seed %d paints it again", err, p.Seed)
	}
	size := m.Rect.Size()
	saved := painted{Index: p.Index, File: file, Seed: p.Seed, Width: size.X, Height: size.Y}
	if prompt, _, err := syntax.Painted(d.request, p.Index); err == nil && prompt != d.request.Prompt {
		saved.Prompt = &prompt
	}
	if strength := d.request.Variation.Strength; strength > 0 {
		saved.VariationSeed, saved.VariationStrength = &p.VariationSeed, strength
	}
	d.saved = append(d.saved, saved)
	return nil
}
