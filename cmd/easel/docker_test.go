package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const tree = "../.." // from here

// instructions are the Dockerfile's, continued lines joined.
func instructions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tree, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", "")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}

// arguments lists the arguments of every instruction of a kind.
func arguments(t *testing.T, kind string) []string {
	t.Helper()
	var list []string
	for _, line := range instructions(t) {
		if rest, ok := strings.CutPrefix(line, kind+" "); ok {
			list = append(list, rest)
		}
	}
	if len(list) == 0 {
		t.Fatalf("the Dockerfile has no %s", kind)
	}
	return list
}

// TestDockerfileNamesWhatThereIs keeps the Dockerfile true to the tree where no container engine runs.
func TestDockerfileNamesWhatThereIs(t *testing.T) {
	makefile := read(t, tree, "Makefile")
	for _, run := range arguments(t, "RUN") {
		if target, ok := strings.CutPrefix(run, "make "); ok {
			target, _, _ = strings.Cut(target, " ")
			if !regexp.MustCompile(`(?m)^` + target + `:`).Match(makefile) {
				t.Errorf("make %s: there is no such target", target)
			}
		}
	}
	for _, args := range arguments(t, "COPY") {
		words := strings.Fields(args)
		for _, source := range words[:len(words)-1] {
			built, isBuilt := strings.CutPrefix(source, "/src/bin/")
			switch {
			case isBuilt && built != "easel" && built != "libonnxruntime.so":
				t.Errorf("make build leaves no bin/%s", built)
			case !strings.HasPrefix(source, "/") && !strings.HasPrefix(source, "--"):
				if _, err := os.Stat(filepath.Join(tree, source)); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if user := arguments(t, "USER"); strings.HasPrefix(user[len(user)-1], "root") {
		t.Error("it runs as root")
	}
	wanted := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(read(t, tree, "go.mod"))[1]
	if from := strings.Join(arguments(t, "FROM"), "\n"); !strings.Contains(from, "golang:"+string(wanted)+"-") {
		t.Errorf("go.mod wants go %s, and the Dockerfile takes\n%s", wanted, from)
	}
}

// TestDockerignoreKeepsWhatIsBuilt builds from a copy of the tree without what is ignored.
func TestDockerignoreKeepsWhatIsBuilt(t *testing.T) {
	ignored := map[string]bool{}
	for line := range strings.Lines(string(read(t, tree, ".dockerignore"))) {
		ignored[strings.TrimSpace(line)] = true
	}
	cmd := exec.Command("go", "list", "-deps", "-f", `{{if not .Standard}}{{with .Module}}{{if .Main}}{{$.Dir}}{{range $.EmbedFiles}}
{{$.Dir}}/{{.}}{{end}}{{end}}{{end}}{{end}}`, "./cmd/easel")
	var stderr strings.Builder
	cmd.Dir, cmd.Stderr = tree, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, &stderr)
	}
	root, err := filepath.Abs(tree)
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		if lines.Text() == "" {
			continue
		}
		file, err := filepath.Rel(root, lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(file, "/")
		if ignored[parts[0]] || ignored[file] {
			t.Errorf("%s is part of the program and not of the container's build", file)
		}
		for _, part := range parts {
			if ignored["**/"+part] {
				t.Errorf("%s is part of the program and not of the container's build", file)
			}
		}
	}
}

// TestHealthCheck runs the container's health check against a server, and against none.
func TestHealthCheck(t *testing.T) {
	_, command, _ := strings.Cut(arguments(t, "HEALTHCHECK")[0], "CMD ")
	var argv []string
	if err := json.Unmarshal([]byte(command), &argv); err != nil {
		t.Fatal(err)
	}
	check := func(address string) error {
		cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "EASEL_LISTEN=" + address}
		return cmd.Run()
	}
	l := freePort(t)
	d, _, _ := opened(t, l)
	if err := check(d.address); err != nil {
		t.Errorf("with a server: %v", err)
	}
	if err := d.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := check(d.address); err == nil {
		t.Error("without a server it is healthy")
	}
}
