package generator

import (
	"os"
	"testing"

	"github.com/easelbot/easel/generator/sampler"
	"github.com/easelbot/easel/imagine"
)

// models lists the folders that determinism is tested with: the random one and, if there is one, the real one.
func models() map[string]string {
	list := map[string]string{"tiny": tiny}
	if dir := os.Getenv("EASEL_MODEL"); dir != "" {
		list["EASEL_MODEL"] = dir
	}
	return list
}

// strangers are seven requests that differ from fox and from each other in all that may differ within a call.
func strangers() []imagine.Request {
	return []imagine.Request{
		with(fox(), func(r *imagine.Request) { r.Seed = 100 }),
		with(fox(), func(r *imagine.Request) { r.Prompt, r.Sampler, r.Steps = "the blue cat", "euler", 7 }),
		with(fox(), func(r *imagine.Request) { r.Sampler, r.Steps, r.Guidance = "euler_a", 2, 0 }),
		with(fox(), func(r *imagine.Request) { r.Sampler, r.Steps, r.Guidance = "dpmpp_2m", 5, 8.5 }),
		with(fox(), func(r *imagine.Request) { r.Eta, r.Negative, r.Seed = 1, "green", -3 }),
		with(fox(), func(r *imagine.Request) { r.Steps, r.Guidance, r.Seed = 1, 1, 1<<40 }),
		with(fox(), func(r *imagine.Request) { r.Count, r.Variation = 2, imagine.Variation{Seed: 5, Strength: 0.3} }),
	}
}

func TestCompanyDoesNotChangeAPicture(t *testing.T) {
	requests := map[string]imagine.Request{
		"guided":        fox(),
		"guidance off":  with(fox(), func(r *imagine.Request) { r.Guidance = 0 }), // a lone lane
		"fresh noise":   with(fox(), func(r *imagine.Request) { r.Eta = 0.7 }),
		"four pictures": with(fox(), func(r *imagine.Request) { r.Count = 4 }),
		"wide":          with(fox(), func(r *imagine.Request) { r.Width = 96 }), // shares no call with the strangers
	}
	for _, name := range sampler.Names() {
		requests[name] = with(fox(), func(r *imagine.Request) { r.Sampler = name })
	}
	companies := map[string]func(*testing.T, *Engine, imagine.Request) []imagine.Picture{
		"again":                 func(t *testing.T, e *Engine, r imagine.Request) []imagine.Picture { t.Helper(); return paint(t, e, r) },
		"strangers":             amongStrangers,
		"strangers joining":     strangersJoin,
		"joining strangers":     joinStrangers,
		"strangers left behind": strangersLeave,
	}
	for model, dir := range models() {
		t.Run(model, func(t *testing.T) {
			e := engine(t, dir, Options{Device: roomy().Device, MaxLanes: 24, Memory: 1 << 30, Queue: 16})
			for name, r := range requests {
				want := paint(t, e, r)
				for company, among := range companies {
					if !same(among(t, e, r), want) {
						t.Errorf("%s, %s: the picture differs from the one painted alone", name, company)
					}
				}
			}
		})
	}
}

func amongStrangers(t *testing.T, e *Engine, r imagine.Request) []imagine.Picture {
	t.Helper()
	return allAtOnce(t, e, append(strangers(), r))[len(strangers())]
}

// allAtOnce paints requests that join at the same call.
func allAtOnce(t *testing.T, e *Engine, requests []imagine.Request) [][]imagine.Picture {
	t.Helper()
	release := hold(t, e)
	var jobs []*job
	for _, r := range requests {
		jobs = append(jobs, queue(t, e, r, imagine.Watcher{}))
	}
	release()
	var pictures [][]imagine.Picture
	for _, j := range jobs {
		pictures = append(pictures, j.wait(t))
	}
	return pictures
}

// strangersJoin lets strangers come after the first call.
func strangersJoin(t *testing.T, e *Engine, r imagine.Request) []imagine.Picture {
	t.Helper()
	var jobs []*job
	first := queue(t, e, r, at(1, func() {
		for _, s := range strangers() {
			jobs = append(jobs, queue(t, e, s, imagine.Watcher{}))
		}
	}))
	pictures := first.wait(t)
	for _, j := range jobs {
		j.wait(t)
	}
	return pictures
}

// joinStrangers comes after the strangers' first call.
func joinStrangers(t *testing.T, e *Engine, r imagine.Request) []imagine.Picture {
	t.Helper()
	release := hold(t, e)
	var late *job
	jobs := []*job{queue(t, e, strangers()[1], at(1, func() { late = queue(t, e, r, imagine.Watcher{}) }))}
	for _, s := range strangers() {
		jobs = append(jobs, queue(t, e, s, imagine.Watcher{}))
	}
	release()
	for _, j := range jobs {
		j.wait(t)
	}
	return late.wait(t)
}

// strangersLeave cancels strangers half-way.
func strangersLeave(t *testing.T, e *Engine, r imagine.Request) []imagine.Picture {
	t.Helper()
	release := hold(t, e)
	var jobs []*job
	for range 3 {
		jobs = append(jobs, queue(t, e, endless(), imagine.Watcher{}))
	}
	j := queue(t, e, r, at(2, func() {
		for _, other := range jobs {
			other.finish(ErrBusy)
		}
	}))
	release()
	return j.wait(t)
}

func TestWhatDecidesAPicture(t *testing.T) {
	e := engine(t, tiny, roomy())
	tests := []struct {
		name   string
		from   func(*imagine.Request) // nil is fox as it is
		change func(*imagine.Request)
		same   bool
	}{
		{"seed", nil, func(r *imagine.Request) { r.Seed++ }, false},
		{"seed by 2^32", nil, func(r *imagine.Request) { r.Seed += 1 << 32 }, true},
		{"prompt", nil, func(r *imagine.Request) { r.Prompt = "a blue cat" }, false},
		{"negative prompt", nil, func(r *imagine.Request) { r.Negative = "green background" }, false},
		{"negative prompt without guidance", noGuidance, func(r *imagine.Request) { r.Negative = "green" }, true},
		{"guidance", nil, func(r *imagine.Request) { r.Guidance = 4 }, false},
		{"guidance 0 to 1", noGuidance, func(r *imagine.Request) { r.Guidance = 1 }, true},
		{"sampler", nil, func(r *imagine.Request) { r.Sampler = "euler_a" }, false},
		{"steps", nil, func(r *imagine.Request) { r.Steps = 5 }, false},
		{"eta", nil, func(r *imagine.Request) { r.Eta = 0.5 }, false},
		{"more eta", func(r *imagine.Request) { r.Eta = 0.5 }, func(r *imagine.Request) { r.Eta = 1 }, false},
		{"eta of euler", func(r *imagine.Request) { r.Sampler = "euler" }, func(r *imagine.Request) { r.Eta = 1 }, true},
		{"variation of strength 0", nil, func(r *imagine.Request) { r.Variation.Seed = 9 }, true},
		{"variation of strength 0.4", nil, func(r *imagine.Request) { r.Variation = imagine.Variation{Seed: 9, Strength: 0.4} }, false},
		{
			"variation of strength 1 is the other seed", func(r *imagine.Request) { r.Seed = 9 },
			func(r *imagine.Request) { r.Seed, r.Variation = 7, imagine.Variation{Seed: 9, Strength: 1} }, true,
		},
		{
			"variation of strength 0.9 is not yet the other", func(r *imagine.Request) { r.Seed = 9 },
			func(r *imagine.Request) { r.Seed, r.Variation = 7, imagine.Variation{Seed: 9, Strength: 0.9} }, false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := fox()
			if tt.from != nil {
				tt.from(&r)
			}
			if got := same(paint(t, e, r), paint(t, e, with(r, tt.change))); got != tt.same {
				t.Errorf("same picture: %v, want %v", got, tt.same)
			}
		})
	}
}

func noGuidance(r *imagine.Request) { r.Guidance = 0 }

func TestPictureOfManyIsThatOfItsSeeds(t *testing.T) {
	e := engine(t, tiny, roomy())
	for name, r := range map[string]imagine.Request{
		"seeds":      with(fox(), func(r *imagine.Request) { r.Count = 4 }),
		"variations": with(fox(), func(r *imagine.Request) { r.Count, r.Variation = 4, imagine.Variation{Seed: 50, Strength: 0.5} }),
	} {
		for k, p := range paint(t, e, r) {
			seed, variation := r.Seeds(k)
			if p.Index != k || p.Seed != seed || p.VariationSeed != variation {
				t.Errorf("%s: picture %d says it is %d of seeds %d and %d, want seeds %d and %d", name, k, p.Index, p.Seed, p.VariationSeed, seed, variation)
			}
			alone := with(r, func(r *imagine.Request) { r.Count, r.Seed, r.Variation.Seed = 1, seed, variation })
			if !same(paint(t, e, alone), []imagine.Picture{p}) {
				t.Errorf("%s: picture %d differs from the one painted alone", name, k)
			}
		}
	}
}
