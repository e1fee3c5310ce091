package ratelimit

import "maps"

// A fading map forgets entries that mean nothing any more. It looks for them when it has grown to twice what was left after the last look, so a put
// takes constant time on the average and the map is never much larger than twice what has to be known.
type fading[K comparable, V any] struct {
	known map[K]V
	size  int // at which to look
}

// fewest entries are not worth a look.
const fewest = 1024

// put sets an entry. over tells which entries mean nothing any more.
func (f *fading[K, V]) put(key K, value V, over func(V) bool) {
	if f.known == nil {
		f.known, f.size = map[K]V{}, fewest
	}
	f.known[key] = value
	if len(f.known) <= f.size {
		return
	}
	maps.DeleteFunc(f.known, func(_ K, v V) bool { return over(v) })
	f.size = max(fewest, 2*len(f.known))
}
