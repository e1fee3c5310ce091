package bot

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/imagine"
)

// details tells how a job's pictures were made, so that any of them can be made again.
func (b *Bot) details(ctx context.Context, a Action) (Reply, error) {
	j, err := b.saga.Job(ctx, a.Place, a.Person, a.Job)
	if err != nil {
		return Reply{}, b.explain(err)
	}
	entries, err := b.gallery.OfJob(ctx, gallery.Scope{Tenant: a.Place.Tenant, Channel: a.Place.Channel, Viewer: a.Person.ID}, a.Job)
	if err != nil {
		return Reply{}, b.explain(err)
	}
	r := j.Request
	list := []Detail{{"Prompt", r.Prompt}}
	if r.Negative != "" {
		list = append(list, Detail{"Negative prompt", r.Negative})
	}
	for k := range r.Count {
		if chosen := painted(r, k); chosen != r.Prompt {
			list = append(list, Detail{fmt.Sprintf("Picture %d", k+1), chosen})
		}
	}
	list = append(list, seeds(r)...)
	list = append(
		list,
		Detail{"Size", fmt.Sprintf("%dx%d", r.Width, r.Height)},
		Detail{"Sampler", r.Sampler},
		Detail{"Steps", strconv.Itoa(r.Steps)},
		Detail{"Guidance scale", decimal(r.Guidance)},
		Detail{"Model", j.Model},
	)
	if len(entries) > 0 {
		list = append(list, Detail{"Time", seconds(j.Took)})
	}
	return Reply{Details: append(list, Detail{"Credits", decimal(j.Credits)}, Detail{"Job", j.ID}, Detail{"Command line", commandLine(r)})}, nil
}

// seeds lists what each picture was painted from.
func seeds(r imagine.Request) []Detail {
	first, varied := r.Seeds(0)
	if r.Variation.Strength == 0 {
		if r.Count == 1 {
			return []Detail{{"Seed", strconv.FormatInt(first, 10)}}
		}
		last, _ := r.Seeds(r.Count - 1)
		return []Detail{{"Seeds", fmt.Sprintf("%d to %d", first, last)}}
	}
	var moves []string
	for _, v := range r.Path {
		moves = append(moves, fmt.Sprintf("%s towards %d", decimal(v.Strength), v.Seed))
	}
	to := strconv.FormatInt(varied, 10)
	if r.Count > 1 {
		_, last := r.Seeds(r.Count - 1)
		to = fmt.Sprintf("%d to %d", varied, last)
	}
	moves = append(moves, decimal(r.Variation.Strength)+" towards "+to)
	return []Detail{{"Seed", strconv.FormatInt(first, 10)}, {"Variation", strings.Join(moves, ", then ")}}
}

// commandLine is what paints the same pictures without the bot, in a POSIX shell.
func commandLine(r imagine.Request) string {
	args := []string{"easel imagine --prompt", shellQuoted(r.Prompt)}
	if r.Negative != "" {
		args = append(args, "--negative", shellQuoted(r.Negative))
	}
	args = append(args, fmt.Sprintf("--count %d --seed %d --size %dx%d --sampler %s --steps %d --guidance %s",
		r.Count, r.Seed, r.Width, r.Height, r.Sampler, r.Steps, decimal(r.Guidance)))
	if r.Model != "" {
		args = append(args, "--model", shellQuoted(r.Model))
	}
	for _, v := range slices.Concat(r.Path, []imagine.Variation{r.Variation}) {
		if v.Strength > 0 {
			args = append(args, fmt.Sprintf("--variation-seed %d --variation-strength %s", v.Seed, decimal(v.Strength)))
		}
	}
	return strings.Join(args, " ")
}

func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
