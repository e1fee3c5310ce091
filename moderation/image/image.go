// Package image judges pictures. A [Judge] looks at one with OpenNSFW, the network that Yahoo published to tell pornographic
// pictures from others, and says how sexual it is, from 0 to 1. Of violence, hate or anything else it says nothing.
//
// A score of [ReviewAt] and above asks for a moderator, [BlockAt] and above blocks. Yahoo calls what is below 0.2 safe and
// what is above 0.8 not safe, and leaves the rest to whoever uses the network; drawings and cartoons it was not made for.
//
// # What is looked at
//
// The network sees 224x224 pixels. As its makers did it, a picture is squashed to 256x256 whatever its shape, and the middle
// of that is what counts: a sixteenth of the picture on each side is not seen. A picture at least half as long again as it is
// wide (or the other way round) would be squashed beyond recognition, so it is looked at again in pieces that reach its
// edges: squares that overlap, or [mostPieces] longer ones if it would take more. The worst score counts.
//
// What is transparent is seen over white, as most people will see it, and what is seen has been through a JPEG file, as all
// that its makers showed the network. Where a picture cannot be judged there is an error and
// no verdict; it is for the caller not to show it then.
package image

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"

	"github.com/easelbot/easel/inference"
	"github.com/easelbot/easel/moderation"
)

// The least scores that make a verdict.
const (
	ReviewAt = 0.5
	BlockAt  = 0.8
)

// Rule is what a [moderation.Reason] calls this judge.
const Rule = "opennsfw"

// File is what a folder must hold to be a picture filter's.
const File = "model.onnx"

// Options say how pictures are looked at.
type Options struct {
	Device  inference.Device // the zero value is auto
	Threads int              // on the CPU; 0 means one a core
}

// A Judge looks at pictures. It is safe for concurrent use.
type Judge struct{ session *inference.Session }

// Open loads the network in a folder. [inference.Load] must have succeeded.
func Open(fsys fs.FS, o Options) (*Judge, error) {
	network, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, fmt.Errorf("the picture filter cannot be read: %w", err)
	}
	session, err := inference.Open(inference.Graph{Name: Rule, Bytes: network}, inference.Options{Device: o.Device, Threads: o.Threads, Outputs: []string{"scores"}})
	if err != nil {
		return nil, fmt.Errorf("the picture filter cannot be opened: %w", err)
	}
	if err := fits(session); err != nil {
		return nil, errors.Join(fmt.Errorf("the picture filter cannot be used: %w", err), session.Close())
	}
	return &Judge{session}, nil
}

// fits refuses a network that does not take what the judge feeds it.
func fits(s *inference.Session) error {
	if in := s.Inputs(); len(in) != 1 || in[0].Name != "pixels" || !in[0].Fits([]int64{1, side, side, 3}) {
		return fmt.Errorf("its network takes %v, not pixels of 1x%dx%dx3", in, side, side)
	}
	return nil
}

// Close frees the network once running calls have returned. It may be called again.
func (j *Judge) Close() error { return j.session.Close() }

// Inspect judges a picture. The verdict's score is there also when it allows. When ctx ends, Inspect returns its error, after
// at most the time it takes to shrink the picture once.
func (j *Judge) Inspect(ctx context.Context, m image.Image) (moderation.Verdict, error) {
	if m.Bounds().Empty() {
		return moderation.Verdict{}, errors.New("inspecting a picture: it has no pixels")
	}
	worst := 0.0
	for _, v := range views(m.Bounds()) {
		score, err := j.score(ctx, m, v)
		if err != nil {
			return moderation.Verdict{}, fmt.Errorf("inspecting a picture: %w", err)
		}
		worst = max(worst, score)
	}
	return verdict(worst), nil
}

// score is how sexual the network finds what a view shows.
func (j *Judge) score(ctx context.Context, m image.Image, v view) (float64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	pixels, err := v.pixels(m)
	if err != nil {
		return 0, err
	}
	scores := make([]float32, 2) // that it is safe, that it is not
	err = j.session.Run(ctx,
		map[string]inference.Tensor{"pixels": inference.Float32(pixels, 1, side, side, 3)},
		map[string]inference.Tensor{"scores": inference.Float32(scores, 1, 2)})
	if err != nil {
		return 0, err
	}
	if s := float64(scores[1]); s >= 0 && s <= 1 {
		return s, nil
	}
	return 0, fmt.Errorf("the picture filter gave %v, which is no score", scores[1])
}

func verdict(score float64) moderation.Verdict {
	v := moderation.Verdict{Scores: map[moderation.Category]float64{moderation.Sexual: score}}
	switch {
	case score >= BlockAt:
		v.Action = moderation.Block
	case score >= ReviewAt:
		v.Action = moderation.Review
	default:
		return v
	}
	v.Reasons = []moderation.Reason{{Rule: Rule, Category: moderation.Sexual, Score: score}}
	return v
}
