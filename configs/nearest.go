package configs

import (
	"fmt"
	"strings"
)

// suggest says what an unknown key was probably meant to be. It always names one key.
func suggest(key string, known []string) string {
	best, least := "", 0
	for _, k := range known {
		if strings.HasPrefix(key, k+".") {
			continue // the section the key is in is right
		}
		if d := apart(key, k); best == "" || d < least {
			best, least = k, d
		}
	}
	section, name := split(best)
	_, written := split(key)
	switch {
	case least == 0:
		return fmt.Sprintf("write %q on a line of its own under %q", name, section)
	case least <= (min(len(written), 64)+1)/2:
		return fmt.Sprintf("did you mean %q?", best)
	default:
		return fmt.Sprintf("the nearest known key is %q", best)
	}
}

// apart is how far a key is from a known one: the edits between them, or between their
// last parts, which finds a key that was put into the wrong section.
func apart(key, known string) int {
	_, a := split(key)
	_, b := split(known)
	return min(edits(key, known), 2*edits(a, b)+1)
}

func split(key string) (section, name string) {
	i := strings.LastIndexByte(key, '.')
	return key[:max(i, 0)], key[i+1:]
}

// edits is the Levenshtein distance between the first 64 bytes of a and b: how many
// bytes to insert, delete or replace.
func edits(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
