package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program returns the built program that EASEL_BIN names, with its built-in model. Without one the test is skipped, which on
// a machine meant for tests is a failure.
func program(tb testing.TB) string {
	tb.Helper()
	bin := os.Getenv("EASEL_BIN")
	switch {
	case bin != "":
		return bin
	case os.Getenv("CI") != "":
		tb.Fatal("EASEL_BIN is not set; set it to the built program, bin/easel")
	}
	tb.Skip("EASEL_BIN is not set; make test sets it to bin/easel")
	return ""
}

// start runs the program in dir as somebody would who has just installed it: no configuration, no data folder yet.
func start(tb testing.TB, dir string, args ...string) (stdout []byte) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), program(tb), args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Env = dir, &stderr, newcomer(tb)
	stdout, err := cmd.Output()
	if err != nil {
		tb.Fatalf("easel %q: %v\n%s", args, err, stderr.Bytes())
	}
	return stdout
}

// newcomer is the environment of somebody who has just installed the program.
func newcomer(tb testing.TB) []string {
	tb.Helper()
	env := []string{"HOME=" + tb.TempDir(), "EASEL_LISTEN=127.0.0.1:0"} // somebody may sit at the usual port
	for _, name := range []string{"PATH", "EASEL_ONNXRUNTIME", "EASEL_CACHE"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// TestBinaryLeavesNoTraces: painting writes nothing but the picture. ONNX Runtime, left to itself, would keep a record of how it
// is used in the home folder.
func TestBinaryLeavesNoTraces(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), program(t), "imagine", "--prompt", "a red fox", "--out", "fox.png")
	home := t.TempDir()
	cmd.Dir, cmd.Env = t.TempDir(), append(newcomer(t), "HOME="+home)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	err := filepath.WalkDir(home, func(path string, _ fs.DirEntry, err error) error {
		if path != home {
			t.Errorf("it left %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestBinaryPaintsTheSameAgain(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, "imagine", "--prompt", "a red fox", "--seed", "42", "--out", "one.png")
	start(t, dir, "imagine", "--prompt", "a red fox", "--seed", "42", "--out", "two.png")
	start(t, dir, "imagine", "--prompt", "a red fox", "--seed", "43", "--out", "three.png")
	one := read(t, dir, "one.png")
	if !bytes.Equal(one, read(t, dir, "two.png")) {
		t.Error("the same seed gave two different pictures")
	}
	if bytes.Equal(one, read(t, dir, "three.png")) {
		t.Error("two seeds gave the same picture")
	}
	if _, err := png.Decode(bytes.NewReader(one)); err != nil {
		t.Error(err)
	}
}

func TestBinaryCountsSeedsUp(t *testing.T) {
	dir := t.TempDir()
	stdout := start(t, dir, "imagine", "--prompt", "a red fox", "--seed", "42", "--count", "4", "--json", "--out", "four")
	var got result
	if err := json.Unmarshal(stdout, &got); err != nil || len(got.Pictures) != 4 {
		t.Fatalf("%v in %s", err, stdout)
	}
	start(t, dir, "imagine", "--prompt", "a red fox", "--seed", "44", "--out", "alone.png")
	if !bytes.Equal(read(t, dir, "four/44.png"), read(t, dir, "alone.png")) {
		t.Error("the third of four from seed 42 is not that of seed 44 alone")
	}
	for k, p := range got.Pictures {
		if p.Index != k || p.Seed != 42+int64(k) {
			t.Errorf("picture %d: got index %d and seed %d", k, p.Index, p.Seed)
		}
	}
}

func TestBinaryIsWell(t *testing.T) {
	var got struct{ Checks []check }
	if err := json.Unmarshal(start(t, t.TempDir(), "doctor", "--json"), &got); err != nil || len(got.Checks) == 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func read(t *testing.T, dir, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
