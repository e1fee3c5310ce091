package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/easelbot/easel/imagine"
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
		Rescale  float64   `json:"guidance_rescale,omitempty"`
		Eta      float64   `json:"eta,omitempty"`
		ClipSkip int       `json:"clip_skip,omitempty"`
		Init     string    `json:"init,omitempty"` // SHA-256 of the file
		Mask     string    `json:"mask,omitempty"`
		Strength float64   `json:"strength,omitempty"`
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
		return printJSON(stdout, result{
			Model: model, Prompt: r.Prompt, Negative: r.Negative, Sampler: r.Sampler, Steps: r.Steps, Guidance: r.Guidance, Rescale: r.Rescale, Eta: r.Eta,
			ClipSkip: r.ClipSkip, Init: hash(r.Init), Mask: hash(r.Mask), Strength: r.Strength, Grid: d.grid, Pictures: d.saved,
		})
	}
	for _, p := range d.saved {
		fmt.Fprintln(stdout, p.File)
	}
	if d.grid != "" {
		fmt.Fprintln(stdout, d.grid)
	}
	return nil
}

func hash(s *imagine.Source) string {
	if s == nil {
		return ""
	}
	return s.Hash
}

// printJSON prints a value on one line, with <, > and & as they are.
func printJSON(stdout io.Writer, value any) error {
	out := json.NewEncoder(stdout)
	out.SetEscapeHTML(false)
	return out.Encode(value)
}
