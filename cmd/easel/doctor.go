package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

func doctorCommand() *cobra.Command {
	var s settings
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check hardware, libraries, configuration and model, and say what to do",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := examine(cmd.Context(), &s)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := printChecks(cmd.OutOrStdout(), checks, asJSON); err != nil {
				return err
			}
			for _, c := range checks {
				if !c.OK {
					return errors.New("not everything is well; see above")
				}
			}
			return nil
		},
	}
	s.modelFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the checks as JSON")
	nameValues(cmd)
	return cmd
}

// A check is one thing looked at: what was found, or what is wrong and what to do.
type check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

func passed(name, format string, args ...any) check {
	return check{name, true, fmt.Sprintf(format, args...)}
}

func failed(name string, err error) check { return check{name, false, err.Error()} }

// examine makes the checks in the order in which they build on each other, and stops where the next would make no sense.
func examine(ctx context.Context, s *settings) []check {
	checks := []check{passed("hardware", "%s/%s, %d processor cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}
	config, err := s.load()
	if err == nil {
		_, err = openJudge(config)
	}
	if err != nil {
		return append(checks, failed("configuration", err))
	}
	checks = append(checks, passed("configuration", "valid"), checkData(config), checkDisk(config), checkAddress(ctx, config), checkReview(ctx, config))
	checks = append(checks, checkPlatforms(ctx, config)...)
	if err := inference.Load(""); err != nil {
		return append(checks, failed("runtime", err))
	}
	checks = append(checks, passed("runtime", "ONNX Runtime %s", inference.Version()))
	checks = append(checks, checkExtras(config)...)
	return append(checks, checkPainting(ctx, config)...)
}

func checkData(c configs.Config) check {
	if c.DataDir == "" {
		return failed("data folder", errNoDataFolder)
	}
	if err := tryFolder(c.DataDir); err != nil {
		return failed("data folder", fmt.Errorf("%s cannot be written (%w); set data_dir or EASEL_DATA_DIR to a folder that can", c.DataDir, reason(err)))
	}
	return passed("data folder", "%s can be written", c.DataDir)
}

// checkPainting loads the models one by one and paints a picture with the defaults of each.
func checkPainting(ctx context.Context, c configs.Config) []check {
	start := time.Now()
	folders, err := openModels(c)
	if err != nil {
		return []check{failed("model", err)}
	}
	engine, err := openEngine(c, slog.New(slog.DiscardHandler), folders...)
	if err != nil {
		return []check{failed("model", err)}
	}
	defer func() { _ = engine.Close() }() // the process ends, and with it what could not be freed
	checks := []check{passed("model", "%s, loaded in %v. %s", folders[0].Name, since(start), folders[0].About.Description)}
	device, note := engine.Device()
	if note != "" {
		note = " (" + note + ")"
	}
	checks = append(checks, passed("device", "%v%s", device, note))
	for i, folder := range folders {
		if i > 0 {
			checks = append(checks, passed("model", "%s, %s", folder.Name, strings.TrimSpace(folder.Family+". "+folder.About.Description)))
		}
		checks = append(checks, tryPainting(ctx, engine, folder))
	}
	return checks
}

func tryPainting(ctx context.Context, engine *generator.Engine, folder *model.Folder) check {
	r := generator.Defaults(folder)
	r.Model, r.Prompt = folder.Name, "a fox"
	if generator.NeedsPicture(folder) {
		white := image.NewGray(image.Rect(0, 0, r.Width, r.Height)) // such a model needs a picture
		for i := range white.Pix {
			white.Pix[i] = math.MaxUint8
		}
		r.Init, r.Strength = &imagine.Source{Image: white}, 1
	}
	if folder.Denoiser.Inpaints() {
		r.Mask = r.Init
	}
	start := time.Now()
	if _, err := engine.Paint(ctx, r, imagine.Watcher{}); err != nil {
		return failed("painting", err)
	}
	note := ""
	if generator.NeedsPicture(folder) {
		note = "; from a picture, which easel serve has none to give it"
	}
	return passed("painting", "a %dx%d picture in %d steps took %v%s", r.Width, r.Height, r.Steps, since(start), note)
}

// checkExtras opens what pictures are judged and made larger by, where that is configured.
func checkExtras(c configs.Config) []check {
	var checks []check
	if c.Upscaler != "" {
		checks = append(checks, openedAndClosed("upscaler", c.Upscaler, func() (io.Closer, error) { return tryUpscaler(c) }))
	}
	if c.CLIP != "" {
		checks = append(checks, openedAndClosed("clip", c.CLIP, func() (io.Closer, error) { return openRanker(c) }))
	}
	return checks
}

// tryUpscaler also lets it make a small picture larger, since one may be read and not work.
func tryUpscaler(c configs.Config) (io.Closer, error) {
	u, err := openUpscaler(c)
	if err != nil {
		return nil, err
	}
	if _, err := u.Upscale(context.Background(), image.NewNRGBA(image.Rect(0, 0, 16, 16)), 2); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.Upscaler, err), u.Close())
	}
	return u, nil
}

func openedAndClosed(name, path string, open func() (io.Closer, error)) check {
	opened, err := open()
	if err == nil {
		err = opened.Close()
	}
	if err != nil {
		return failed(name, err)
	}
	return passed(name, "%s can be used", path)
}

func since(t time.Time) time.Duration { return time.Since(t).Round(10 * time.Millisecond) }

func printChecks(stdout io.Writer, checks []check, asJSON bool) error {
	if asJSON {
		return printJSON(stdout, map[string][]check{"checks": checks})
	}
	for _, c := range checks {
		mark := "ok  "
		if !c.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(stdout, "%s  %-13s  %s\n", mark, c.Name, c.Text)
	}
	return nil
}
