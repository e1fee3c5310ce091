package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/generator/model/pull"
	"github.com/easelbot/easel/models"
)

type pullFlags struct {
	settings
	to        string
	tokenFile string
	accept    bool
	verify    bool
}

func modelsPullCommand() *cobra.Command {
	var f pullFlags
	cmd := &cobra.Command{
		Use:   "pull NAME",
		Short: "Fetch a model from Hugging Face or a mirror of it",
		Long: "Fetch a model by its name, or any repository that holds one as ONNX by OWNER/REPO or OWNER/REPO@REVISION.\n\n" + knownModels() +
			"\nWhat was interrupted is gone on with by the same command. A model that is here already is only looked at.\n" +
			"HF_TOKEN holds the token that some models need, EASEL_MODELS_URL or HF_ENDPOINT the address of a mirror.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name one model: easel models pull NAME; easel models pull --help lists some")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.configFlag(cmd)
	cmd.Flags().StringVar(&f.to, "to", "", "`DIR` that becomes the model (default: models/NAME in the data folder)")
	cmd.Flags().StringVar(&f.tokenFile, "token-file", "", "`FILE` that holds the hub's token (default: the environment's HF_TOKEN)")
	cmd.Flags().BoolVar(&f.accept, "accept-licence", false, "accept the model's licence, if it asks for that")
	cmd.Flags().BoolVar(&f.verify, "verify", false, "of a model that is here already, read everything and compare it with its hashes")
	cmd.ValidArgs = pullable()
	nameValues(cmd)
	return cmd
}

func pullable() []string {
	var names []string
	for _, m := range pull.Known() {
		names = append(names, m.Name)
	}
	return names
}

func knownModels() string {
	var b strings.Builder
	for _, m := range pull.Known() {
		fmt.Fprintf(&b, "  %-16s %8s  %s\n  %-16s %8s  Licence: %s.\n", m.Name, pull.SizeText(m.Size), m.Defaults.Description, "", "", m.Licence)
	}
	return b.String()
}

func (f *pullFlags) run(cmd *cobra.Command, name string) error {
	c, err := f.load()
	if err != nil {
		return err
	}
	wanted, err := meant(name)
	if err != nil {
		return err
	}
	dir, err := f.destination(c, wanted.Name)
	if err != nil {
		return err
	}
	hub, err := f.hub()
	if err != nil {
		return err
	}
	p := &pulling{flags: f, cmd: cmd, hub: hub, wanted: wanted, dir: dir, show: newPullProgress(cmd.ErrOrStderr(), wanted.Name)}
	defer p.show.end()
	if err := p.run(cmd.Context()); err != nil {
		return err
	}
	p.show.end()
	p.ready()
	return nil
}

// meant finds what a name means: a model of the list, or any repository.
func meant(name string) (pull.Model, error) {
	if m, ok := pull.Find(name); ok {
		return m, nil
	}
	if !strings.Contains(name, "/") {
		return pull.Model{}, usagef("easel knows no model %q; it knows %s, and any repository as OWNER/REPO", name, strings.Join(pullable(), ", "))
	}
	s, err := pull.ParseSource(name)
	if err != nil {
		return pull.Model{}, &usageError{err}
	}
	return pull.Model{Name: s.Name(), Source: s}, nil
}

func (f *pullFlags) destination(c configs.Config, name string) (string, error) {
	dir := modelsDir(c)
	switch {
	case f.to != "":
		return f.to, nil
	case dir == "":
		return "", usagef("there is no data folder to put the model into; set EASEL_DATA_DIR, or name a folder with --to")
	case name == models.Name:
		return "", usagef("%q is the name of the built-in model; name another folder with --to", name)
	}
	return filepath.Join(dir, name), nil
}

// hub takes address and token from the environment, where other programs look for them too.
func (f *pullFlags) hub() (*pull.Hub, error) {
	token := strings.TrimSpace(os.Getenv("HF_TOKEN"))
	if f.tokenFile != "" {
		b, err := os.ReadFile(f.tokenFile)
		if err != nil {
			return nil, usagef("the token file %s cannot be read: %w", f.tokenFile, reason(err))
		}
		token = strings.TrimSpace(string(b))
	}
	hub, err := pull.NewHub(cmp.Or(os.Getenv("EASEL_MODELS_URL"), os.Getenv("HF_ENDPOINT")), token)
	if err != nil {
		return nil, &usageError{fmt.Errorf("%w (EASEL_MODELS_URL, HF_ENDPOINT and HF_TOKEN say where models come from)", err)}
	}
	return hub, nil
}

// pulling is one run of the command.
type pulling struct {
	flags  *pullFlags
	cmd    *cobra.Command
	hub    *pull.Hub
	wanted pull.Model
	dir    string
	show   *pullProgress
}

func (p *pulling) run(ctx context.Context) error {
	place, err := pull.Take(p.dir)
	if err != nil {
		return fmt.Errorf("%s: %w", p.dir, reason(err))
	}
	defer place.Leave()
	record, err := pull.ReadRecord(p.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p.fetch(ctx, place, false)
	case errors.Is(err, pull.ErrNotPulled):
		return fmt.Errorf("there is a folder %s that was not pulled; move it away, or name another with --to", p.dir)
	case err != nil:
		return fmt.Errorf("%s: %w", p.dir, reason(err))
	case record.Source() != p.wanted.Source:
		return fmt.Errorf("%s holds %s, not %s; move it away, or name another folder with --to", p.dir, record.Source(), p.wanted.Source)
	}
	return p.look(ctx, place, record)
}

// look says that a model is here, or mends it.
func (p *pulling) look(ctx context.Context, place *pull.Place, record *pull.Record) error {
	damage, err := record.Damage(ctx, p.dir, p.flags.verify, p.show.event)
	if err != nil {
		return fmt.Errorf("%s: %w", p.dir, reason(err))
	}
	if len(damage) == 0 {
		p.show.say("it is here already, as of %s", record.Commit)
		return nil
	}
	for _, what := range damage {
		p.show.say("%s; it is fetched again", what)
	}
	if err := place.SetAside(); err != nil {
		return fmt.Errorf("%s cannot be mended: %w", p.dir, reason(err))
	}
	p.wanted.Source.Revision = record.Revision
	return p.fetch(ctx, place, true)
}

func (p *pulling) fetch(ctx context.Context, place *pull.Place, accepted bool) error {
	if p.hub.Withheld() {
		p.show.say("the token is not sent, as the hub's address is not encrypted (http)")
	}
	offer, err := p.hub.Offer(ctx, p.wanted.Source, p.show.event)
	if err != nil {
		return err
	}
	offer.Licence = cmp.Or(offer.Licence, p.wanted.Licence)
	p.show.say("%s, %s in %d files, from %s", p.wanted.Source, pull.SizeText(pull.Sum(offer.Files)), len(offer.Files), p.hub.Page(p.wanted.Source))
	p.show.say("licence: %s", offer.Licence)
	if !accepted {
		if err := p.agree(ctx, offer.Licence); err != nil {
			return err
		}
	}
	var defaults *pull.Defaults
	if slices.Contains(pullable(), p.wanted.Name) {
		defaults = &p.wanted.Defaults
	}
	if err := place.Fetch(ctx, p.hub, offer, defaults, p.show.event); err != nil {
		var unusable *pull.UnusableError
		if errors.As(err, &unusable) || ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("%w\nwhat came is kept in %s", reason(err), place.Aside())
	}
	return nil
}

// ready tells how to use what was pulled.
func (p *pulling) ready() {
	name := p.wanted.Name
	if p.flags.to != "" {
		name = p.flags.to
	}
	fmt.Fprintf(p.cmd.OutOrStdout(), "%s can be used: easel imagine --model %s --prompt \"...\"\n", name, name)
}
