package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// The JSON that imagine --json prints, on one line.
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
		Pictures []painted `json:"pictures"` // in seed order
	}
	painted struct {
		Index             int     `json:"index"`
		File              string  `json:"file"`
		Prompt            string  `json:"prompt,omitempty"` // with its wildcards chosen, if it has any
		Seed              int64   `json:"seed"`
		VariationSeed     *int64  `json:"variation_seed,omitempty"` // with a variation only; 0 is a seed as well
		VariationStrength float64 `json:"variation_strength,omitempty"`
		Width             int     `json:"width"`
		Height            int     `json:"height"`
	}
)

// report prints what was saved: JSON, or a line a file.
func (f *imagineFlags) report(stdout io.Writer, model string, d *destination) error {
	if f.json {
		r := d.request
		return printJSON(stdout, result{model, r.Prompt, r.Negative, r.Sampler, r.Steps, r.Guidance, r.Eta, d.grid, d.saved})
	}
	for _, p := range d.saved {
		fmt.Fprintln(stdout, p.File)
	}
	if d.grid != "" {
		fmt.Fprintln(stdout, d.grid)
	}
	return nil
}

// printJSON prints a value on one line, with <, > and & as they are.
func printJSON(stdout io.Writer, value any) error {
	out := json.NewEncoder(stdout)
	out.SetEscapeHTML(false)
	return out.Encode(value)
}
