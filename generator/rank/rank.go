// Package rank says how well pictures show what a prompt says, as CLIP sees it (Radford et al. 2021, arXiv:2103.00020), so that the
// best of several can be chosen.
//
// # Scores
//
// A score is 100 times the cosine between the prompt's embedding and the picture's: -100 to 100, in practice 15 to 40 for OpenAI's
// networks. This is the cosine of CLIPScore (Hessel et al. 2021, arXiv:2104.08718), which is 2.5 times the cosine, 0 if
// that is negative; negative ones are kept here, since they rank as well. Only scores of one network can be compared. It
// knows nothing of beauty, and little of counting and of what is left or right.
//
// # Folders
//
// Any CLIP in ONNX will do, in one of the two ways to export it:
//
//   - text_model.onnx, with input_ids and perhaps attention_mask to text_embeds, and vision_model.onnx, with pixel_values to
//     image_embeds, as Transformers.js has them;
//   - model.onnx, with all of these, as Optimum writes it. It computes both embeddings in each call, which takes longer.
//
// They lie in the folder or in its subfolder onnx. Beside them are preprocessor_config.json, a tokenizer (tokenizer.json, or
// vocab.json with merges.txt; and tokenizer_config.json) and config.json, as transformers saves them.
//
// # What is read
//
// Of a prompt the words are read, free of the notation of package syntax, wildcards apart: those are to be chosen before. What
// does not fit, 75 tokens for most, does not count. Text after its end mark is not looked at by CLIP, so padding needs no mask.
//
// Pictures are resized, cropped to the middle and normalised as preprocessor_config.json says, by package resample; what is
// transparent is seen over white.
package rank

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"

	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/generator/prompt/syntax"
	"github.com/easelbot/easel/inference"
)

// A Ranker is a CLIP. It is safe for concurrent use.
type Ranker struct {
	tokenizer    *prompt.Tokenizer
	prepare      preparation
	text, vision *network // the same one, where they were exported together
}

// Open loads a folder. The option Outputs does not count. [inference.Load] must have succeeded.
func Open(dir string, o inference.Options) (*Ranker, error) {
	r := &Ranker{}
	if err := r.open(dir, o); err != nil {
		return nil, errors.Join(fmt.Errorf("the CLIP in %s cannot be used: %w", dir, err), r.Close())
	}
	return r, nil
}

func (r *Ranker) open(dir string, o inference.Options) (err error) {
	c, err := readConfig(dir)
	if err != nil {
		return err
	}
	if r.prepare, err = c.preparation(); err != nil {
		return err
	}
	if err := r.openNetworks(dir, o, c); err != nil {
		return err
	}
	if t, i := r.text.widths[textEmbeds], r.vision.widths[imageEmbeds]; t != i {
		return fmt.Errorf("its text_embeds have %d numbers and its image_embeds %d; the networks are not of one CLIP", t, i)
	}
	if r.tokenizer, err = openTokenizer(dir, c, r.text.fixedLength()); err != nil {
		return err
	}
	// Whether it all fits together, a run tells.
	_, err = r.Score(context.Background(), "a picture", []*image.NRGBA{image.NewNRGBA(image.Rect(0, 0, 8, 8))})
	return err
}

// Close frees the networks once running calls have returned. It may be called again.
func (r *Ranker) Close() error {
	var errs []error
	if r.tokenizer != nil {
		errs = append(errs, r.tokenizer.Close())
	}
	for _, n := range []*network{r.text, r.vision} {
		if n != nil {
			errs = append(errs, n.session.Close())
		}
	}
	return errors.Join(errs...)
}

// Score returns how well each picture shows what the prompt says, -100 to 100. Errors of the prompt are those of
// [prompt.Tokenizer.Encode].
func (r *Ranker) Score(ctx context.Context, words string, pictures []*image.NRGBA) ([]float64, error) {
	tokens, err := r.tokenizer.Encode(syntax.Words(words))
	if err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	said, err := r.text.embed(ctx, textEmbeds, inputs{inputIDs: inference.Int64(tokens.IDs, 1, int64(len(tokens.IDs)))})
	if err != nil {
		return nil, fmt.Errorf("ranking, the prompt: %w", err)
	}
	scores := make([]float64, len(pictures))
	for i, m := range pictures {
		pixels, err := r.prepare.pixels(m)
		if err != nil {
			return nil, fmt.Errorf("ranking, picture %d: %w", i+1, err)
		}
		shown, err := r.vision.embed(ctx, imageEmbeds, inputs{pixelValues: pixels})
		if err != nil {
			return nil, fmt.Errorf("ranking, picture %d: %w", i+1, err)
		}
		if scores[i], err = score(said, shown); err != nil {
			return nil, fmt.Errorf("ranking, picture %d: %w", i+1, err)
		}
	}
	return scores, nil
}

// score is 100 times the cosine.
func score(a, b []float32) (float64, error) {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	cosine := ab / math.Sqrt(aa*bb)
	if math.IsNaN(cosine) || math.IsInf(aa, 0) || math.IsInf(bb, 0) {
		return 0, errors.New("the network gave embeddings that are not numbers, or all zero; if it is one for float16, try it in float32")
	}
	return 100 * min(max(cosine, -1), 1), nil
}

// Best returns the index of the highest score, of equal ones the first, and -1 if there are none.
func Best(scores []float64) int {
	best := -1
	for i, s := range scores {
		if best < 0 || s > scores[best] {
			best = i
		}
	}
	return best
}
