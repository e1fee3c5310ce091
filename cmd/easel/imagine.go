package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/generator/canvas"
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/jobs"
)

// imagineFlags are what `easel imagine` was asked for; given tells flags left out from flags set to a zero value.
type imagineFlags struct {
	settings
	request   imagine.Request
	size      string
	seeds     []int64   // of variations
	strengths []float64 // of the same
	plain     bool
	init      string // files
	mask      string
	refiner   string
	refineAt  float64
	zoom      float64
	pan       string
	canvas    *canvas.Canvas // that the picture of --init was laid on, or nil
	upscale   int
	best      int
	out       string
	grid      string
	json      bool
	given     func(flag string) bool
}

func imagineCommand() *cobra.Command {
	var f imagineFlags
	cmd := &cobra.Command{
		Use:                   "imagine --prompt TEXT [options]",
		Short:                 "Paint pictures from a prompt",
		DisableFlagsInUseLine: true,
		Example: "  easel imagine --prompt \"a red fox on a blue background\" --seed 7 --out fox.png\n" +
			"  easel imagine --prompt \"two cats\" --count 4 --out pictures/ --grid grid.png",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.given = cmd.Flags().Changed
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().SortFlags = false // what most people need comes first
	f.requestFlags(cmd)
	f.resultFlags(cmd)
	f.modelFlags(cmd)
	nameValues(cmd)
	return cmd
}

func (f *imagineFlags) requestFlags(cmd *cobra.Command) {
	r, flags := &f.request, cmd.Flags()
	flags.StringVar(&r.Prompt, "prompt", "", "what to paint")
	flags.StringVar(&r.Negative, "negative", "", "what to keep away from; needs guidance above 1")
	flags.IntVar(&r.Count, "count", 1, "how many pictures, 1 to 64")
	flags.Int64Var(&r.Seed, "seed", 0, "seed of the first picture; the next takes the next number (default: random)")
	flags.StringVar(&f.size, "size", "", "width and height in pixels (default: the model's)")
	flags.IntVar(&r.Steps, "steps", 0, "sampling steps, 1 to 1000 (default: the model's)")
	flags.StringVar(&r.Sampler, "sampler", "", "one of "+strings.Join(sampler.Names(), ", ")+" (default: the model's)")
	flags.Float64Var(&r.Guidance, "guidance", 0, "how closely the prompt is followed, 0 to 100; 1 and below is off (default: the model's)")
	flags.Float64Var(&r.Eta, "eta", 0, "fresh noise that ddim and tcd mix in, 0 to 1")
	flags.Float64Var(&r.Rescale, "guidance-rescale", 0, "how far the contrast that guidance adds is taken back, 0 to 1")
	flags.IntVar(&r.ClipSkip, "clip-skip", 0, "how many of the text encoder's last layers to leave out, as diffusers counts (one less than AUTOMATIC1111's)")
	flags.StringVar(&f.init, "init", "", "picture to start from")
	flags.Float64Var(&r.Strength, "strength", 0, "how much of the --init picture to paint over, above 0 to 1 (default: 0.8, with --mask 1)")
	flags.StringVar(&f.mask, "mask", "", "picture that is white where the --init picture is to be painted anew, and black where it stays")
	flags.Float64Var(&f.zoom, "zoom", 0, "paint what is around the --init picture, which becomes smaller by this factor, 1.1 to 4")
	flags.StringVar(&f.pan, "pan", "", "paint what is beyond one edge of the --init picture, half as much again: "+strings.Join(directions, ", "))
	flags.StringVar(&f.refiner, "refiner", "", "model that makes the last steps, such as Stable Diffusion XL's refiner")
	flags.Float64Var(&f.refineAt, "refine-at", 0.8, "share of the schedule after which the --refiner takes over")
	flags.Int64SliceVar(&f.seeds, "variation-seed", nil, "seed to vary towards; with --count, the next picture takes the next number; again for a variation of that")
	flags.Float64SliceVar(&f.strengths, "variation-strength", nil, "how far to vary, 0 to 1, once for each --variation-seed; all pictures then share --seed")
	flags.BoolVar(&f.plain, "plain-prompt", false, "take the prompt as diffusers does: no weights or wildcards, and what the model cannot read is cut off silently")
	complete(cmd, "sampler", sampler.Names()...)
	complete(cmd, "pan", directions...)
}

func (f *imagineFlags) resultFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", ".", "file for one picture (.png, .webp, .jpg), folder for several")
	flags.StringVar(&f.grid, "grid", "", "file for all pictures in one, besides --out")
	flags.IntVar(&f.best, "best", 0, "save only so many of --count, those that the configured CLIP finds most like the prompt")
	flags.IntVar(&f.upscale, "upscale", 0, "make finished pictures 2 or 4 times as wide and high")
	flags.BoolVar(&f.json, "json", false, "print what was painted as JSON")
}

func (f *imagineFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	if !f.given("prompt") {
		return usagef("--prompt is missing: say what to paint, such as --prompt \"a red fox on a blue background\"")
	}
	for flag, value := range map[string]string{"init": f.init, "mask": f.mask, "refiner": f.refiner, "out": f.out, "grid": f.grid} {
		if f.given(flag) && value == "" { // such as a shell's variable that is not set
			return usagef("--%s is empty; give it a value, or leave it out", flag)
		}
	}
	config, err := f.load()
	if err != nil {
		return err
	}
	folders, err := f.openModels(config)
	if err != nil {
		return err
	}
	to, err := f.prepare(config, folders)
	if err != nil {
		return err
	}
	end, err := f.equip(ctx, config, to, stderr)
	defer end()
	if err != nil {
		return err
	}
	engine, err := openEngine(config, newLogger(config, stderr), folders...)
	if err != nil {
		return err
	}
	defer func() { _ = engine.Close() }() // the process ends, and with it what could not be freed
	if err := f.sayUnread(engine, folders[0], to.request, stderr); err != nil {
		return err
	}
	if err := paint(ctx, engine, to, stderr); err != nil {
		return err
	}
	inspectPictures(ctx, config, to, stderr)
	if k := to.best(); k >= 0 && len(to.saved) > 1 {
		fmt.Fprintf(stderr, "easel: most like its prompt is %s\n", to.fileOf(k))
	}
	return f.report(stdout, folders[0].Name, to)
}

// equip gives a destination what its pictures go through before they are saved. What it returns frees that.
func (f *imagineFlags) equip(ctx context.Context, c configs.Config, to *destination, stderr io.Writer) (end func(), err error) {
	if f.canvas != nil {
		to.paste = f.canvas.Paste
	}
	larger, err := f.openEnlarger(c, to.request, stderr)
	if err != nil {
		return func() {}, err
	}
	if larger != nil {
		to.enlarge = func(m *image.NRGBA) (*image.NRGBA, error) { return larger.enlarge(ctx, m) }
	}
	judge, err := openRanker(c)
	if err != nil {
		return larger.close, err
	}
	if judge == nil {
		return larger.close, nil
	}
	to.score = scorer(ctx, judge, to.request)
	return func() {
		larger.close()
		_ = judge.Close() // the process ends, and with it what could not be freed
	}, nil
}

// openModels opens the model, and behind it the refiner, if there is one.
func (f *imagineFlags) openModels(c configs.Config) ([]*model.Folder, error) {
	c.Models = nil
	if f.refiner != "" {
		c.Models = []string{f.refiner}
	}
	return openModels(c)
}

// prepare finds what is wrong with the request before the model is loaded, which may take a while.
func (f *imagineFlags) prepare(c configs.Config, folders []*model.Folder) (*destination, error) {
	request, err := f.complete(folders[0])
	if err != nil {
		return nil, err
	}
	if f.refiner != "" {
		request.Refiner, request.RefineAt = folders[len(folders)-1].Name, f.refineAt
	} else if f.given("refine-at") {
		return nil, usagef("--refine-at has no effect without --refiner; name the model that takes over")
	}
	if err := generator.Check(int64(c.Engine.Memory), request, folders...); err != nil {
		return nil, err
	}
	if err := screen(c, request); err != nil {
		return nil, err
	}
	keep, err := f.kept(c, request)
	if err != nil {
		return nil, err
	}
	to, err := openDestination(f.out, f.grid, request, keep)
	if err != nil {
		return nil, err
	}
	return to, f.spareSources(to)
}

// spareSources makes sure that no picture takes the place of one that it is painted from.
func (f *imagineFlags) spareSources(to *destination) error {
	files := []string{to.grid}
	for k := range to.request.Count {
		files = append(files, to.fileOf(k))
	}
	for flag, source := range map[string]string{"init": f.init, "mask": f.mask} {
		for _, file := range files {
			if sameFile(source, file) {
				return usagef("%s is the --%s picture, which would be lost; choose another place with --out", file, flag)
			}
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	second, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && os.SameFile(first, second)
}

// complete lays the flags over what the model proposes.
func (f *imagineFlags) complete(folder *model.Folder) (imagine.Request, error) {
	base, asked := generator.Defaults(folder), f.request
	a := jobs.Ask{
		Prompt: asked.Prompt, Negative: asked.Negative, Count: &asked.Count, Eta: &asked.Eta,
		Seed: ifGiven(f, "seed", asked.Seed), Steps: ifGiven(f, "steps", asked.Steps), Sampler: ifGiven(f, "sampler", asked.Sampler),
		Guidance: ifGiven(f, "guidance", asked.Guidance), Rescale: &asked.Rescale, ClipSkip: &asked.ClipSkip,
		Strength: ifGiven(f, "strength", asked.Strength),
	}
	if f.given("negative") && a.Negative == "" {
		a.Negative = " " // Stable Diffusion XL tells the empty text from none
	}
	extends, err := f.extends()
	if err != nil {
		return base, err
	}
	if err := f.sources(&a); err != nil {
		return base, err
	}
	if a.Init != nil {
		base.Width, base.Height = generator.SizeFor(folder, a.Init.Image.Bounds())
	}
	if f.given("size") {
		w, h, err := parseSize(f.size)
		if err != nil {
			return base, err
		}
		a.Size = &image.Point{X: w, Y: h}
	}
	if extends {
		if err := f.extend(folder, &a); err != nil {
			return base, err
		}
	}
	if err := f.variations(&a); err != nil {
		return base, err
	}
	base.Plain = f.plain
	return jobs.Plan(base, a), nil
}

func ifGiven[T any](f *imagineFlags, flag string, value T) *T {
	if !f.given(flag) {
		return nil
	}
	return &value
}

// sources reads the pictures to start from.
func (f *imagineFlags) sources(a *jobs.Ask) (err error) {
	if a.Init, err = source("init", f.init); err != nil {
		return err
	}
	a.Mask, err = source("mask", f.mask)
	return err
}

func source(flag, file string) (*imagine.Source, error) {
	if file == "" {
		return nil, nil
	}
	content, err := readPicture(file)
	var m image.Image
	if err == nil {
		m, err = decodePicture(content)
	}
	if err != nil {
		return nil, fmt.Errorf("--%s %s: %w", flag, file, reason(err))
	}
	return &imagine.Source{Hash: fmt.Sprintf("%x", sha256.Sum256(content)), Image: m}, nil
}

// variations pairs the seeds and the strengths. The last pair is where pictures differ, those before it they share.
func (f *imagineFlags) variations(a *jobs.Ask) error {
	n := len(f.strengths)
	switch {
	case n == 0 && len(f.seeds) == 0:
		return nil
	case n == 0:
		return usagef("--variation-seed has no effect without --variation-strength; add that, such as --variation-strength 0.2")
	case n == 1 && len(f.seeds) == 0:
		a.VariationStrength = &f.strengths[0]
		return nil
	case n != len(f.seeds):
		return usagef("there are %d of --variation-strength and %d of --variation-seed; each needs the other", n, len(f.seeds))
	}
	for i := range n - 1 {
		a.Path = append(a.Path, imagine.Variation{Seed: f.seeds[i], Strength: f.strengths[i]})
	}
	a.VariationSeed, a.VariationStrength = &f.seeds[n-1], &f.strengths[n-1]
	return nil
}

// parseSize reads "512x768". Sides are decimal digits alone, below 2^31; whether a picture can have them is not its matter.
func parseSize(s string) (width, height int, err error) {
	w, h, ok := strings.Cut(strings.ToLower(s), "x")
	x, xerr := strconv.ParseUint(w, 10, 31)
	y, yerr := strconv.ParseUint(h, 10, 31)
	if !ok || xerr != nil || yerr != nil {
		return 0, 0, usagef("--size %q: write it as WIDTHxHEIGHT in pixels, such as 128x128", s)
	}
	return int(x), int(y), nil
}

// sayUnread tells what of the prompts the model does not read.
func (f *imagineFlags) sayUnread(engine *generator.Engine, folder *model.Folder, r imagine.Request, stderr io.Writer) error {
	unguided := ""
	switch {
	case folder.Denoiser.TimeCond > 0:
		unguided = "with the model " + folder.Name + ", which is told the guidance scale and has no negative side"
	case r.Guidance <= 1:
		unguided = "at guidance 1 and below"
	}
	if unguided != "" && strings.TrimSpace(r.Negative) != "" {
		fmt.Fprintln(stderr, "easel: --negative has no effect "+unguided)
	}
	if unguided != "" && r.Rescale > 0 {
		fmt.Fprintln(stderr, "easel: --guidance-rescale has no effect "+unguided)
	}
	if r.Eta > 0 && r.Sampler != "ddim" && r.Sampler != "tcd" {
		fmt.Fprintln(stderr, "easel: --eta has no effect with sampler "+r.Sampler+"; only ddim and tcd mix in as much noise as they are told")
	}
	if f.plain {
		return nil
	}
	said := map[[2]string]bool{}
	for k := range r.Count {
		prompt, negative, err := engine.Cut(r, k)
		if err != nil {
			return err
		}
		for _, cut := range [][2]string{{"prompt", prompt}, {"negative prompt", negative}} {
			if cut[1] != "" && !said[cut] {
				said[cut] = true
				fmt.Fprintf(stderr, "easel: the %s is longer than the model reads; not read: %q\n", cut[0], cut[1])
			}
		}
	}
	return nil
}

// paint paints the destination's request and saves each picture as it is finished. Where one cannot be saved, painting stops.
func paint(ctx context.Context, engine *generator.Engine, to *destination, stderr io.Writer) error {
	bar := newProgress(stderr, to.request.Count)
	finished := make(chan imagine.Picture, to.request.Count)
	saving := make(chan error, 1)
	painting, stop := context.WithCancel(ctx)
	defer stop()
	go func() { saving <- to.saveAll(finished, stop) }()
	_, err := engine.Paint(painting, to.request, imagine.Watcher{Event: func(ev imagine.Event) {
		bar.show(ev)
		if ev.Picture != nil {
			finished <- *ev.Picture
		}
	}})
	close(finished)
	bar.end()
	saveErr := <-saving
	switch {
	case saveErr != nil && !errors.Is(saveErr, context.Canceled):
		return saveErr
	case (err != nil || saveErr != nil) && ctx.Err() != nil:
		return fmt.Errorf("interrupted; %d of %d pictures were finished and are saved", len(to.saved), to.request.Count)
	}
	return err
}
