package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/easelbot/easel/configs"
)

// grace is how long a shutdown may take: requests end, what is being painted stops and stays in the journal, files close.
const (
	grace    = 10 * time.Second
	goodbyes = grace / 2 // of it, for requests that are being answered
)

func serveCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Open the channel in the browser, where people ask and pictures come",
		Long: "Opens the channel in the browser. One line on stdout says where, once it is ready; the log goes to stderr.\n" +
			"Ctrl-C ends it within ten seconds: what is not finished is painted after the next start. A second Ctrl-C ends it at once.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.load()
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, cmd.OutOrStdout(), newLogger(c, cmd.ErrOrStderr()))
		},
	}
	s.modelFlags(cmd)
	nameValues(cmd)
	return cmd
}

// serve runs until ctx is done, which is no error. What can be told at once comes before what takes long: the data folder is
// locked and the door opened before the model is loaded.
func serve(ctx context.Context, c configs.Config, stdout io.Writer, log *slog.Logger) error {
	words, err := openJudge(c)
	if err != nil {
		return err
	}
	data, err := occupy(c.DataDir)
	if err != nil {
		return err
	}
	defer data.leave(log)
	l, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	url := "http://" + l.Addr().String() + "/"
	log.Info("starting", "version", version, "url", url, "data", c.DataDir, "model", c.Model)
	data.tell(url, log)
	d := openDoor(l, log)
	if !d.loopback {
		log.Warn("other machines can come in, so the channel is not shown; only /healthz and /readyz answer", "listen", c.Listen)
	}
	h, err := furnish(ctx, c, words, data, hosts(l.Addr(), c.PublicURL), log)
	if err != nil {
		return unlessOver(ctx, errors.Join(err, d.server.Close()))
	}
	d.show(h.rooms())
	err = live(ctx, d, h, func() {
		log.Info("ready", "url", url)
		fmt.Fprintf(stdout, "Easel is ready: %s\n", url)
	}, log)
	log.Info("stopped")
	return err
}

// live says that everything is ready and lets it run until ctx is done, a loop fails or the door breaks.
func live(ctx context.Context, d *door, h *house, ready func(), log *slog.Logger) error {
	loops, running := errgroup.WithContext(ctx)
	loops.Go(func() error { return unlessOver(running, h.run(running)) })
	loops.Go(func() error { return d.watch(running) })
	if ctx.Err() == nil {
		ready()
	}
	<-running.Done()
	log.Info("shutting down", "within", grace)
	d.leave()
	return shut(d, h, loops)
}

// shut ends everything in the order in which it depends on each other. What does not end in time is left: the journal
// knows of it.
func shut(d *door, h *house, loops *errgroup.Group) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	h.hush()
	ended := make(chan error, 1)
	go func() { ended <- loops.Wait() }()
	leaving, cut := context.WithTimeout(ctx, goodbyes)
	defer cut()
	err := d.close(leaving)
	select {
	case e := <-ended:
		return errors.Join(err, e, h.close())
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("what was being done did not end within %v; it is done after the next start", grace))
	}
}

// unlessOver is err, unless it only says that ctx is over.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
