package inference

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// firstLoad tries what must fail while nothing is loaded yet, then loads the library.
var firstLoad = sync.OnceValues(func() (bad map[string]error, err error) {
	bad = map[string]error{
		"no such file": Load("/nowhere/libonnxruntime.so"),
		"no library":   Load("load_test.go"),
		"no place":     search([]string{"/nowhere/libonnxruntime.so", "libeasel-has-no-such-library.so"}),
	}
	_, bad["a graph"] = Open(Graph{Name: "g", Path: "testdata/types.onnx"}, Options{})
	return bad, Load("")
})

// ready loads ONNX Runtime or skips the test, which on a machine meant for tests is a failure.
func ready(tb testing.TB) {
	tb.Helper()
	if _, err := firstLoad(); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
}

func TestLoad(t *testing.T) {
	ready(t)
	bad, _ := firstLoad()
	for name, want := range map[string]string{
		"no such file": "run `make setup`",
		"no library":   "loading ONNX Runtime from load_test.go",
		"no place":     "ONNX Runtime was not found: run `make setup`",
		"a graph":      "ONNX Runtime is not loaded",
	} {
		if err := bad[name]; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", name, err, want)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := errors.Join(Load(""), Load(library.path)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := Load("/nowhere/else.so"); err == nil || !strings.Contains(err.Error(), "already loaded") {
		t.Errorf("another library: error %v", err)
	}
	if v := strings.Split(Version(), "."); len(v) != 3 || v[0] != "1" {
		t.Errorf("version %q", Version())
	}
}

func TestPlaces(t *testing.T) {
	home := t.TempDir()
	name := "libonnxruntime.so"
	if runtime.GOOS == "darwin" {
		name = "libonnxruntime.dylib"
	}
	install := func(base, version string) string {
		dir := filepath.Join(base, "onnxruntime-"+version+"-"+runtime.GOOS+"-"+runtime.GOARCH)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	def := filepath.Join(home, ".cache", "easel")
	old, recent := install(def, "1.9.1"), install(def, "1.30.0")
	xdg := install(filepath.Join(home, "xdg", "easel"), "1.30.0")
	own := install(filepath.Join(home, "own"), "1.30.0")
	for want, env := range map[string]map[string]string{
		recent: {"HOME": home},
		xdg:    {"HOME": home, "XDG_CACHE_HOME": filepath.Join(home, "xdg")},
		own:    {"HOME": home, "XDG_CACHE_HOME": filepath.Join(home, "xdg"), "EASEL_CACHE": filepath.Join(home, "own")},
		name:   {},
	} {
		got := places(func(key string) string { return env[key] })
		if len(got) < 3 || got[2] != want {
			t.Errorf("with %v: %q, want %q third", env, got, want)
		}
		if want == recent && !slices.Contains(got, old) {
			t.Errorf("an older version is not tried: %q", got)
		}
	}
}

func TestDevice(t *testing.T) {
	for _, s := range []string{"auto", "cpu", "cuda", "cuda:3"} {
		if d, err := ParseDevice(s); err != nil || d.String() != s {
			t.Errorf("%q read as %v, %v", s, d, err)
		}
	}
	for _, s := range []string{"", "gpu", "cuda:", "cuda:-1", "cuda:x", "CPU"} {
		if d, err := ParseDevice(s); err == nil {
			t.Errorf("%q read as %v", s, d)
		}
	}
}
