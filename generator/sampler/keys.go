package sampler

import (
	"reflect"
	"slices"
)

// known lists the keys of the file that mean something to this package or to a diffusers scheduler that reads the
// same kind of model.
var known = append(own(),
	"corrector_order", "flow_shift", "noise_sampler_seed", "predictor_order", "rho",
	"sigma_data", "sigma_schedule", "tau_func", "time_shift_type")

// own returns the keys that settings has.
func own() []string {
	var keys []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[settings]()) {
		keys = append(keys, f.Tag.Get("json"))
	}
	return keys
}

func isKnown(key string) bool { return slices.Contains(known, key) }

// nearest returns the known key that takes the fewest edits to reach.
func nearest(key string) string {
	key = key[:min(len(key), 64)] // beyond that it is no slip of the hand
	return slices.MinFunc(known, func(a, b string) int { return edits(key, a) - edits(key, b) })
}

// edits returns how many bytes must be put in, taken out or changed to turn a into b (the Levenshtein distance).
func edits(a, b string) int {
	row := make([]int, len(b)+1) // edits from a[:i] to each b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
