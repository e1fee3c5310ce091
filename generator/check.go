package generator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/generator/sampler"
)

// CheckFolder says what those who will use a model's folder find in it, beyond what the folder itself tells: whether a
// sampler understands its schedule and whether its tokenizer works. No weights are loaded.
func CheckFolder(f *model.Folder) []model.Finding {
	var list []model.Finding
	const schedule = "scheduler_config.json"
	if err := knowSampler(f); err != nil {
		list = append(list, model.Finding{File: "easel.json", Text: err.Error(), Problem: true})
	} else if err := trySchedule(f); err != nil {
		text := strings.TrimPrefix(err.Error(), schedule+": ")
		list = append(list, model.Finding{File: "scheduler/" + schedule, Text: text, Problem: true})
	}
	if err := tryTokenizers(f); err != nil {
		list = append(list, model.Finding{File: "tokenizer", Text: err.Error(), Problem: true})
	}
	if _, ok := sampler.ForClass(f.Scheduler.Class); !ok && f.Defaults.Sampler == "" {
		text := fmt.Sprintf("there is no sampler for %q yet; unless another is asked for, %s is used", f.Scheduler.Class, defaultSampler(f))
		list = append(list, model.Finding{File: "scheduler/" + schedule, Text: text})
	}
	return list
}

// knowSampler says whether there is the sampler that the model's easel.json proposes.
func knowSampler(f *model.Folder) error {
	if s := f.Defaults.Sampler; s != "" && !slices.Contains(sampler.Names(), s) {
		return fmt.Errorf("sampler: no sampler is called %q; choose one of %s", s, strings.Join(sampler.Names(), ", "))
	}
	return nil
}

func trySchedule(f *model.Folder) error {
	config, err := sampler.ParseConfig(f.Scheduler.JSON)
	if err != nil {
		return err
	}
	_, err = sampler.New(defaultSampler(f), config, sampler.Options{Steps: f.Defaults.Steps, Len: 1})
	return err
}

// tryTokenizers encodes a text with a character that few vocabularies have.
func tryTokenizers(f *model.Folder) error {
	for _, text := range f.Texts {
		t, err := newTokenizer(text.Tokenizer)
		if err != nil {
			return err
		}
		_, err = t.Encode("\u2603 a fox")
		if err := errors.Join(err, t.Close()); err != nil {
			return err
		}
	}
	return nil
}

// newTokenizer makes a tokenizer, for exports of old from the files of their time.
func newTokenizer(t model.Tokenizer) (*prompt.Tokenizer, error) {
	file := t.JSON
	if file == nil {
		var err error
		if file, err = prompt.CLIPFile(t.Vocab, t.Merges); err != nil {
			return nil, err
		}
	}
	return prompt.NewTokenizer(file, t.MaxLength, t.PadToken)
}
