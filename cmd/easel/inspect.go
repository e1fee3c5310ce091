package main

import (
	"context"
	"fmt"
	"io"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/moderation"
)

// inspectPictures warns of saved pictures that a moderator would be asked about, or that would be blocked, and where they could
// not be inspected. On the command line nothing is withheld: nobody sees them but who asked for them.
func inspectPictures(ctx context.Context, c configs.Config, d *destination, stderr io.Writer) {
	if err := warn(ctx, c, d, stderr); err != nil {
		fmt.Fprintln(stderr, "easel: the pictures are saved, but were not inspected:", err)
	}
}

func warn(ctx context.Context, c configs.Config, d *destination, stderr io.Writer) error {
	filter, err := openFilter(c)
	if err != nil {
		return err
	}
	defer func() { _ = filter.Close() }() // the process ends, and with it what could not be freed
	for _, p := range d.saved {
		v, err := filter.Inspect(ctx, d.images[p.Index])
		if err != nil {
			return fmt.Errorf("%s: %w", p.File, err)
		}
		if v.Action != moderation.Allow {
			fmt.Fprintf(stderr, "easel: %s may be sexual: the picture filter says %v (%.2f of 1)\n", p.File, v.Action, v.Scores[moderation.Sexual])
		}
	}
	return nil
}
