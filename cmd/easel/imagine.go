package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
)

// imagineFlags are what `easel imagine` was asked for; given tells flags left out from flags set to a zero value.
type imagineFlags struct {
	settings
	request imagine.Request
	size    string
	plain   bool
	out     string
	grid    string
	json    bool
	given   func(flag string) bool
}

func imagineCommand() *cobra.Command {
	var f imagineFlags
	cmd := &cobra.Command{
		Use:     "imagine --prompt TEXT",
		Short:   "Paint pictures from a prompt",
		Example: "  easel imagine --prompt \"a red fox on a blue background\" --seed 7 --out fox.png\n  easel imagine --prompt \"two cats\" --count 4 --out pictures/ --grid grid.png",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.given = cmd.Flags().Changed
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.modelFlags(cmd)
	r, flags := &f.request, cmd.Flags()
	flags.StringVar(&r.Prompt, "prompt", "", "what to paint")
	flags.StringVar(&r.Negative, "negative", "", "what to keep away from; needs guidance above 1")
	flags.Int64Var(&r.Seed, "seed", 0, "seed of the first picture; the next takes the next number (default: random)")
	flags.IntVar(&r.Steps, "steps", 0, "sampling steps, 1 to 1000 (default: the model's)")
	flags.StringVar(&r.Sampler, "sampler", "", strings.Join(sampler.Names(), ", ")+" (default: the model's)")
	flags.Float64Var(&r.Guidance, "guidance", 0, "guidance scale: how closely the prompt is followed, 1 and below is off (default: the model's)")
	flags.Float64Var(&r.Eta, "eta", 0, "fresh noise that ddim mixes in, 0 to 1")
	flags.StringVar(&f.size, "size", "", "WIDTHxHEIGHT in pixels (default: the model's)")
	flags.IntVar(&r.Count, "count", 1, "how many pictures, 1 to 64")
	flags.Int64Var(&r.Variation.Seed, "variation-seed", 0, "seed to vary towards; with --count, the next picture takes the next number")
	flags.Float64Var(&r.Variation.Strength, "variation-strength", 0, "how far to vary, 0 to 1; all pictures then share --seed")
	flags.BoolVar(&f.plain, "plain-prompt", false, "take the prompt as diffusers does: what the model cannot read is cut off silently")
	flags.StringVar(&f.out, "out", ".", "file for one picture (.png, .webp, .jpg), folder for several")
	flags.StringVar(&f.grid, "grid", "", "file for all pictures in one, besides --out")
	flags.BoolVar(&f.json, "json", false, "print what was painted as JSON")
	return cmd
}

func (f *imagineFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	if !f.given("prompt") {
		return usagef("--prompt is missing: say what to paint, such as --prompt \"a red fox on a blue background\"")
	}
	if f.given("variation-seed") && !f.given("variation-strength") {
		return usagef("--variation-seed has no effect without --variation-strength")
	}
	config, err := f.load()
	if err != nil {
		return err
	}
	to, err := openDestination(f.out, f.grid, f.request.Count)
	if err != nil {
		return err
	}
	engine, folder, err := openEngine(config)
	if err != nil {
		return err
	}
	defer engine.Close()
	request, err := f.complete(engine.Defaults())
	if err != nil {
		return err
	}
	if err := engine.Check(request); err != nil {
		return err
	}
	if err := f.sayUnread(engine, request, stderr); err != nil {
		return err
	}
	saved, err := f.paint(ctx, engine, request, to, stderr)
	if err != nil {
		return err
	}
	return f.report(stdout, folder.Name, request, saved, to.grid)
}

// complete lays the flags over what the model proposes.
func (f *imagineFlags) complete(r imagine.Request) (imagine.Request, error) {
	asked := f.request
	r.Prompt, r.Negative, r.Count, r.Eta = asked.Prompt, asked.Negative, asked.Count, asked.Eta
	r.Seed, r.Variation = asked.Seed, asked.Variation
	if !f.given("seed") {
		r.Seed = int64(rand.Uint32())
	}
	if r.Variation.Strength > 0 && !f.given("variation-seed") {
		r.Variation.Seed = int64(rand.Uint32())
	}
	if f.given("steps") {
		r.Steps = asked.Steps
	}
	if f.given("guidance") {
		r.Guidance = asked.Guidance
	}
	if f.given("sampler") {
		r.Sampler = asked.Sampler
	}
	if f.given("size") {
		var err error
		if r.Width, r.Height, err = parseSize(f.size); err != nil {
			return r, err
		}
	}
	return r, nil
}

// parseSize reads "512x768".
func parseSize(s string) (width, height int, err error) {
	w, h, ok := strings.Cut(strings.ToLower(s), "x")
	width, werr := strconv.Atoi(w)
	height, herr := strconv.Atoi(h)
	if !ok || werr != nil || herr != nil {
		return 0, 0, usagef("--size %q: write it as WIDTHxHEIGHT in pixels, such as 128x128", s)
	}
	return width, height, nil
}

// sayUnread tells what of the prompts does not fit the model.
func (f *imagineFlags) sayUnread(engine *generator.Engine, r imagine.Request, stderr io.Writer) error {
	if f.plain {
		return nil
	}
	for _, text := range []struct{ name, value string }{{"prompt", r.Prompt}, {"negative prompt", r.Negative}} {
		cut, err := engine.Unread(text.value)
		if err != nil {
			return err
		}
		if cut != "" {
			fmt.Fprintf(stderr, "easel: the %s is longer than the model reads; not read: %q\n", text.name, cut)
		}
	}
	return nil
}

// paint paints and saves each picture as it is finished.
func (f *imagineFlags) paint(ctx context.Context, engine *generator.Engine, r imagine.Request, to *destination, stderr io.Writer) ([]painted, error) {
	bar := newProgress(stderr, r.Count)
	finished := make(chan imagine.Picture, r.Count)
	saving := make(chan error, 1)
	go func() { saving <- to.saveAll(finished) }()
	_, err := engine.Paint(ctx, r, imagine.Watcher{Event: func(ev imagine.Event) {
		bar.show(ev)
		if ev.Picture != nil {
			finished <- *ev.Picture
		}
	}})
	close(finished)
	bar.end()
	if saveErr := <-saving; err == nil {
		err = saveErr
	}
	return to.saved, err
}

// The JSON that --json prints.
type (
	result struct {
		Model    string    `json:"model"`
		Prompt   string    `json:"prompt"`
		Negative string    `json:"negative,omitempty"`
		Sampler  string    `json:"sampler"`
		Steps    int       `json:"steps"`
		Guidance float64   `json:"guidance"`
		Eta      float64   `json:"eta,omitempty"`
		Grid     string    `json:"grid,omitempty"`
		Pictures []painted `json:"pictures"`
	}
	painted struct {
		Index             int     `json:"index"`
		File              string  `json:"file"`
		Seed              int64   `json:"seed"`
		VariationSeed     *int64  `json:"variation_seed,omitempty"`
		VariationStrength float64 `json:"variation_strength,omitempty"`
		Width             int     `json:"width"`
		Height            int     `json:"height"`
	}
)

func (f *imagineFlags) report(stdout io.Writer, model string, r imagine.Request, saved []painted, grid string) error {
	if !f.json {
		for _, p := range saved {
			fmt.Fprintln(stdout, p.File)
		}
		if grid != "" {
			fmt.Fprintln(stdout, grid)
		}
		return nil
	}
	for i := range saved {
		if r.Variation.Strength > 0 {
			_, seed := r.Seeds(saved[i].Index)
			saved[i].VariationSeed, saved[i].VariationStrength = &seed, r.Variation.Strength
		}
	}
	out := json.NewEncoder(stdout)
	out.SetEscapeHTML(false)
	return out.Encode(result{model, r.Prompt, r.Negative, r.Sampler, r.Steps, r.Guidance, r.Eta, grid, saved})
}
