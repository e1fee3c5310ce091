// Command easel is the image bot: a picture painter for the command line today, chat platforms around it.
//
// One file is one subcommand; everything here is wiring. Results go to stdout, progress and errors to stderr. The exit
// status is 0 when done, 1 when it failed, 2 for wrong usage (including a wrong configuration) and 3 when moderation
// refused.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/easelbot/easel/imagine"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted; pictures that were finished are saved")
	}
	fmt.Fprintln(stderr, "easel:", err)
	var usage *usageError
	var invalid *imagine.InvalidError
	if errors.As(err, &usage) || errors.As(err, &invalid) {
		return 2
	}
	return 1
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "easel",
		Short:         "Easel paints pictures from words, on your own hardware",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v (%s --help lists the options)", err, cmd.CommandPath())
	})
	root.AddCommand(imagineCommand(), modelsCommand(), doctorCommand(), versionCommand())
	return root
}

// A usageError is a mistake in how easel was called.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// noArgs refuses arguments in words that help whoever forgot a flag or mistyped a subcommand.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		hint := fmt.Sprintf("%s --help lists the commands", cmd.CommandPath())
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf("did you mean %q?", near[0])
		}
		return usagef("unknown command %q for %s; %s", args[0], cmd.CommandPath(), hint)
	}
	return usagef("unexpected argument %q; options begin with --, and words with spaces need quotes (%s --help)", args[0], cmd.CommandPath())
}
