package jobs

import (
	"github.com/easelbot/easel/generator/prompt/syntax"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/moderation"
)

// Screen judges all that a request's pictures are painted from, and is as strict as the strictest of it: each choice of a wildcard
// that was drawn, as it was written and as a model reads it, since notation can split a word. The error is an
// [*imagine.InvalidError].
func Screen(s Screener, r imagine.Request) (moderation.Verdict, error) {
	var v moderation.Verdict
	judged := map[[2]string]bool{}
	judge := func(prompt, negative string) {
		if words := [2]string{prompt, negative}; !judged[words] {
			judged[words] = true
			v = v.Join(s.Screen(prompt, negative))
		}
	}
	for k := range r.Count {
		prompt, _, err := syntax.Painted(r, k)
		if err != nil {
			return v, err
		}
		negative := r.Negative // also where it has no effect: it is shown
		if !r.Plain {
			seed, _ := r.Seeds(k)
			if negative, err = syntax.Resolve(negative, seed); err != nil {
				return v, imagine.Invalid("negative", "%v", err)
			}
		}
		judge(prompt, negative)
		if !r.Plain {
			judge(syntax.Words(prompt), syntax.Words(negative))
		}
	}
	return v, nil
}
