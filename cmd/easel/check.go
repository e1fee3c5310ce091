package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/generator/model"
)

func modelsCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Say what a model's folder holds and what is wrong with it",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name one folder: easel models check DIR")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return checkModel(cmd.OutOrStdout(), args[0], asJSON)
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
	}
	finding struct {
		File    string `json:"file,omitempty"`
		Text    string `json:"text"`
		Problem bool   `json:"problem"`
	}
)

func checkModel(stdout io.Writer, dir string, asJSON bool) error {
	switch info, err := os.Stat(dir); {
	case err != nil:
		return fmt.Errorf("model folder %s: %w", dir, reason(err))
	case !info.IsDir():
		return fmt.Errorf("%s is a file; name the folder that holds model_index.json", dir)
	}
	result := checked{Usable: true, Findings: []finding{}}
	for _, f := range findings(dir) {
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
func findings(dir string) []model.Finding {
	list := model.CheckDir(dir)
	folder, err := model.OpenDir(dir)
	if err != nil {
		return list // which has the problems
	}
	return append(list, generator.CheckFolder(folder)...)
}

func printChecked(stdout io.Writer, dir string, c checked, asJSON bool) error {
	if asJSON {
		return printJSON(stdout, c)
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
