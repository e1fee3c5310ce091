package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"

	"github.com/bep/imagemeta"
	"golang.org/x/image/webp"
)

// What a picture's file may be. A file of a few bytes can claim to be a picture of a million megapixels.
const (
	maxPictureFile   = 64 << 20    // bytes
	maxPicturePixels = 8192 * 8192 // by what its header says
)

// decoders by the format that a file's first bytes tell; its name does not matter.
var decoders = []struct {
	magic  string // ? is any byte
	header func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}{
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"\xff\xd8", jpeg.DecodeConfig, jpeg.Decode},
	{"GIF8?a", gif.DecodeConfig, gif.Decode}, // the first frame
	{"RIFF????WEBPVP8", webp.DecodeConfig, webp.Decode},
}

// openPicture reads a picture from a PNG, JPEG, WebP or GIF file, of an animation the first frame.
func openPicture(file string) (image.Image, error) {
	content, err := readPicture(file)
	if err != nil {
		return nil, err
	}
	return decodePicture(content)
}

// readPicture reads a regular file; a pipe or a device might never end.
func readPicture(file string) ([]byte, error) {
	switch info, err := os.Stat(file); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a file")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxPictureFile+1))
	if err == nil && len(content) > maxPictureFile {
		err = fmt.Errorf("the file is larger than %d MiB", maxPictureFile>>20)
	}
	return content, err
}

// decodePicture reads the header first, and the rest only of a picture of a size that can be.
func decodePicture(content []byte) (image.Image, error) {
	for _, d := range decoders {
		if !begins(content, d.magic) {
			continue
		}
		header, err := d.header(bytes.NewReader(content))
		if err != nil {
			return nil, fmt.Errorf("it cannot be read (%w); save it again as PNG", err)
		}
		if w, h := header.Width, header.Height; w < 1 || h < 1 || w > maxPicturePixels/h {
			return nil, fmt.Errorf("it is %dx%d pixels; it must be 1 to %d in all; make it smaller", w, h, maxPicturePixels)
		}
		m, err := d.decode(bytes.NewReader(content))
		if err != nil {
			return nil, fmt.Errorf("it cannot be read (%w); save it again as PNG", err)
		}
		return upright(m, content), nil
	}
	return nil, errors.New("it is not a PNG, JPEG, WebP or GIF picture")
}

// upright turns a photograph as its camera says it was held (the Orientation of EXIF, 1 to 8).
func upright(m image.Image, content []byte) image.Image {
	held := 1
	_, _ = imagemeta.Decode(imagemeta.Options{ // what cannot be read says nothing
		R: bytes.NewReader(content), ImageFormat: imagemeta.JPEG, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Tag == "Orientation" },
		HandleTag: func(t imagemeta.TagInfo) error {
			if v, ok := t.Value.(uint16); ok {
				held = int(v)
			}
			return nil
		},
	})
	if held < 2 || held > 8 {
		return m
	}
	b := m.Bounds()
	w, h := b.Dx(), b.Dy()
	from := map[int]func(x, y int) (int, int){
		2: func(x, y int) (int, int) { return w - 1 - x, y },
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y },
		4: func(x, y int) (int, int) { return x, h - 1 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, h - 1 - x },
		7: func(x, y int) (int, int) { return w - 1 - y, h - 1 - x },
		8: func(x, y int) (int, int) { return w - 1 - y, x },
	}[held]
	turned := image.NewNRGBA(image.Rect(0, 0, w, h))
	if held > 4 {
		turned = image.NewNRGBA(image.Rect(0, 0, h, w))
	}
	for y := range turned.Rect.Dy() {
		for x := range turned.Rect.Dx() {
			sx, sy := from(x, y)
			turned.Set(x, y, m.At(b.Min.X+sx, b.Min.Y+sy))
		}
	}
	return turned
}

func begins(content []byte, magic string) bool {
	if len(content) < len(magic) {
		return false
	}
	for i, c := range []byte(magic) {
		if c != '?' && c != content[i] {
			return false
		}
	}
	return true
}
