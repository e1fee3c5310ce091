package inference

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/easelbot/easel/inference/signals"
)

// The loaded library; there is one a process, since ONNX Runtime's environment is global.
var library struct {
	sync.Mutex
	path     string
	handlers *signals.Handlers // of before it was loaded; never changed after
}

// Load loads ONNX Runtime's shared library, version 1.24 or later. With path "" it looks for
// it, in this order:
//
//	$EASEL_ONNXRUNTIME, and nowhere else if that is set
//	the program's own folder, and lib/ in it
//	where `make setup` puts it: ${EASEL_CACHE:-${XDG_CACHE_HOME:-~/.cache}/easel}
//	the system's libraries
//
// It may be called from anywhere and again: once loaded, the library stays, and asking for a
// different one is an error.
func Load(path string) error {
	library.Lock()
	defer library.Unlock()
	if path == "" {
		path = os.Getenv("EASEL_ONNXRUNTIME")
	}
	if library.path != "" {
		if path != "" && path != library.path {
			return fmt.Errorf("ONNX Runtime is already loaded from %s; a program cannot load it again from %s", library.path, path)
		}
		return nil
	}
	if path != "" {
		if err := load(path); err != nil {
			return fmt.Errorf("%w; run `make setup`, or set EASEL_ONNXRUNTIME to the file of ONNX Runtime 1.24 or later", err)
		}
		return nil
	}
	return search(places(os.Getenv))
}

// load tries one file, or one name that the system's loader may know. Microsoft's builds of the library measure how they
// are used: they read the command line, with its prompt, and the machine's ID, write them to a file in the home folder,
// and may send them on. Nothing of that leaves the house: it is switched off before the library begins.
func load(path string) error {
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return fmt.Errorf("switching off ONNX Runtime's telemetry: %w", err)
	}
	if library.handlers == nil {
		library.handlers = signals.Note()
	}
	defer keepSignals()
	ort.SetSharedLibraryPath(path)
	// Each failure is returned as an error, and would also be logged to stderr.
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return fmt.Errorf("loading ONNX Runtime from %s: %w", path, err)
	}
	library.path = path
	return nil
}

// keepSignals undoes what the library and its providers did to the signal handlers of the process: CUDA's overwrites Go's
// when it is made and when it is used, and a request to end would then end the program at once.
func keepSignals() { library.handlers.Restore() }

func search(paths []string) error {
	var errs []error
	for _, path := range paths {
		if filepath.IsAbs(path) {
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		err := load(path)
		if err == nil {
			return nil
		}
		if filepath.IsAbs(path) { // that the system has none is no news
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, errors.New("ONNX Runtime was not found: run `make setup`, "+
		"or set EASEL_ONNXRUNTIME to the file of ONNX Runtime 1.24 or later"))...)
}

// places lists where the library may be, best first.
func places(getenv func(string) string) []string {
	name := "libonnxruntime.so"
	if runtime.GOOS == "darwin" {
		name = "libonnxruntime.dylib"
	}
	var list []string
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		list = append(list, filepath.Join(filepath.Dir(exe), name), filepath.Join(filepath.Dir(exe), "lib", name))
	}
	if dir := cache(getenv); dir != "" {
		found, _ := filepath.Glob(filepath.Join(dir, "onnxruntime-*-"+runtime.GOOS+"-"+runtime.GOARCH, name))
		slices.SortFunc(found, func(a, b string) int { return slices.Compare(version(b), version(a)) })
		list = append(list, found...)
	}
	return append(list, name, name+".1")
}

// cache is the folder that `make setup` fills, or "" if there is no home.
func cache(getenv func(string) string) string {
	if dir := getenv("EASEL_CACHE"); dir != "" {
		return dir
	}
	if base := cmp.Or(getenv("XDG_CACHE_HOME"), join(getenv("HOME"), ".cache")); base != "" {
		return filepath.Join(base, "easel")
	}
	return ""
}

func join(base, name string) string {
	if base == "" {
		return ""
	}
	return filepath.Join(base, name)
}

// version reads the numbers of .../onnxruntime-1.30.0-linux-amd64/file.
func version(path string) []int {
	_, rest, _ := strings.Cut(filepath.Base(filepath.Dir(path)), "-")
	rest, _, _ = strings.Cut(rest, "-")
	var numbers []int
	for part := range strings.SplitSeq(rest, ".") {
		n, _ := strconv.Atoi(part)
		numbers = append(numbers, n)
	}
	return numbers
}

// Version returns the version of the loaded ONNX Runtime, such as "1.30.0", and "" before
// [Load].
func Version() string {
	library.Lock()
	defer library.Unlock()
	if library.path == "" {
		return ""
	}
	return ort.GetVersion()
}
