package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// A usageError is a mistake in how easel was called.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// near is how many edits a word may be from the command or option that was meant.
const near = 2

// group makes a command one that only holds others. It reads no options itself, so that a mistyped command is named, and
// not the first option after it.
func group(cmd *cobra.Command, members ...*cobra.Command) {
	cmd.AddCommand(members...)
	cmd.DisableFlagParsing = true
	cmd.DisableFlagsInUseLine = true
	cmd.SuggestionsMinimumDistance = near
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 || args[0] == "--help" || args[0] == "-h" {
			return cmd.Help()
		}
		return unknownCommand(cmd, args[0])
	}
}

func unknownCommand(cmd *cobra.Command, word string) error {
	hint := cmd.CommandPath() + " --help lists the commands"
	if meant := cmd.SuggestionsFor(strings.TrimLeft(word, "-")); len(meant) > 0 {
		hint = fmt.Sprintf("did you mean \"%s %s\"?", cmd.CommandPath(), meant[0])
	}
	return usagef("there is no command \"%s %s\"; %s", cmd.CommandPath(), word, hint)
}

// explain shows the help of the command that args name.
func explain(cmd *cobra.Command, args []string) error {
	about, rest, err := cmd.Root().Find(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return unknownCommand(about, rest[0])
	}
	return about.Help()
}

// noArgs refuses arguments in words that help whoever forgot an option's name or its quotes.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("unexpected argument %q; options begin with --, and words with spaces need quotes (%s --help)", args[0], cmd.CommandPath())
}
