package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/models"
)

func modelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List models, or check a model's folder",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(modelsListCommand(), modelsCheckCommand())
	return cmd
}

func modelsListCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the models that --model can name",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.load()
			if err != nil {
				return err
			}
			entries, err := model.List(modelsDir(c))
			if err != nil {
				return err
			}
			if models.BuiltIn != nil {
				entries = append([]model.Entry{builtInEntry()}, entries...)
			}
			return printModels(cmd.OutOrStdout(), entries, modelsDir(c))
		},
	}
	s.configFlag(cmd)
	return cmd
}

func builtInEntry() model.Entry {
	folder, err := model.Open(models.BuiltIn, models.Name, "")
	if err != nil {
		return model.Entry{Name: models.Name, Problem: err}
	}
	return model.Entry{Name: models.Name, Description: folder.About.Description}
}

func printModels(stdout io.Writer, entries []model.Entry, dir string) error {
	table := tabwriter.NewWriter(stdout, 0, 0, 3, ' ', 0)
	for _, e := range entries {
		about := e.Description
		if e.Problem != nil {
			about = "cannot be used; easel models check " + e.Dir + " says why"
		}
		fmt.Fprintf(table, "%s\t%s\n", e.Name, about)
	}
	if len(entries) == 0 {
		fmt.Fprintf(table, "no models; put folders in the diffusers ONNX layout into %s\n", dir)
	}
	return table.Flush()
}

func modelsCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Say what a model's folder holds and what is wrong with it",
		Args: func(cmd *cobra.Command, args []string) error {
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
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("model folder %s: %w", dir, reason(err))
	}
	findings := model.CheckDir(dir)
	result := checked{Usable: true, Findings: []finding{}}
	for _, f := range findings {
		result.Findings = append(result.Findings, finding(f))
		result.Usable = result.Usable && !f.Problem
	}
	if result.Usable {
		if err := checkSchedule(dir); err != nil {
			result.Usable = false
			result.Findings = append(result.Findings, finding{"scheduler/scheduler_config.json", err.Error(), true})
		}
	}
	if err := printChecked(stdout, dir, result, asJSON); err != nil {
		return err
	}
	if !result.Usable {
		return fmt.Errorf("the model in %s cannot be used", dir)
	}
	return nil
}

// checkSchedule tries what the folder itself does not know: whether a sampler understands its schedule.
func checkSchedule(dir string) error {
	folder, err := model.OpenDir(dir)
	if err != nil {
		return err
	}
	config, err := sampler.ParseConfig(folder.Scheduler.JSON)
	if err != nil {
		return err
	}
	_, err = sampler.New(generator.DefaultSampler(folder), config, sampler.Options{Steps: folder.Defaults.Steps, Len: 1})
	return err
}

func printChecked(stdout io.Writer, dir string, c checked, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(stdout).Encode(c)
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
