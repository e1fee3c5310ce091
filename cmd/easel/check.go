package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/model/pull"
	"github.com/easelbot/easel/models"
)

func modelsCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check DIR|NAME",
		Short: "Say what a model's folder holds and what is wrong with it",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usagef("name one folder: easel models check DIR, or NAME for a model that easel models list shows")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := subjectOf(args[0])
			if err != nil {
				return err
			}
			return checkModel(cmd.OutOrStdout(), s, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

// The JSON that models check prints.
type (
	checked struct {
		Usable   bool      `json:"usable"`
		Findings []finding `json:"findings"`
		Model    *facts    `json:"model,omitempty"` // of one that can be opened
	}
	facts struct {
		Family    string           `json:"family"`
		Precision string           `json:"precision"`
		Width     int              `json:"width"` // of a picture, unless it is asked for otherwise
		Height    int              `json:"height"`
		Sampler   string           `json:"sampler"`
		Steps     int              `json:"steps"`
		Guidance  float64          `json:"guidance"`
		Weights   map[string]int64 `json:"weights"` // bytes of files, by network
		Loaded    int64            `json:"loaded"`  // bytes of memory, about
		Picture   int64            `json:"picture"` // the same for one picture in the making, beside that
	}
	finding struct {
		File    string `json:"file,omitempty"`
		Text    string `json:"text"`
		Problem bool   `json:"problem"`
	}
)

// A subject is a model to be checked: in a folder on disk or, if dir is empty, within the program.
type subject struct {
	label string // what --model takes to find the same
	fsys  fs.FS
	name  string
	dir   string
}

// subjectOf finds a model as --model does.
func subjectOf(path string) (subject, error) {
	c := configs.Config{Model: path}
	if path == filepath.Base(path) { // it may be a name
		var err error
		if c, err = (&settings{model: path}).load(); err != nil {
			return subject{}, err
		}
	}
	if path == models.Name && models.BuiltIn != nil {
		return subject{label: path, fsys: models.BuiltIn, name: path}, nil
	}
	for _, dir := range modelPlaces(c) {
		if isDir(dir) {
			return onDisk(dir)
		}
	}
	switch _, err := os.Stat(path); {
	case err == nil:
		return subject{}, fmt.Errorf("%s is a file; name the folder that holds model_index.json", path)
	case !errors.Is(err, fs.ErrNotExist):
		return subject{}, fmt.Errorf("model folder %s: %w", path, reason(err))
	}
	return subject{}, fmt.Errorf("model folder %s: no such folder, nor a model of that name; easel models list shows those that there are", path)
}

func onDisk(dir string) (subject, error) {
	abs, err := filepath.Abs(dir)
	return subject{label: dir, fsys: os.DirFS(abs), name: filepath.Base(abs), dir: abs}, err
}

func checkModel(stdout io.Writer, s subject, asJSON bool) error {
	list, folder := findings(s)
	result := checked{Usable: true, Findings: []finding{}, Model: factsOf(folder)}
	for _, f := range list {
		result.Findings = append(result.Findings, finding(f))
		result.Usable = result.Usable && !f.Problem
	}
	if err := printChecked(stdout, s.label, result, asJSON); err != nil {
		return err
	}
	if !result.Usable {
		return fmt.Errorf("the model in %s cannot be used", s.label)
	}
	return nil
}

// findings lists what the folder says of itself and, if it opens, what those who will use it say.
func findings(s subject) ([]model.Finding, *model.Folder) {
	list := model.Check(s.fsys, s.name, s.dir)
	folder, err := model.Open(s.fsys, s.name, s.dir)
	if err != nil {
		return list, nil // which has the problems
	}
	return append(list, generator.CheckFolder(folder)...), folder
}

func factsOf(f *model.Folder) *facts {
	if f == nil {
		return nil
	}
	r := generator.Defaults(f)
	about := &facts{
		Family: f.Family, Precision: f.Precision(), Width: r.Width, Height: r.Height, Sampler: r.Sampler, Steps: r.Steps, Guidance: r.Guidance,
		Weights: map[string]int64{},
	}
	for _, w := range f.Weights() {
		about.Weights[w.Component] = w.Bytes
	}
	about.Loaded, about.Picture = generator.Needs(f, r)
	return about
}

// print says in a few lines what a model is and what it takes.
func (f facts) print(w io.Writer) {
	var all int64
	for _, bytes := range f.Weights {
		all += bytes
	}
	fmt.Fprintf(w, "kind     %s, %s\n", f.Family, f.Precision)
	fmt.Fprintf(w, "paints   %dx%d unless told otherwise, %d steps of %s, guidance %v\n", f.Width, f.Height, f.Steps, f.Sampler, f.Guidance)
	fmt.Fprintf(w, "weights  %s on disk\n", pull.SizeText(all))
	fmt.Fprintf(w, "memory   about %s while it is loaded, and %s to paint one such picture (engine.memory must allow that)\n", pull.SizeText(f.Loaded), pull.SizeText(f.Picture))
}

func printChecked(stdout io.Writer, label string, c checked, asJSON bool) error {
	if asJSON {
		return printJSON(stdout, c)
	}
	if c.Model != nil {
		c.Model.print(stdout)
	}
	for _, f := range c.Findings {
		mark := "note   "
		if f.Problem {
			mark = "problem"
		}
		fmt.Fprintf(stdout, "%s  %s\n", mark, model.Finding(f))
	}
	if c.Usable {
		fmt.Fprintf(stdout, "%s can be used: easel imagine --model %s --prompt \"...\"\n", label, label)
	}
	return nil
}
