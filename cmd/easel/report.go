package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

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
		Zoom     float64   `json:"zoom,omitempty"`
		Pan      string    `json:"pan,omitempty"`
		Refiner  string    `json:"refiner,omitempty"`
		RefineAt float64   `json:"refine_at,omitempty"`
		Grid     string    `json:"grid,omitempty"`
		Best     *int      `json:"best,omitempty"` // index of the picture with the highest score
		Pictures []painted `json:"pictures"`       // in seed order
		LeftOut  []unsaved `json:"left_out,omitempty"`
	}
	painted struct {
		Index             int      `json:"index"`
		File              string   `json:"file"`
		Prompt            *string  `json:"prompt,omitempty"` // with its wildcards chosen, if it has any
		Seed              int64    `json:"seed"`
		VariationSeed     *int64   `json:"variation_seed,omitempty"` // with a variation only; 0 is a seed as well
		VariationStrength float64  `json:"variation_strength,omitempty"`
		Width             int      `json:"width"`
		Height            int      `json:"height"`
		Score             *float64 `json:"score,omitempty"` // of likeness to the prompt, 100 at most; where something judged
	}
	unsaved struct {
		Index         int     `json:"index"`
		Seed          int64   `json:"seed"`
		VariationSeed *int64  `json:"variation_seed,omitempty"`
		Score         float64 `json:"score"`
	}
)

// report prints what was saved: JSON, or a line a file.
func (f *imagineFlags) report(stdout io.Writer, model string, d *destination) error {
	if f.json {
		r := d.request
		best, pictures, leftOut := judged(d)
		return printJSON(stdout, result{
			Model: model, Prompt: r.Prompt, Negative: r.Negative, Sampler: r.Sampler, Steps: r.Steps, Guidance: r.Guidance, Rescale: r.Rescale, Eta: r.Eta,
			ClipSkip: r.ClipSkip, Init: hash(r.Init), Mask: hash(r.Mask), Strength: r.Strength, Zoom: f.zoom, Pan: f.pan, Refiner: r.Refiner, RefineAt: r.RefineAt, Grid: d.grid,
			Best: best, Pictures: pictures, LeftOut: leftOut,
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

// judged adds to what is told of the saved pictures their scores, and tells of those that were not saved.
func judged(d *destination) (best *int, saved []painted, leftOut []unsaved) {
	if d.score == nil {
		return nil, d.saved, nil
	}
	k := d.best()
	next := d.saved
	for i, score := range d.scores {
		score = math.Round(score*100) / 100
		if len(next) > 0 && next[0].Index == i {
			saved, next = append(saved, next[0]), next[1:]
			saved[len(saved)-1].Score = &score
			continue
		}
		missing := unsaved{Index: i, Score: score}
		missing.Seed, missing.VariationSeed = seeds(d.request, i)
		leftOut = append(leftOut, missing)
	}
	return &k, saved, leftOut
}

// seeds returns a picture's, the second one only if there is a variation.
func seeds(r imagine.Request, k int) (seed int64, variation *int64) {
	seed, v := r.Seeds(k)
	if r.Variation.Strength > 0 {
		variation = &v
	}
	return seed, variation
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
