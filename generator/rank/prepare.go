package rank

import (
	"errors"
	"fmt"
	"image"

	"github.com/easelbot/easel/generator/resample"
	"github.com/easelbot/easel/inference"
)

// A preparation is how pictures become what the network sees.
type preparation struct {
	short  int         // what the short side is brought to, or 0
	exact  image.Point // what both sides are brought to, if short is 0
	crop   image.Point // the middle of that, which is seen
	filter resample.Filter

	scale, offset [3]float32 // a byte times the one plus the other is a pixel's value
}

// filters are Pillow's, by their numbers there.
var filters = map[int]resample.Filter{0: resample.Nearest, 1: resample.Lanczos, 2: resample.Bilinear, 3: resample.Bicubic}

var (
	clipMean = []float64{0.48145466, 0.4578275, 0.40821073}
	clipStd  = []float64{0.26862954, 0.26130258, 0.27577711}
)

// preparation reads preprocessor_config.json.
func (c config) preparation() (p preparation, err error) {
	p = preparation{short: c.picture.Size.Shortest, exact: image.Pt(c.picture.Size.Width, c.picture.Size.Height), crop: c.crop(), filter: resample.Bicubic}
	if n := c.picture.Resample; n != nil {
		var ok bool
		if p.filter, ok = filters[*n]; !ok {
			return p, fmt.Errorf("preprocessor_config.json: resample is %d; only 0 to 3 (nearest, Lanczos, bilinear, bicubic) are known", *n)
		}
	}
	if !yes(c.picture.Resize) {
		return p, errors.New("preprocessor_config.json: do_resize is false, but pictures are of many sizes")
	}
	least := p.exact
	if p.short > 0 {
		least = image.Pt(p.short, p.short)
		if !yes(c.picture.CenterCrop) {
			return p, errors.New("preprocessor_config.json: size is that of the short side alone, and nothing is cropped, so pictures would be of many shapes")
		}
	}
	if p.crop.X < 1 || p.crop.Y < 1 || p.crop.X > least.X || p.crop.Y > least.Y || max(least.X, least.Y) > maxSide {
		return p, fmt.Errorf("preprocessor_config.json: crop_size %v should be 1 to size, and size %v at most %d", p.crop, least, maxSide)
	}
	return p, p.values(c)
}

// values folds rescaling and normalising into one line.
func (p *preparation) values(c config) error {
	factor, mean, std := c.picture.Factor, c.picture.Mean, c.picture.Std
	switch {
	case !yes(c.picture.Rescale):
		factor = 1
	case factor == 0:
		factor = 1.0 / 255
	}
	switch {
	case !yes(c.picture.Normalize):
		mean, std = []float64{0, 0, 0}, []float64{1, 1, 1}
	case mean == nil && std == nil:
		mean, std = clipMean, clipStd
	}
	if len(mean) != 3 || len(std) != 3 || std[0] == 0 || std[1] == 0 || std[2] == 0 {
		return errors.New("preprocessor_config.json: image_mean and image_std should be three numbers each, those of image_std not 0")
	}
	for i := range 3 {
		p.scale[i], p.offset[i] = float32(factor/std[i]), float32(-mean[i]/std[i])
	}
	return nil
}

// pixels returns what the network sees of a picture.
func (p preparation) pixels(m *image.NRGBA) (inference.Tensor, error) {
	if m == nil || m.Rect.Empty() {
		return inference.Tensor{}, errors.New("it has no pixels")
	}
	if err := resample.Check(m.Rect.Dx(), m.Rect.Dy()); err != nil {
		return inference.Tensor{}, err
	}
	size := p.resized(m.Rect.Size())
	if err := resample.Check(size.X, size.Y); err != nil {
		return inference.Tensor{}, fmt.Errorf("it is too long for its breadth: %w", err)
	}
	seen := resample.Resize(resample.Flatten(m), size.X, size.Y, p.filter)
	from := size.Sub(p.crop).Div(2)
	planes := make([]float32, 3*p.crop.X*p.crop.Y)
	for i := range p.crop.X * p.crop.Y {
		at := seen.PixOffset(from.X+i%p.crop.X, from.Y+i/p.crop.X)
		for c := range 3 {
			planes[c*p.crop.X*p.crop.Y+i] = float32(seen.Pix[at+c])*p.scale[c] + p.offset[c]
		}
	}
	return inference.Float32(planes, 1, 3, int64(p.crop.Y), int64(p.crop.X)), nil
}

// resized returns the size that a picture is brought to, fractions cut as transformers does.
func (p preparation) resized(size image.Point) image.Point {
	switch {
	case p.short == 0:
		return p.exact
	case size.X <= size.Y:
		return image.Pt(p.short, p.short*size.Y/size.X)
	}
	return image.Pt(p.short*size.X/size.Y, p.short)
}
