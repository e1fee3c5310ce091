package syntax

import (
	"strings"

	"github.com/easelbot/easel/imagine"
)

// Painted returns the words that picture k of a request is painted from, still in the notation of [Parse] unless the request is
// plain. The negative ones are "" where they have no effect. The error is an [*imagine.InvalidError].
func Painted(r imagine.Request, k int) (prompt, negative string, err error) {
	prompt, negative = r.Prompt, r.Negative
	if r.Guidance <= 1 {
		negative = ""
	}
	if r.Plain {
		return prompt, negative, nil
	}
	seed, _ := r.Seeds(k)
	if prompt, err = Resolve(prompt, seed); err != nil {
		return "", "", imagine.Invalid("prompt", "%v", err)
	}
	if negative, err = Resolve(negative, seed); err != nil {
		return "", "", imagine.Invalid("negative", "%v", err)
	}
	return prompt, negative, nil
}

// Words returns a prompt as a model reads it, free of notation. A prompt that cannot be read is returned as it is.
func Words(text string) string {
	pieces, err := Parse(text)
	if err != nil {
		return text
	}
	var words strings.Builder
	for _, p := range pieces {
		if p.Break {
			words.WriteByte(' ')
		}
		words.WriteString(p.Text)
	}
	return words.String()
}
