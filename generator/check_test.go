package generator

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/easelbot/easel/generator/model"
)

func TestCheckFolder(t *testing.T) {
	const samplers = "ddim, ddpm, pndm, euler, euler_a, lms, heun, dpm2, dpm2_a, dpmpp_2m, dpmpp_2m_karras, dpmpp_2m_sde, dpmpp_sde, unipc, lcm, tcd"
	for name, c := range map[string]struct {
		file, old, replacement string // of the tiny model
		want                   []model.Finding
	}{
		"nothing wrong": {},
		"unknown sampler": {
			"easel.json", `"sampler": "ddim"`, `"sampler": "eular"`,
			[]model.Finding{{File: "easel.json", Text: `sampler: no sampler is called "eular"; choose one of ` + samplers, Problem: true}},
		},
		"another sampler of ours": {"easel.json", `"sampler": "ddim"`, `"sampler": "euler_a"`, nil},
		"unknown key of the schedule": {
			"scheduler/scheduler_config.json", `"_class_name"`, `"wibble": 1, "_class_name"`,
			[]model.Finding{{File: "scheduler/scheduler_config.json", Text: `unknown key "wibble"`, Problem: true}},
		},
		"scheduler without a sampler": {
			"scheduler/scheduler_config.json", `"DDIMScheduler"`, `"CrayonScheduler"`, nil, // easel.json names one
		},
		"unreadable text": {
			"tokenizer/tokenizer.json", `"unk_token":"[UNK]"`, `"unk_token":"[GONE]"`,
			[]model.Finding{{File: "tokenizer", Text: "the model's tokenizer cannot read this text", Problem: true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := CheckFolder(folder(t, edited(t, c.file, c.old, c.replacement)))
			begins := func(got, want model.Finding) bool {
				return got.File == want.File && got.Problem == want.Problem && strings.HasPrefix(got.Text, want.Text)
			}
			if !slices.EqualFunc(got, c.want, begins) {
				t.Errorf("findings %v, want %v", got, c.want)
			}
		})
	}
}

// edited returns a copy of the tiny model in which one file says something else.
func edited(t *testing.T, file, old, replacement string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(tiny)); err != nil {
		t.Fatal(err)
	}
	if file == "" {
		return dir
	}
	path := filepath.Join(dir, file)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	after := strings.Replace(string(before), old, replacement, 1)
	if after == string(before) {
		t.Fatalf("%s holds no %s", file, old)
	}
	if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
