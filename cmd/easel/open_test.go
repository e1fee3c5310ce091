package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/models"
)

func TestOpenModels(t *testing.T) {
	families, err := filepath.Abs("../../testdata/families")
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(families, name) }
	tests := []struct {
		name, model string
		further     []string
		want        string // names, or a part of the error
	}{
		{"one", in("sd15"), nil, "sd15"},
		{"several", in("sd15"), []string{in("sdxl"), in("lcm")}, "sd15 sdxl lcm"},
		{"each once", in("sdxl"), []string{in("sd15"), in("sdxl") + "/", in("sd15")}, "sdxl sd15"},
		{"none of that name", in("sd15"), []string{"nothing"}, `there is no model "nothing"`},
		{"a broken one", in("sd15"), []string{in("pictures")}, "model_index.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folders, err := openModels(configs.Config{Model: tt.model, Models: tt.further})
			var got []string
			for _, f := range folders {
				got = append(got, f.Name)
			}
			if err != nil && !strings.Contains(err.Error(), tt.want) || err == nil && strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, %v; want %s", got, err, tt.want)
			}
		})
	}
	if models.BuiltIn == nil {
		return
	}
	folders, err := openModels(configs.Config{Model: in("sd15"), Models: []string{models.Name}})
	if err != nil || len(folders) != 2 || folders[1].Name != models.Name {
		t.Errorf("beside the built-in model: %v, %v", folders, err)
	}
}
