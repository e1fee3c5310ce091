package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/HugoSmits86/nativewebp"

	"github.com/easelbot/easel/imagine"
)

// jpegQuality keeps flat colours free of visible blocks.
const jpegQuality = 95

// encoders by extension. None of them writes times or other things that differ between runs.
var encoders = map[string]func(io.Writer, image.Image) error{
	".png":  png.Encode,
	".webp": func(w io.Writer, m image.Image) error { return nativewebp.Encode(w, m, nil) },
	".jpg":  encodeJPEG,
	".jpeg": encodeJPEG,
}

func encodeJPEG(w io.Writer, m image.Image) error {
	return jpeg.Encode(w, m, &jpeg.Options{Quality: jpegQuality})
}

// A destination is where a run's pictures go.
type destination struct {
	file  string // for the one picture, or
	dir   string // for several
	grid  string // "" for none
	count int

	images []*image.NRGBA
	saved  []painted
}

// openDestination decides where pictures go and makes sure, before anything is painted, that they can be written there.
func openDestination(out, grid string, count int) (*destination, error) {
	d := &destination{grid: grid, count: count}
	switch ext := strings.ToLower(filepath.Ext(out)); {
	case isDir(out):
		d.dir = out
	case encoders[ext] != nil && count > 1:
		return nil, usagef("--out %s is a file, and %d pictures need a folder", out, count)
	case encoders[ext] != nil:
		d.file = out
	case ext == "" || strings.HasSuffix(out, string(filepath.Separator)):
		d.dir = out
	default:
		return nil, usagef("--out %s: pictures are written as .png, .webp or .jpg", out)
	}
	if grid != "" && encoders[strings.ToLower(filepath.Ext(grid))] == nil {
		return nil, usagef("--grid %s: pictures are written as .png, .webp or .jpg", grid)
	}
	return d, d.tryWriting()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// tryWriting makes the folders and a file in each.
func (d *destination) tryWriting() error {
	var dirs []string
	if d.dir != "" {
		dirs = append(dirs, d.dir)
	}
	for _, file := range []string{d.file, d.grid} {
		if file == "" {
			continue
		}
		if isDir(file) {
			return usagef("%s is a folder; name a file", file)
		}
		dirs = append(dirs, filepath.Dir(file))
	}
	for _, dir := range dirs {
		if err := tryFolder(dir); err != nil {
			return fmt.Errorf("pictures cannot be written to %s (%w); choose another place with --out", dir, reason(err))
		}
	}
	return nil
}

func tryFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".easel-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// reason is a file error without the path, which the message has already.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// saveAll writes pictures as they come, then the grid. After an error it goes on reading, so that nobody waits.
func (d *destination) saveAll(pictures <-chan imagine.Picture) error {
	d.images = make([]*image.NRGBA, d.count)
	var errs []error
	for p := range pictures {
		file := d.fileOf(p)
		if err := save(file, p.Image); err != nil {
			errs = append(errs, err)
			continue
		}
		size := p.Image.Rect.Size()
		d.images[p.Index] = p.Image
		d.saved = append(d.saved, painted{Index: p.Index, File: file, Seed: p.Seed, Width: size.X, Height: size.Y})
	}
	slices.SortFunc(d.saved, func(a, b painted) int { return a.Index - b.Index })
	if d.grid != "" && len(d.saved) == d.count {
		errs = append(errs, save(d.grid, imagine.Grid(d.images)))
	}
	return errors.Join(errs...)
}

func (d *destination) fileOf(p imagine.Picture) string {
	switch {
	case d.file != "":
		return d.file
	case p.VariationSeed != 0:
		return filepath.Join(d.dir, fmt.Sprintf("%d-%d.png", p.Seed, p.VariationSeed))
	}
	return filepath.Join(d.dir, fmt.Sprintf("%d.png", p.Seed))
}

// save writes a picture whole or not at all.
func save(file string, m image.Image) (err error) {
	var encoded bytes.Buffer
	if err := encoders[strings.ToLower(filepath.Ext(file))](&encoded, m); err != nil {
		return fmt.Errorf("encoding %s: %w", file, err)
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".easel-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, reason(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("writing %s: %w", file, reason(err)), os.Remove(part.Name()))
		}
	}()
	_, err = part.Write(encoded.Bytes())
	if err = errors.Join(err, part.Chmod(0o644), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), file)
}
