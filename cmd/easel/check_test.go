package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelbot/easel/models"
)

// TestCheckBuiltIn checks the model within the program, which has no folder to name.
func TestCheckBuiltIn(t *testing.T) {
	dir, err := filepath.Abs(tiny)
	if err != nil {
		t.Fatal(err)
	}
	within := models.BuiltIn
	t.Cleanup(func() { models.BuiltIn = within })
	models.BuiltIn = os.DirFS(dir)
	t.Chdir(t.TempDir()) // where no folder of that name lies
	t.Setenv("EASEL_DATA_DIR", t.TempDir())
	s, err := subjectOf(models.Name)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := checkModel(&out, s, false); err != nil || !strings.Contains(out.String(), "builtin can be used: easel imagine --model builtin") {
		t.Errorf("%v: %s", err, &out)
	}
}

// TestShown keeps a terminal from following the name of a folder.
func TestShown(t *testing.T) {
	for name, want := range map[string]string{"sd 1.5 für alle": "sd 1.5 für alle", "a\x1b[2J\nb": `"a\x1b[2J\nb"`} {
		if got := shown(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
}
