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
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := &results{to: stdout}
	root := rootCommand(out, stderr)
	root.SetArgs(args)
	err := errors.Join(root.ExecuteContext(ctx), out.failure())
	if err == nil {
		return 0
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(stderr, "easel:", err)
	return status(err)
}

func status(err error) int {
	var usage *usageError
	var invalid *imagine.InvalidError
	var refused *refusedError
	if errors.As(err, &refused) {
		return 3
	}
	if errors.As(err, &usage) || errors.As(err, &invalid) {
		return 2
	}
	return 1
}

func rootCommand(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "easel",
		Short:         "Easel paints pictures from words, on your own hardware",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(flagError)
	group(root, imagineCommand(), serveCommand(), moderateCommand(), reviewCommand(), registerCommand(), modelsCommand(), doctorCommand(), versionCommand())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Short, cmd.Run, cmd.RunE = "Explain a command", nil, explain
		case "completion":
			group(cmd)
		}
	}
	return root
}

// results passes on what is written to stdout and keeps the first error, so that no command can lose its result unnoticed.
type results struct {
	to  io.Writer
	err error
}

func (r *results) Write(b []byte) (int, error) {
	if r.err == nil {
		_, r.err = r.to.Write(b)
	}
	return len(b), nil
}

func (r *results) failure() error {
	if r.err == nil {
		return nil
	}
	return fmt.Errorf("the result could not be written to stdout: %w", reason(r.err))
}
