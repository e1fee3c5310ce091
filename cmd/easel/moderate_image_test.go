package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/models"
)

// withFilter lets easel find the picture filter also where it is not built in: beside the model.
func withFilter(t *testing.T) {
	t.Helper()
	ready(t)
	model, err := filepath.Abs("../../models/builtin")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("EASEL_MODEL", model)
	t.Setenv("EASEL_DATA_DIR", t.TempDir())
}

const pictures = "../../moderation/image/testdata/"

func TestModerateImages(t *testing.T) {
	withFilter(t)
	dir := t.TempDir()
	text := write(t, dir, "text.png", []byte("this is text"))
	animation := write(t, dir, "two.gif", twoFrames(t))
	bomb := write(t, dir, "bomb.png", hugePNG())
	files := []string{pictures + "block.png", pictures + "review.png", text, dir, filepath.Join(dir, "none.png"), bomb, animation, pictures + "plain.png"}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), append([]string{"moderate", "--image"}, files...), &stdout, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("status %d, %s", code, stderr.Bytes())
	}
	want := []string{
		"block 1", "review 1",
		"error it is not a PNG, JPEG, WebP or GIF picture", "error it is not a file", "error no such file or directory",
		"error it is 100000x100000 pixels; it must be 1 to 67108864 in all; make it smaller", "allow 0", "allow 0",
	}
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	if len(lines) != len(files) {
		t.Fatalf("%d lines for %d files:\n%s", len(lines), len(files), stdout.Bytes())
	}
	for i, line := range lines {
		if got := told(t, line, files[i]); got != want[i] {
			t.Errorf("%s: %s, want %s", files[i], got, want[i])
		}
	}
}

// told is what a line says, in short: the verdict and the number of reasons, or the error.
func told(t *testing.T, line, file string) string {
	t.Helper()
	var said struct {
		ID         string
		Verdict    string
		Error      string
		Categories map[string]float64
		Reasons    []struct {
			Rule, Category string
			Score          float64
		}
	}
	if err := json.Unmarshal([]byte(line), &said); err != nil || said.ID != file {
		t.Fatalf("%s: the line is %s (%v)", file, line, err)
	}
	if said.Error != "" {
		return "error " + strings.TrimPrefix(said.Error, file+": ")
	}
	for _, r := range said.Reasons {
		if r.Rule != "opennsfw" || r.Category != "sexual" || r.Score != said.Categories["sexual"] {
			t.Errorf("%s: reason %v in %s", file, r, line)
		}
	}
	return fmt.Sprint(said.Verdict, " ", len(said.Reasons))
}

func TestModerateImagesNeedsFilter(t *testing.T) {
	if models.PictureFilter != nil {
		t.Skip("it is built in")
	}
	if _, err := filterFiles(configs.Config{Model: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "put the folder opennsfw there") {
		t.Errorf("without a filter: %v", err)
	}
}

// TestInspectPictures warns of what the filter finds, in words, and of nothing else.
func TestInspectPictures(t *testing.T) {
	withFilter(t)
	c := configs.Default()
	c.Model = os.Getenv("EASEL_MODEL")
	d := &destination{}
	for i, name := range []string{"plain.png", "block.png"} {
		m, err := openPicture(pictures + name)
		if err != nil {
			t.Fatal(err)
		}
		copied := image.NewNRGBA(m.Bounds())
		for p := range copied.Rect.Dx() * copied.Rect.Dy() {
			copied.Set(p%copied.Rect.Dx(), p/copied.Rect.Dx(), m.At(p%copied.Rect.Dx(), p/copied.Rect.Dx()))
		}
		d.images, d.saved = append(d.images, copied), append(d.saved, painted{Index: i, File: name})
	}
	var stderr bytes.Buffer
	inspectPictures(t.Context(), c, d, &stderr)
	if got, want := stderr.String(), "easel: block.png may be sexual: the picture filter says block (0.9"; !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("it said %q, want one line that begins %q", got, want)
	}
	stderr.Reset()
	d.images[0] = image.NewNRGBA(image.Rectangle{})
	inspectPictures(t.Context(), c, d, &stderr)
	if got := stderr.String(); !strings.Contains(got, "were not inspected: plain.png: ") {
		t.Errorf("of a picture that cannot be inspected it said %q", got)
	}
}

func TestOpenPictureLimits(t *testing.T) {
	large := filepath.Join(t.TempDir(), "large.png")
	if err := os.WriteFile(large, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxPictureFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := openPicture(large); err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("a large file: %v", err)
	}
}

func TestFirstFrame(t *testing.T) {
	m, err := decodePicture(twoFrames(t))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := m.At(3, 3).RGBA(); r != 0xffff || g != 0xffff || b != 0xffff {
		t.Errorf("the first frame is white; seen is %v", m.At(3, 3))
	}
}

// FuzzDecodePicture must not panic, nor give what its header did not promise.
func FuzzDecodePicture(f *testing.F) {
	for _, name := range []string{"plain.png", "review.png"} {
		content, err := os.ReadFile(pictures + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add(hugePNG())
	f.Add(photograph(f, corners(16, 8), 6, binary.LittleEndian))
	f.Add(photograph(f, corners(8, 16), 7, binary.BigEndian))
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add([]byte("\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := decodePicture(content)
		if err == nil && (m.Bounds().Empty() || m.Bounds().Dx()*m.Bounds().Dy() > maxPicturePixels) {
			t.Errorf("a picture of %v", m.Bounds())
		}
	})
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, content, 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// twoFrames is an animation of a white and a black frame.
func twoFrames(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	all := gif.GIF{Delay: []int{1, 1}}
	for _, c := range []color.Color{color.White, color.Black} {
		all.Image = append(all.Image, image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{c}))
	}
	if err := gif.EncodeAll(&file, &all); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// hugePNG is the header of a PNG of 100,000 by 100,000 pixels.
func hugePNG() []byte {
	header := slices.Concat([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 100000), 100000), []byte{8, 2, 0, 0, 0})
	file := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	return binary.BigEndian.AppendUint32(append(file, header...), crc32.ChecksumIEEE(header))
}
