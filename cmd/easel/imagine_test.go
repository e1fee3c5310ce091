package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/easelbot/easel/imagine"
)

func TestParseSize(t *testing.T) {
	tests := []struct {
		text          string
		width, height int
		ok            bool
	}{
		{"512x768", 512, 768, true},
		{"128X128", 128, 128, true},
		{"0x0", 0, 0, true}, // refused by the model, which knows what it can paint
		{"2147483647x1", 1<<31 - 1, 1, true},
		{"", 0, 0, false},
		{"x", 0, 0, false},
		{"128", 0, 0, false},
		{"128x", 0, 0, false},
		{"x128", 0, 0, false},
		{"axb", 0, 0, false},
		{"1e3x5", 0, 0, false},
		{"-1x5", 0, 0, false},
		{"+1x+5", 0, 0, false},
		{"0x10x5", 0, 0, false},
		{"1_000x5", 0, 0, false},
		{" 1x5", 0, 0, false},
		{"128×128", 0, 0, false},
		{"2147483648x1", 0, 0, false},
		{"99999999999999999999x1", 0, 0, false},
	}
	for _, tt := range tests {
		w, h, err := parseSize(tt.text)
		if w != tt.width || h != tt.height || (err == nil) != tt.ok {
			t.Errorf("parseSize(%q) = %d, %d, %v; want %d, %d, ok %v", tt.text, w, h, err, tt.width, tt.height, tt.ok)
		}
		if err != nil && status(err) != 2 {
			t.Errorf("parseSize(%q): status %d, want 2", tt.text, status(err))
		}
	}
}

// What parses is what its numbers write again, but for zeros in front and the case of the x.
func FuzzParseSize(f *testing.F) {
	for _, seed := range []string{"512x768", "1X1", "0x0", "axb", "1e3x5", "-1x-1", "2147483648x1", "007x7", "x", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w, h, err := parseSize(s)
		if err != nil {
			if w != 0 || h != 0 {
				t.Errorf("%q: a size of %dx%d came with the error", s, w, h)
			}
			return
		}
		a, b, _ := strings.Cut(strings.ToLower(s), "x")
		if w < 0 || h < 0 || plain(a) != fmt.Sprint(w) || plain(b) != fmt.Sprint(h) {
			t.Errorf("parseSize(%q) = %d, %d", s, w, h)
		}
	})
}

// plain takes the zeros off the front of digits.
func plain(digits string) string {
	if rest := strings.TrimLeft(digits, "0"); rest != "" {
		return rest
	}
	return "0"
}

// easel runs the command line with the model of random weights and a data folder of the test's own.
func easel(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	model, err := filepath.Abs(tiny)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("EASEL_MODEL", model)
	t.Setenv("EASEL_DEVICE", "cpu")
	t.Setenv("EASEL_DATA_DIR", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	var out, said bytes.Buffer
	status = run(t.Context(), args, &out, &said)
	return status, out.String(), said.String()
}

// TestPromptsRefused holds the prompts that a script cannot.
func TestPromptsRefused(t *testing.T) {
	tests := []struct{ name, option, text, want string }{
		{"NUL", "--prompt", "a fox\x00 and more", "prompt: it holds a NUL character"},
		{"NUL in the negative", "--negative", "blue\x00", "negative: it holds a NUL character"},
		{"not UTF-8", "--prompt", "a fox \xff\xfe", "not valid UTF-8"},
		{"long", "--prompt", strings.Repeat("ä", 5000), "5000 characters; at most 2000"},
		{"long negative", "--negative", strings.Repeat("ä", 2001), "2001 characters"},
		{"blank", "--prompt", "\u2003\n", "it is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := easel(t, "imagine", "--prompt", "fox", tt.option, tt.text, "--out", "pictures")
			if status != 2 || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("status %d, stdout %q, stderr %q; want 2 and %q", status, stdout, stderr, tt.want)
			}
			if left := names(t, "."); left != "" {
				t.Errorf("it left %s", left)
			}
		})
	}
}

func TestJSONIsWhatItSays(t *testing.T) {
	ready(t)
	code, stdout, stderr := easel(t, "imagine", "--prompt", "a \"fox\"\n", "--seed", "-2", "--count", "3", "--json", "--grid", "grid.png")
	if code != 0 {
		t.Fatal(stderr)
	}
	var got result
	in := json.NewDecoder(strings.NewReader(stdout))
	in.DisallowUnknownFields()
	if err := in.Decode(&got); err != nil || in.More() {
		t.Fatalf("%v in %q", err, stdout)
	}
	if got.Prompt != "a \"fox\"\n" || got.Grid != "grid.png" || len(got.Pictures) != 3 {
		t.Errorf("got %+v", got)
	}
	for k, p := range got.Pictures {
		want := painted{Index: k, File: fmt.Sprintf("%d.png", k-2), Seed: int64(k - 2), Width: 128, Height: 128}
		if p != want {
			t.Errorf("picture %d: got %+v, want %+v", k, p, want)
		}
	}
}

// cancelOn cancels a run as soon as it is told of something.
type cancelOn struct {
	word   string
	cancel func()
	bytes.Buffer
}

func (c *cancelOn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(c.word)) {
		c.cancel()
	}
	return c.Buffer.Write(b)
}

func TestInterruptedSaysHowMany(t *testing.T) {
	ready(t)
	model, err := filepath.Abs(tiny)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &cancelOn{word: "50%", cancel: cancel}
	args := []string{"imagine", "--model", model, "--device", "cpu", "--prompt", "fox", "--seed", "7", "--count", "32", "--steps", "20", "--out", dir}
	if got := run(ctx, args, t.Output(), stderr); got != 1 {
		t.Errorf("status %d, want 1", got)
	}
	saved := 0
	for name := range strings.FieldsSeq(names(t, dir)) {
		if !strings.HasSuffix(name, ".png") {
			t.Errorf("%s was left behind", name)
		}
		saved++
	}
	if want := fmt.Sprintf("easel: interrupted; %d of 32 pictures were finished and are saved\n", saved); !strings.HasSuffix(stderr.String(), want) {
		t.Errorf("stderr %q, want it to end with %q", stderr, want)
	}
}

func TestProgressLines(t *testing.T) {
	tests := []struct {
		name   string
		count  int
		events []imagine.Event
		want   string
	}{
		{"each tenth once", 1, calls(20), "10%20%30%40%50%60%70%80%90%100%"},
		{"few calls", 2, calls(3), "33%66%100%"},
		{"with time left", 1, []imagine.Event{{Calls: 1, Total: 2, Left: 11 * time.Second}, {Calls: 2, Total: 2}}, "50%, about 12 s left100%"},
		{"nothing known yet", 1, []imagine.Event{{}, {Calls: 0, Total: 4}}, ""},
		{"pictures are no progress", 1, []imagine.Event{{Calls: 1, Total: 2}, {Calls: 1, Total: 2, Picture: &imagine.Picture{}}}, "50%"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			p := newProgress(&out, tt.count)
			for _, ev := range tt.events {
				p.show(ev)
			}
			p.end()
			got := strings.NewReplacer("painting a picture: ", "", "painting 2 pictures: ", "", "\n", "").Replace(out.String())
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func calls(n int) []imagine.Event {
	var events []imagine.Event
	for i := range n {
		events = append(events, imagine.Event{Calls: i + 1, Total: n})
	}
	return events
}
