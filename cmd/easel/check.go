package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

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
				return usagef("name one folder, or a model that easel models list shows: easel models check DIR")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := folderOf(args[0])
			if err != nil {
				return err
			}
			return checkModel(cmd.OutOrStdout(), dir, asJSON)
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

// folderOf finds a model's folder by its path, or else by its name in the data folder.
func folderOf(path string) (string, error) {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return path, nil
	case err == nil:
		return "", fmt.Errorf("%s is a file; name the folder that holds model_index.json", path)
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("model folder %s: %w", path, reason(err))
	}
	c, err := (&settings{model: path}).load()
	if err != nil {
		return "", err
	}
	if path == models.Name && models.BuiltIn != nil {
		return "", fmt.Errorf("the built-in model is part of the program; easel doctor paints with it")
	}
	for _, dir := range modelPlaces(c) {
		if isDir(dir) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("model folder %s: no such folder, nor a model of that name; easel models list shows those that there are", path)
}

func checkModel(stdout io.Writer, dir string, asJSON bool) error {
	list, folder := findings(dir)
	result := checked{Usable: true, Findings: []finding{}, Model: factsOf(folder)}
	for _, f := range list {
		result.Findings = append(result.Findings, finding(f))
		result.Usable = result.Usable && !f.Problem
	}
	if err := printChecked(stdout, dir, result, asJSON); err != nil {
		return err
	}
	if !result.Usable {
		return fmt.Errorf("the model in %s cannot be used", dir)
	}
	return nil
}

// findings lists what the folder says of itself and, if it opens, what those who will use it say.
func findings(dir string) ([]model.Finding, *model.Folder) {
	list := model.CheckDir(dir)
	folder, err := model.OpenDir(dir)
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

func printChecked(stdout io.Writer, dir string, c checked, asJSON bool) error {
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
		fmt.Fprintf(stdout, "%s can be used: easel imagine --model %s --prompt \"...\"\n", dir, dir)
	}
	return nil
}
