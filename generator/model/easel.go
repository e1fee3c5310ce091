package model

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Defaults are what a request gets that does not ask for anything else. They come from
// easel.json; failing that, 20 steps, guidance 7.5 and the size the denoiser was trained at.
type Defaults struct {
	Steps         int     // 1 to 1000
	Guidance      float64 // 0 to 100
	Width, Height int     // pixels, multiples of [Folder.SizeStep], up to 8192
	Sampler       string  // "" means the scheduler's own
}

// About is what easel.json tells people about the model.
type About struct {
	Description string   // one sentence
	Words       []string // what it knows how to paint
	Styles      []string // the styles it knows
}

type easelJSON struct {
	Steps       *int     `json:"steps"`
	Guidance    *float64 `json:"guidance"`
	Width       *int     `json:"width"`
	Height      *int     `json:"height"`
	Sampler     string   `json:"sampler"`
	Description string   `json:"description"`
	Words       []string `json:"words"`
	Styles      []string `json:"styles"`
}

var easelKeys = []string{"description", "guidance", "height", "sampler", "steps", "styles", "width", "words"}

const (
	easelFile = "easel.json"
	maxSteps  = 1000
	maxSide   = 8192
)

// easel reads easel.json strictly: a key that is misspelt must not be passed over.
func (in *inspector) easel() {
	var keys map[string]json.RawMessage
	var e easelJSON
	if in.read(easelFile, &keys) {
		in.unknownKeys(keys)
		in.read(easelFile, &e)
	}
	if in.reported(easelFile) {
		return
	}
	f := in.folder
	f.About = About{Description: plain(e.Description), Words: e.Words, Styles: e.Styles}
	f.Defaults = Defaults{
		Steps:    either(e.Steps, 20),
		Guidance: either(e.Guidance, 7.5),
		Height:   either(e.Height, f.Denoiser.SampleSize[0]*f.VAE.Factor),
		Width:    either(e.Width, f.Denoiser.SampleSize[1]*f.VAE.Factor),
		Sampler:  e.Sampler,
	}
	in.defaults()
}

func (in *inspector) unknownKeys(keys map[string]json.RawMessage) {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(easelKeys, key) {
			in.problem(easelFile, "unknown key %q; the keys are %s", key, strings.Join(easelKeys, ", "))
		}
	}
}

func either[T any](told *T, otherwise T) T {
	if told == nil {
		return otherwise
	}
	return *told
}

// defaults checks the ranges, and the size where the parts that it hangs on could be read.
func (in *inspector) defaults() {
	f := in.folder
	d := f.Defaults
	if d.Steps < 1 || d.Steps > maxSteps {
		in.problem(easelFile, "steps is %d; it must be 1 to %d", d.Steps, maxSteps)
	}
	if d.Guidance < 0 || d.Guidance > 100 {
		in.problem(easelFile, "guidance is %v; it must be 0 to 100", d.Guidance)
	}
	if f.SizeStep() == 0 {
		return
	}
	if d.Width == 0 || d.Height == 0 {
		in.problem(easelFile, "width and height are needed here, since unet/config.json has no sample_size")
	} else if err := f.CheckSize(d.Width, d.Height); err != nil {
		in.problem(easelFile, "%v", err)
	}
}
