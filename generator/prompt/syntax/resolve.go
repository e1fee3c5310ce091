package syntax

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"
)

// Resolve chooses the wildcards of a prompt for the picture that is painted from seed. It is a pure function: the choices
// are drawn left to right, an outer one before those in it, from a PCG (math/rand/v2) seeded with the seed and the FNV-1a hash
// of the text, 64 bits each. That is a stream apart from the picture's noise, and another one for the negative prompt.
// Text without wildcards is returned as it is. The error is an [*Error].
func Resolve(text string, seed int64) (string, error) {
	if err := checkBraces(text); err != nil || !strings.Contains(text, "{") {
		return text, err
	}
	hash := fnv.New64a()
	hash.Write([]byte(text))
	r := resolver{rand: rand.New(rand.NewPCG(uint64(seed), hash.Sum64()))}
	r.expand(text)
	return r.out.String(), nil
}

// checkBraces finds the first brace that is never closed.
func checkBraces(text string) error {
	var open []int
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '{':
			open = append(open, i)
		case '}':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) > 0 {
		return wrong(text, open[0], `the { is never closed; write choices as {red|blue}, or \{ for a brace that is only text`)
	}
	return nil
}

type resolver struct {
	rand *rand.Rand
	out  strings.Builder
}

// expand writes text, in which braces are closed, with its wildcards replaced.
func (r *resolver) expand(text string) {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			r.out.WriteString(text[i : i+2])
			i++
		case text[i] == '{':
			choices, n := options(text[i:])
			r.expand(choices[r.rand.IntN(len(choices))])
			i += n - 1
		default:
			r.out.WriteByte(text[i])
		}
	}
}

// options splits the wildcard that text begins with; it is n bytes long.
func options(text string) (list []string, n int) {
	depth, start := 0, 1
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '{':
			depth++
		case c == '|' && depth == 1:
			list = append(list, text[start:i])
			start = i + 1
		case c == '}':
			if depth--; depth == 0 {
				return append(list, text[start:i]), i + 1
			}
		}
	}
	return []string{text[1:]}, len(text) // a brace that is not closed, which checkBraces refuses
}
