package pull

import "slices"

// A Model is one of the list of models whose repositories are known to have the layout.
type Model struct {
	Name        string // what it is called here, and its folder
	Description string
	Source      Source
	Licence     Licence
	Size        int64 // bytes to fetch, about
	Defaults    Defaults
}

// Defaults become the model's easel.json when its repository has none.
type Defaults struct {
	Steps       int     `json:"steps"`
	Guidance    float64 `json:"guidance"`
	Width       int     `json:"width"`  // pixels
	Height      int     `json:"height"` // pixels
	Sampler     string  `json:"sampler"`
	Description string  `json:"description"`
}

const gigabyte = 1e9

var known = []Model{
	{
		Name:     "sd15",
		Source:   Source{"modularai/stable-diffusion-1.5-onnx", mainBranch},
		Licence:  "creativeml-openrail-m",
		Size:     4.3 * gigabyte,
		Defaults: Defaults{Steps: 25, Guidance: 7.5, Width: 512, Height: 512, Sampler: "dpmpp_2m_karras", Description: "Stable Diffusion 1.5: all kinds of pictures at 512x512."},
	},
	{
		Name:     "lcm-dreamshaper",
		Source:   Source{"SimianLuo/LCM_Dreamshaper_v7", mainBranch},
		Licence:  "mit",
		Size:     4.3 * gigabyte,
		Defaults: Defaults{Steps: 4, Guidance: 8.5, Width: 768, Height: 768, Sampler: "lcm", Description: "LCM Dreamshaper 7: illustrations and portraits in 4 steps at 768x768."},
	},
	{
		Name:     "sdxl",
		Source:   Source{"stabilityai/stable-diffusion-xl-base-1.0", mainBranch},
		Licence:  "openrail++",
		Size:     13.9 * gigabyte,
		Defaults: Defaults{Steps: 30, Guidance: 5, Width: 1024, Height: 1024, Sampler: "euler", Description: "Stable Diffusion XL: all kinds of pictures at 1024x1024."},
	},
	{
		Name:     "sdxl-turbo",
		Source:   Source{"stabilityai/sdxl-turbo", mainBranch},
		Licence:  "sai-nc-community",
		Size:     13.9 * gigabyte,
		Defaults: Defaults{Steps: 4, Guidance: 0, Width: 512, Height: 512, Sampler: "euler_a", Description: "SDXL Turbo: all kinds of pictures in 1 to 4 steps at 512x512; no commercial use."},
	},
}

// Known returns the list, in the order to show it.
func Known() []Model { return slices.Clone(known) }

// Find returns the model of the list that a name, or a source, means.
func Find(name string) (Model, bool) {
	i := slices.IndexFunc(known, func(m Model) bool { return m.Name == name || m.Source.String() == name })
	if i < 0 {
		return Model{}, false
	}
	return known[i], true
}
