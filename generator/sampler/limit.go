package sampler

import "slices"

// A limit holds estimates of the clean latents to the range that the model's pictures have: by cutting off what is beyond
// it (clip_sample), or by dynamic thresholding, which takes the range from the estimate itself and brings it back to 1
// (C. Saharia et al., "Photorealistic Text-to-Image Diffusion Models with Deep Language Understanding", 2022, section 2.3).
type limit struct {
	clip   float32 // the bound, 0 for none
	ratio  float64 // the share of the elements that are within the range, for thresholding
	most   float32 // what the range grows to
	sorted []float32
}

// newLimit reads the limit for rows of n elements. Thresholding comes before clipping.
func (s *settings) newLimit(n int) (limit, error) {
	var l limit
	switch {
	case s.Thresholding && !(s.ThresholdingRatio >= 0 && s.ThresholdingRatio <= 1):
		return l, unsupported("dynamic_thresholding_ratio", s.ThresholdingRatio)
	case s.Thresholding && !(float32(s.SampleMaxValue) > 0):
		return l, unsupported("sample_max_value", s.SampleMaxValue)
	case s.Thresholding:
		l.ratio, l.most, l.sorted = s.ThresholdingRatio, float32(s.SampleMaxValue), make([]float32, n)
	case s.ClipSample && !(float32(s.ClipSampleRange) > 0):
		return l, unsupported("clip_sample_range", s.ClipSampleRange)
	case s.ClipSample:
		l.clip = float32(s.ClipSampleRange)
	}
	return l, nil
}

// hold holds the estimate x to the limit, in place.
func (l *limit) hold(x []float32) {
	switch {
	case l.sorted != nil:
		l.threshold(x)
	case l.clip > 0:
		for j, v := range x {
			x[j] = clamp(v, l.clip)
		}
	}
}

func (l *limit) threshold(x []float32) {
	for j, v := range x {
		l.sorted[j] = max(v, -v)
	}
	slices.Sort(l.sorted)
	bound := min(max(percentile(l.sorted, l.ratio), 1), l.most)
	for j, v := range x {
		x[j] = clamp(v, bound) / bound
	}
}

// percentile returns what the share q of the sorted values lies below, between two of them by a straight line.
func percentile(sorted []float32, q float64) float32 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	from, to := float64(sorted[low]), float64(sorted[min(low+1, len(sorted)-1)])
	return float32(from + float64((at-float64(low))*(to-from)))
}

// clamp holds v within bound of 0. (The built-in min and max are slow on floats.)
func clamp(v, bound float32) float32 {
	if v > bound {
		return bound
	}
	if v < -bound {
		return -bound
	}
	return v
}
