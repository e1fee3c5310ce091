package generator

import (
	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
)

// Calls returns how many model calls one picture of a request takes, 0 for a request that Check refuses.
func (e *Engine) Calls(r imagine.Request) int {
	s, err := sampler.New(r.Sampler, e.schedule, samplerOptions(e.folder, r))
	if err != nil {
		return 0
	}
	return len(s.Timesteps())
}
