package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strconv"
	"strings"
	"testing"

	"github.com/HugoSmits86/nativewebp"
)

// photograph is a JPEG that says how its camera was held: EXIF with one entry, in a segment of its own behind the start.
func photograph(tb testing.TB, m image.Image, orientation uint16, order binary.ByteOrder) []byte {
	tb.Helper()
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, m, &jpeg.Options{Quality: 100}); err != nil {
		tb.Fatal(err)
	}
	mark := "II"
	if order == binary.ByteOrder(binary.BigEndian) {
		mark = "MM"
	}
	exif := bytes.NewBufferString("Exif\x00\x00" + mark)
	for _, v := range []any{
		uint16(42), uint32(8), uint16(1), // the header, and one entry 8 bytes from its beginning
		uint16(0x0112), uint16(3), uint32(1), orientation, uint16(0), // Orientation, of one short number
		uint32(0), // no other directory
	} {
		if err := binary.Write(exif, order, v); err != nil {
			tb.Fatal(err)
		}
	}
	file := append([]byte{}, plain.Bytes()[:2]...)
	file = append(file, 0xff, 0xe1)
	file = binary.BigEndian.AppendUint16(file, uint16(exif.Len()+2))
	file = append(file, exif.Bytes()...)
	return append(file, plain.Bytes()[2:]...)
}

// corners is a picture of four colours: red and green above, blue and white below.
func corners(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := []color.NRGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}[x*2/w+y*2/h*2]
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

// colours names the colours of a picture's corners, in the order in which one reads.
func colours(m image.Image) string {
	b := m.Bounds()
	var names strings.Builder
	for _, at := range []image.Point{{b.Min.X + 4, b.Min.Y + 4}, {b.Max.X - 5, b.Min.Y + 4}, {b.Min.X + 4, b.Max.Y - 5}, {b.Max.X - 5, b.Max.Y - 5}} {
		r, g, blue, _ := m.At(at.X, at.Y).RGBA()
		n := 0
		for i, v := range []uint32{r, g, blue} {
			if v > 1<<15 {
				n |= 1 << i
			}
		}
		names.WriteByte(".rg?b??w"[n])
	}
	return names.String()
}

// TestUpright decodes a picture for each way to hold a camera, as EXIF's table of Orientation has them: where the first row and the
// first column of what is stored are to be seen.
func TestUpright(t *testing.T) {
	tests := []struct {
		orientation uint16
		want        string // of rg over bw as they are stored
		turned      bool   // width and height change places
	}{
		{0, "rgbw", false},
		{1, "rgbw", false}, // top, left
		{2, "grwb", false}, // top, right
		{3, "wbgr", false}, // bottom, right
		{4, "bwrg", false}, // bottom, left
		{5, "rbgw", true},  // left, top
		{6, "brwg", true},  // right, top
		{7, "wgbr", true},  // right, bottom
		{8, "gwrb", true},  // left, bottom
		{9, "rgbw", false},
		{65535, "rgbw", false},
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, tt := range tests {
			t.Run(order.String()+strconv.Itoa(int(tt.orientation)), func(t *testing.T) {
				m, err := decodePicture(photograph(t, corners(64, 32), tt.orientation, order))
				if err != nil {
					t.Fatal(err)
				}
				size := image.Pt(64, 32)
				if tt.turned {
					size = image.Pt(32, 64)
				}
				if got := colours(m); got != tt.want || m.Bounds().Size() != size {
					t.Errorf("got %s in %v, want %s in %v", got, m.Bounds(), tt.want, size)
				}
			})
		}
	}
}

// TestDecodePicture reads every format, whatever the file is called, and refuses others.
func TestDecodePicture(t *testing.T) {
	for name, content := range pictureFiles(t) {
		m, err := decodePicture(content)
		if err != nil || colours(m) != "rgbw" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := decodePicture(content[:len(content)/2]); err == nil && name != "gif" { // whose frames may be short
			t.Errorf("half of a %s is a picture", name)
		}
	}
	for _, content := range []string{"", "\xff", "\x89PNG\r\n\x1a\n", "RIFF????WEBPVP8", "GIF89a", "BM"} {
		if m, err := decodePicture([]byte(content)); err == nil {
			t.Errorf("%q is a picture of %v", content, m.Bounds())
		}
	}
}

func pictureFiles(tb testing.TB) map[string][]byte {
	tb.Helper()
	files := map[string][]byte{}
	for name, encode := range map[string]func(*bytes.Buffer, image.Image) error{
		"png":  func(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) },
		"jpeg": func(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) },
		"gif":  func(b *bytes.Buffer, m image.Image) error { return gif.Encode(b, m, nil) },
		"webp": func(b *bytes.Buffer, m image.Image) error { return nativewebp.Encode(b, m, nil) },
	} {
		var b bytes.Buffer
		if err := encode(&b, corners(16, 16)); err != nil {
			tb.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	return files
}
