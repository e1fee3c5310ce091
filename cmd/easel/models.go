package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/model/pull"
	"github.com/easelbot/easel/models"
)

func modelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List, fetch or check models",
	}
	group(cmd, modelsListCommand(), modelsCheckCommand(), modelsPullCommand())
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
			entries, err := listModels(c)
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "easel: there are no models; put folders in the diffusers ONNX layout into %s\n",
					cmp.Or(modelsDir(c), "models in a data folder, which EASEL_DATA_DIR names"))
			}
			return printModels(cmd.OutOrStdout(), entries)
		},
	}
	s.configFlag(cmd)
	nameValues(cmd)
	return cmd
}

func listModels(c configs.Config) ([]model.Entry, error) {
	var entries []model.Entry
	if models.BuiltIn != nil {
		entries = append(entries, builtInEntry())
	}
	dir := modelsDir(c)
	if dir == "" {
		return entries, nil
	}
	more, err := model.List(dir)
	if err != nil {
		return nil, fmt.Errorf("the models in %s cannot be listed (%w); set data_dir or EASEL_DATA_DIR to another folder", dir, reason(err))
	}
	return append(entries, more...), nil
}

func builtInEntry() model.Entry {
	folder, err := model.Open(models.BuiltIn, models.Name, "")
	if err != nil {
		return model.Entry{Name: models.Name, Problem: err}
	}
	return model.Entry{Name: models.Name, Description: folder.About.Description}
}

func printModels(stdout io.Writer, entries []model.Entry) error {
	table := tabwriter.NewWriter(stdout, 0, 0, 3, ' ', 0)
	for _, e := range entries {
		fmt.Fprintf(table, "%s\t%s\n", shown(e.Name), aboutModel(e))
	}
	return table.Flush()
}

// aboutModel says what a model is: of which family, for pictures of which size, how large on disk, and what it says of itself.
func aboutModel(e model.Entry) string {
	folder, err := openEntry(e)
	switch {
	case e.Dir != "" && e.Name == models.Name && models.BuiltIn != nil:
		return "hidden by the built-in model; rename " + shown(e.Dir)
	case err != nil:
		return "cannot be used; easel models check " + shown(e.Dir) + " says why"
	}
	d := folder.Defaults
	return fmt.Sprintf("%s\t%dx%d\t%s\t%s", folder.Family, d.Width, d.Height, pull.SizeText(folder.Weight()), e.Description)
}

// shown writes a folder's name, in quotes if it has in it what a terminal would follow or not show.
func shown(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

func openEntry(e model.Entry) (*model.Folder, error) {
	switch {
	case e.Problem != nil:
		return nil, e.Problem
	case e.Dir == "":
		return model.Open(models.BuiltIn, e.Name, "")
	}
	return model.OpenDir(e.Dir)
}
