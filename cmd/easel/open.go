package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/inference"
	"github.com/easelbot/easel/models"
)

// settings are the flags that every command takes which reads the configuration.
type settings struct{ config, model, device string }

func (s *settings) configFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.config, "config", "", "configuration file (default: easel.yaml here, or in your configuration folder)")
}

func (s *settings) modelFlags(cmd *cobra.Command) {
	s.configFlag(cmd)
	cmd.Flags().StringVar(&s.model, "model", "", "name or folder of the model (default: the configuration's)")
	cmd.Flags().StringVar(&s.device, "device", "", "what to paint on: auto, cpu, cuda or cuda:N (default: the configuration's)")
	complete(cmd, "device", "auto", "cpu", "cuda")
}

// complete lists an option's values for the shell's completion.
func complete(cmd *cobra.Command, option string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(option, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the option's name is misspelt in this program
	}
}

// load reads the configuration and lets the flags override it.
func (s *settings) load() (configs.Config, error) {
	c, err := configs.Load(s.config, os.LookupEnv)
	if err != nil {
		return c, &usageError{err}
	}
	if s.model != "" {
		c.Model = s.model
	}
	if s.device != "" {
		c.Device = s.device
	}
	if err := c.Validate(); err != nil {
		return c, &usageError{err}
	}
	return c, nil
}

// openModel finds a model by name (the built-in one, then the data folder's) or by folder.
func openModel(c configs.Config) (*model.Folder, error) {
	if c.Model == models.Name && models.BuiltIn != nil {
		return model.Open(models.BuiltIn, models.Name, "")
	}
	for _, dir := range modelPlaces(c) {
		switch info, err := os.Stat(dir); {
		case err == nil && info.IsDir():
			return model.OpenDir(dir)
		case errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("model folder %s: %w", dir, reason(err))
		}
	}
	if c.Model == models.Name {
		return nil, errors.New("this easel was built without its built-in model (build tag nomodel); set EASEL_MODEL or --model to a model folder")
	}
	return nil, usagef("there is no model %q: it is neither a folder nor a name that `easel models list` knows", c.Model)
}

// openModels opens the model and then the further ones, each of them once.
func openModels(c configs.Config) ([]*model.Folder, error) {
	var folders []*model.Folder
	for _, name := range append([]string{c.Model}, c.Models...) {
		c.Model = name
		folder, err := openModel(c)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(folders, func(f *model.Folder) bool { return f.Name == folder.Name && f.Dir == folder.Dir }) {
			folders = append(folders, folder)
		}
	}
	return folders, nil
}

// modelPlaces lists where a model may lie, best first. What has a slash in it, "." and ".." are folders, never names.
func modelPlaces(c configs.Config) []string {
	dir := modelsDir(c)
	if dir == "" || c.Model != filepath.Base(c.Model) || c.Model == "." || c.Model == ".." {
		return []string{c.Model}
	}
	return []string{filepath.Join(dir, c.Model), c.Model}
}

// modelsDir is where named models lie, or "" when there is no data folder.
func modelsDir(c configs.Config) string {
	if c.DataDir == "" {
		return ""
	}
	return filepath.Join(c.DataDir, "models")
}

// openEngine loads ONNX Runtime and the first of the models; the others come when they are asked for.
func openEngine(c configs.Config, log *slog.Logger, folders ...*model.Folder) (*generator.Engine, error) {
	start := time.Now()
	device, err := inference.ParseDevice(c.Device)
	if err != nil {
		return nil, &usageError{err}
	}
	if err := inference.Load(""); err != nil {
		return nil, err
	}
	engine, err := generator.Open(generator.Options{
		Device: device, Threads: c.Engine.Threads, MaxLanes: c.Engine.MaxLanes,
		Memory: int64(c.Engine.Memory), Weights: int64(c.Engine.Weights), Queue: c.Engine.Queue,
	}, folders...)
	if err != nil {
		return nil, err
	}
	on, note := engine.Device()
	log.Debug("engine open", "models", strings.Join(engine.Models(), ", "), "runtime", inference.Version(), "device", on, "note", note, "took", since(start))
	return engine, nil
}
