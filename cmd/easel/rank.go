package main

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"slices"

	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/generator/prompt/syntax"
	"github.com/easelbot/easel/generator/rank"
	"github.com/easelbot/easel/generator/resample"
	"github.com/easelbot/easel/imagine"
)

// openRanker loads the CLIP that the configuration names, or returns nil if it names none.
func openRanker(c configs.Config) (*rank.Ranker, error) {
	if c.CLIP == "" {
		return nil, nil
	}
	options, err := besidePainting(c)
	if err != nil {
		return nil, err
	}
	if !isDir(c.CLIP) {
		return nil, fmt.Errorf("clip (EASEL_CLIP): there is no folder %s", c.CLIP)
	}
	r, err := rank.Open(c.CLIP, options)
	if err != nil {
		return nil, fmt.Errorf("clip (EASEL_CLIP): %w", err)
	}
	return r, nil
}

// scorer compares pictures of a request with the prompts that they were painted from.
func scorer(ctx context.Context, r *rank.Ranker, request imagine.Request) func(int, *image.NRGBA) (float64, error) {
	return func(k int, m *image.NRGBA) (float64, error) {
		prompt, _, err := syntax.Painted(request, k)
		if err != nil {
			return 0, err
		}
		scores, err := r.Score(ctx, prompt, []*image.NRGBA{m})
		if err != nil {
			return 0, err
		}
		return scores[0], nil
	}
}

// kept returns how many pictures of the request are saved.
func (f *imagineFlags) kept(c configs.Config, r imagine.Request) (int, error) {
	switch {
	case !f.given("best"):
		return r.Count, nil
	case f.best < 1 || f.best > r.Count:
		return 0, usagef("--best is %d; it must be 1 to --count, which is %d", f.best, r.Count)
	case c.CLIP == "":
		return 0, usagef("--best needs a CLIP to judge by; name its folder as clip in the configuration or in EASEL_CLIP")
	}
	return f.best, nil
}

// highest returns the indices of the n highest scores in their own order; of equal scores the first counts more.
func highest(scores []float64, n int) []int {
	list := make([]int, len(scores))
	for i := range list {
		list[i] = i
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	list = list[:n]
	slices.Sort(list)
	return list
}

var bright = color.NRGBA{255, 214, 10, 255}

// framed returns a copy of a picture with a thin bright frame just within its edges.
func framed(m *image.NRGBA) *image.NRGBA {
	out := resample.Flatten(m)
	width := max(2, min(out.Rect.Dx(), out.Rect.Dy())/128)
	inner := out.Rect.Inset(width)
	draw.Draw(out, out.Rect, image.NewUniform(bright), image.Point{}, draw.Src)
	draw.Draw(out, inner, m, m.Rect.Min.Add(inner.Min), draw.Src)
	return out
}
