package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/easelbot/easel/inference"
	"github.com/easelbot/easel/models"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"easel": main})
}

// TestScripts tells the stories in testdata/script. Beside testscript's own commands they use
//
//	status N easel ...         run and expect the exit status; a message on stderr must be one for people
//	interrupt TEXT easel ...   run until TEXT is on stderr, press Ctrl-C, expect status 1; stderr goes to the file stderr.txt
//	files DIR PATTERN...       expect files of each pattern in a folder, and no others, hidden ones included
//	tiny DIR                   copy the model of random weights
//	cut FILE N                 leave the first N bytes of a file
//
// and easel with that model, on the CPU, with a data folder of its own.
func TestScripts(t *testing.T) {
	ready(t)
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": expectStatus, "interrupt": interrupt, "files": expectFiles, "tiny": copyTiny, "cut": cut,
		},
	})
}

// ready loads ONNX Runtime or skips the test, which on a machine meant for tests is a failure.
func ready(tb testing.TB) {
	tb.Helper()
	if err := inference.Load(""); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
}

const tiny = "../../testdata/tiny"

// environment is the key under which a script keeps its variables.
const environment = "environment"

// besideFilter lays the model and the picture filter beside each other, where a program without weights of its own looks.
func besideFilter(env *testscript.Env) (model string, err error) {
	dir, err := os.MkdirTemp("", "easel-models")
	if err != nil {
		return "", err
	}
	env.Defer(func() { _ = os.RemoveAll(dir) })
	for name, from := range map[string]string{"tiny": tiny, models.PictureFilterName: "../../models/" + models.PictureFilterName} {
		target, err := filepath.Abs(from)
		if err == nil {
			err = os.Symlink(target, filepath.Join(dir, name))
		}
		if err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "tiny"), nil
}

func setUp(env *testscript.Env) error {
	model, err := besideFilter(env)
	if err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	env.Setenv("EASEL_MODEL", model)
	for name, file := range map[string]string{
		"UPSCALER": "../../generator/upscale/testdata/two.onnx", "CLIP": "../../generator/rank/testdata/joint", "FAMILIES": "../../testdata/families",
	} {
		path, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		env.Setenv(name, path)
	}
	env.Setenv("EASEL_DEVICE", "cpu")
	env.Setenv("EASEL_DATA_DIR", filepath.Join(env.WorkDir, "data"))
	env.Setenv("EASEL_LISTEN", "127.0.0.1:0")
	env.Setenv("EASEL_ONNXRUNTIME", os.Getenv("EASEL_ONNXRUNTIME"))
	env.Setenv("EASEL_CACHE", os.Getenv("EASEL_CACHE"))
	env.Setenv("XDG_CACHE_HOME", cache)
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "settings"))
	env.Values[environment] = env.Vars
	return nil
}

// inside matches what only a programmer could read.
var inside = regexp.MustCompile(`goroutine \d|panic|strconv\.|\*?errors\.|\.go:\d|0x[0-9a-f]{6}|<nil>|%!`)

func expectStatus(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	if got := exitStatus(err); got != want {
		ts.Fatalf("status: got %d (%v), want %d", got, err, want)
	}
	said := ts.ReadFile("stderr")
	if want != 0 && !strings.Contains(said, "easel: ") {
		ts.Fatalf("it failed without saying why")
	}
	if bad := inside.FindString(said); bad != "" {
		ts.Fatalf("stderr speaks to programmers: %q", bad)
	}
}

// exitStatus is what a process ended with, -1 if it did not run or was killed.
func exitStatus(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	self, err := os.Executable()
	ts.Check(err)
	cmd := &exec.Cmd{Path: self, Args: args[1:], Dir: ts.MkAbs("."), Env: ts.Value(environment).([]string)}
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	var said []byte
	pressed := false
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said = append(append(said, lines.Bytes()...), '\n')
		if !pressed && strings.Contains(lines.Text(), args[0]) {
			pressed = true
			ts.Check(cmd.Process.Signal(os.Interrupt))
		}
	}
	if got := exitStatus(cmd.Wait()); got != 1 || !pressed {
		ts.Fatalf("status: got %d, want 1; %q was seen: %v; stderr:\n%s", got, args[0], pressed, said)
	}
	ts.Check(os.WriteFile(ts.MkAbs("stderr.txt"), said, 0o600))
}

func expectFiles(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name() == ".tmp" }) // testscript's own
	met := map[string]bool{}
	for _, e := range entries {
		i := slices.IndexFunc(args[1:], func(pattern string) bool {
			ok, err := filepath.Match(pattern, e.Name())
			ts.Check(err)
			return ok
		})
		if i < 0 {
			ts.Fatalf("%s holds %s, want only %q", args[0], e.Name(), args[1:])
		}
		met[args[1+i]] = true
	}
	if len(met) < len(args[1:]) {
		ts.Fatalf("%s holds %v, want all of %q", args[0], entries, args[1:])
	}
}

func copyTiny(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(tiny)))
}

func cut(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}
