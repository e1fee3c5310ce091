package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
	cmd.Flags().StringVar(&s.config, "config", "", "configuration file (default easel.yaml here, or in your configuration folder)")
}

func (s *settings) modelFlags(cmd *cobra.Command) {
	s.configFlag(cmd)
	cmd.Flags().StringVar(&s.model, "model", "", "name or folder of the model (default: the configuration's)")
	cmd.Flags().StringVar(&s.device, "device", "", "auto, cpu, cuda or cuda:N (default: the configuration's)")
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

// openEngine loads ONNX Runtime and the configured model.
func openEngine(c configs.Config) (*generator.Engine, *model.Folder, error) {
	folder, err := openModel(c)
	if err != nil {
		return nil, nil, err
	}
	device, err := inference.ParseDevice(c.Device)
	if err != nil {
		return nil, nil, &usageError{err}
	}
	if err := inference.Load(""); err != nil {
		return nil, nil, err
	}
	engine, err := generator.Open(folder, generator.Options{
		Device: device, Threads: c.Engine.Threads, MaxLanes: c.Engine.MaxLanes,
		Memory: int64(c.Engine.Memory), Queue: c.Engine.Queue,
	})
	return engine, folder, err
}

// openModel finds a model by name (the built-in one, then the data folder's) or by folder.
func openModel(c configs.Config) (*model.Folder, error) {
	if c.Model == models.Name && models.BuiltIn != nil {
		return model.Open(models.BuiltIn, models.Name, "")
	}
	named := filepath.Join(modelsDir(c), c.Model)
	for _, dir := range []string{named, c.Model} {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return model.OpenDir(dir)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("model %s: %w", c.Model, err)
		}
	}
	if c.Model == models.Name {
		return nil, errors.New("this easel was built without its built-in model (build tag nomodel); set EASEL_MODEL or --model to a model folder")
	}
	return nil, fmt.Errorf("there is no model %q: it is neither a folder nor one of `easel models list`", c.Model)
}

// modelsDir is where named models lie.
func modelsDir(c configs.Config) string { return filepath.Join(c.DataDir, "models") }
