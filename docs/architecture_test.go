package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/easelbot/easel/"

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// packages lists the module's packages with what they import, without their tests.
func packages(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-tags", "nomodel", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module)] = p
	}
	return all
}

// may says which of our packages each of them may import. A new package needs a line here and a paragraph on the page.
var may = map[string][]string{
	"bot":                 {"gallery", "generator/prompt/syntax", "imagine", "jobs", "moderation", "moderation/review", "ratelimit", "store"},
	"bot/discord":         {"bot", "gallery", "imagine", "jobs"},
	"bot/slack":           {"bot", "gallery", "jobs"},
	"bot/slack/slacktest": {},
	"bot/web":             {"bot", "gallery", "jobs", "store"},
	"cmd/easel": {
		"bot", "bot/discord", "bot/slack", "bot/web", "configs", "gallery", "generator", "generator/canvas", "generator/model", "generator/model/pull", "generator/prompt/syntax", "generator/rank", "generator/resample", "generator/sampler", "generator/upscale", "imagine", "inference",
		"jobs", "jobs/local", "models", "moderation", "moderation/image", "moderation/review", "moderation/text", "ratelimit", "store",
	},
	"configs":                       {},
	"docs":                          {},
	"gallery":                       {"imagine", "store"},
	"generator":                     {"generator/model", "generator/noise", "generator/prompt", "generator/prompt/syntax", "generator/resample", "generator/sampler", "generator/schedule", "imagine", "inference", "inference/graph"},
	"generator/canvas":              {"generator/resample"},
	"generator/model":               {"inference/graph"},
	"generator/model/pull":          {"generator/model", "inference/graph"},
	"generator/noise":               {},
	"generator/prompt":              {"generator/prompt/syntax"},
	"generator/prompt/syntax":       {"imagine"},
	"generator/rank":                {"generator/prompt", "generator/prompt/syntax", "generator/resample", "inference", "inference/graph"},
	"generator/resample":            {},
	"generator/sampler":             {},
	"generator/schedule":            {},
	"generator/upscale":             {"generator/resample", "inference", "inference/graph"},
	"imagine":                       {},
	"inference":                     {"inference/graph", "inference/signals"},
	"inference/graph":               {},
	"inference/graph/graphtest":     {"inference/graph"},
	"inference/signals":             {},
	"inference/signals/signalstest": {},
	"jobs":                          {"gallery", "generator/prompt/syntax", "imagine", "moderation", "moderation/review", "ratelimit", "store"},
	"jobs/local":                    {"imagine"},
	"models":                        {},
	"moderation":                    {},
	"moderation/image":              {"inference", "moderation"},
	"moderation/review":             {"moderation", "store"},
	"moderation/text":               {"moderation"},
	"ratelimit":                     {},
	"ratelimit/limitertest":         {"ratelimit"},
	"store":                         {},
}

func TestImports(t *testing.T) {
	for name, p := range packages(t) {
		allowed, ok := may[name]
		if !ok {
			t.Errorf("package %s is not in the table of who may import whom", name)
		}
		for _, path := range p.Imports {
			if ours, ok := strings.CutPrefix(path, module); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s, which the architecture does not allow", name, ours)
			}
		}
	}
}

// TestNative keeps the C libraries where they belong, so that all else builds without them.
func TestNative(t *testing.T) {
	owners := map[string][]string{
		"github.com/yalue/onnxruntime_go": {"inference", "generator", "generator/rank", "generator/upscale", "moderation/image", "cmd/easel"},
		"github.com/daulet/tokenizers":    {"generator/prompt", "generator", "generator/rank", "cmd/easel"},
	}
	for name, p := range packages(t) {
		for library, allowed := range owners {
			if slices.Contains(p.Deps, library) && !slices.Contains(allowed, name) {
				t.Errorf("%s depends on %s", name, library)
			}
		}
	}
}

func TestPageNamesEveryPackage(t *testing.T) {
	page, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range regexp.MustCompile(`(?m)^### (\S+)$`).FindAllSubmatch(page, -1) {
		told = append(told, string(m[1]))
	}
	all := packages(t)
	for name := range all {
		if !slices.Contains(told, name) {
			t.Errorf("docs/architecture.md has no paragraph on %s", name)
		}
	}
	for _, name := range told {
		if _, ok := all[name]; !ok {
			t.Errorf("docs/architecture.md tells of %s, which is no package", name)
		}
	}
}
