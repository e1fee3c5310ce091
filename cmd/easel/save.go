package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/HugoSmits86/nativewebp"
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
	opaque := image.NewRGBA(m.Bounds()) // the format has no transparency, which a grid's gutters have
	draw.Draw(opaque, opaque.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(opaque, opaque.Rect, m, m.Bounds().Min, draw.Over)
	return jpeg.Encode(w, opaque, &jpeg.Options{Quality: jpegQuality})
}

// encoderOf returns the encoder for a file's extension, in capitals or not, or nil.
func encoderOf(file string) func(io.Writer, image.Image) error {
	return encoders[strings.ToLower(filepath.Ext(file))]
}

// save writes a picture whole or not at all: into a file beside it, which then takes its name.
func save(file string, m image.Image) error {
	var encoded bytes.Buffer
	if err := encoderOf(file)(&encoded, m); err != nil {
		return fmt.Errorf("encoding %s: %w", file, err)
	}
	part, err := create(filepath.Dir(file))
	if err == nil {
		_, err = part.Write(encoded.Bytes())
		if err = errors.Join(err, part.Close()); err == nil {
			err = os.Rename(part.Name(), file)
		}
		if err != nil {
			_ = os.Remove(part.Name()) // the error to tell is the first
		}
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, reason(err))
	}
	return nil
}

// create makes a new file of a name that no picture has, with the permissions that the user's umask leaves.
func create(dir string) (*os.File, error) {
	name := filepath.Join(dir, fmt.Sprintf(".easel-%x", rand.Uint64()))
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// tryFolder makes a folder, and a file in it that it takes away again.
func tryFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := create(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// reason is a file error without the paths, which the message has already.
func reason(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
