package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// valueNames is what the help calls the options' values, where "string" and "int" would say too little.
var valueNames = map[string]string{
	"prompt": "TEXT", "negative": "TEXT", "count": "N", "seed": "S", "size": "WIDTHxHEIGHT", "steps": "N", "sampler": "NAME",
	"guidance": "G", "guidance-rescale": "R", "eta": "E", "clip-skip": "N", "upscale": "N", "best": "N", "refiner": "NAME|DIR", "refine-at": "F", "zoom": "FACTOR", "pan": "DIRECTION", "init": "FILE", "mask": "FILE", "strength": "F", "variation-seed": "S", "variation-strength": "F",
	"out": "FILE|DIR", "grid": "FILE", "config": "FILE", "model": "NAME|DIR", "device": "DEVICE",
}

// A named value is an option's value with its name for the help.
type named struct {
	pflag.Value
	name string
}

// Type returns the name, since that is what pflag prints.
func (n named) Type() string { return n.name }

func nameValues(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if name, ok := valueNames[f.Name]; ok {
			f.Value = named{f.Value, name}
		}
	})
}

// kind says what the values of an option must be.
func kind(f *pflag.Flag) string {
	value := f.Value
	if n, ok := value.(named); ok {
		value = n.Value
	}
	switch value.Type() {
	case "bool":
		return "true or false"
	case "int", "int64":
		return "a whole number"
	}
	return "a number"
}

// flagError says in our words what the command line's parser found wrong.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bad *pflag.InvalidValueError
	var bare *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		return unknownOption(cmd, unknown)
	case errors.As(err, &bad) && errors.Is(err, strconv.ErrRange):
		return usagef("--%s: %s is too large a number", bad.GetFlag().Name, bad.GetValue())
	case errors.As(err, &bad):
		return usagef("--%s: %q is not %s", bad.GetFlag().Name, bad.GetValue(), kind(bad.GetFlag()))
	case errors.As(err, &bare):
		return usagef("--%s: its value is missing", bare.GetSpecifiedName())
	}
	return usagef("%v; %s --help lists the options", err, cmd.CommandPath())
}

func unknownOption(cmd *cobra.Command, unknown *pflag.NotExistError) error {
	name, dashes := unknown.GetSpecifiedName(), "--"
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		name, dashes = short, "-"
	}
	hint := cmd.CommandPath() + " --help lists the options"
	if meant := optionsLike(cmd, name); len(meant) > 0 {
		hint = fmt.Sprintf("did you mean --%s?", meant[0])
	}
	return usagef("unknown option %s%s; %s", dashes, name, hint)
}

// optionsLike lets cobra compare a word with a command's options as it does with commands.
func optionsLike(cmd *cobra.Command, word string) []string {
	names := &cobra.Command{SuggestionsMinimumDistance: near}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	return names.SuggestionsFor(word)
}
