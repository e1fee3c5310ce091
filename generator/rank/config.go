package rank

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/easelbot/easel/generator/prompt"
)

// A config is what a folder's configuration files tell; keys that they leave out are CLIP's.
type config struct {
	picture struct {
		Resize     *bool     `json:"do_resize"`
		Size       size      `json:"size"`
		Resample   *int      `json:"resample"`
		CenterCrop *bool     `json:"do_center_crop"`
		Crop       size      `json:"crop_size"`
		Rescale    *bool     `json:"do_rescale"`
		Factor     float64   `json:"rescale_factor"`
		Normalize  *bool     `json:"do_normalize"`
		Mean       []float64 `json:"image_mean"`
		Std        []float64 `json:"image_std"`
	}
	words struct {
		MaxLength float64 `json:"model_max_length"` // 1e30 is transformers' way not to tell
		PadToken  special `json:"pad_token"`
	}
	model struct {
		Projection int64 `json:"projection_dim"`
		Text       struct {
			Length int `json:"max_position_embeddings"`
		} `json:"text_config"`
	}
}

// A size is written as one number or as an object.
type size struct {
	Shortest int `json:"shortest_edge"`
	Width    int `json:"width"`
	Height   int `json:"height"`
}

func (s *size) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &s.Shortest) == nil {
		return nil
	}
	type object size
	return json.Unmarshal(b, (*object)(s))
}

// special is a token, written plainly or as an object with its content.
type special string

func (s *special) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, (*string)(s)) == nil {
		return nil
	}
	var object struct{ Content string }
	err := json.Unmarshal(b, &object)
	*s = special(object.Content)
	return err
}

func readConfig(dir string) (c config, err error) {
	c.model.Projection, c.model.Text.Length = 512, 77
	for _, file := range []struct {
		name     string
		to       any
		optional bool
	}{
		{"preprocessor_config.json", &c.picture, false},
		{"special_tokens_map.json", &c.words, true},
		{"tokenizer_config.json", &c.words, true},
		{"config.json", &c.model, true},
	} {
		text, err := os.ReadFile(filepath.Join(dir, file.name))
		if file.optional && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(text, file.to)
		}
		if err != nil {
			return c, fmt.Errorf("%s: %w", file.name, err)
		}
	}
	if n := c.model.Text.Length; n < 3 || n > maxLength {
		return c, fmt.Errorf("config.json: max_position_embeddings is %d, which is no number of tokens", n)
	}
	c.complete()
	return c, nil
}

// complete fills in what is left out.
func (c *config) complete() {
	for _, s := range []*size{&c.picture.Size, &c.picture.Crop} {
		if *s == (size{}) {
			s.Shortest = 224
		}
	}
	if c.words.PadToken == "" {
		c.words.PadToken = "<|endoftext|>"
	}
}

// length returns how many tokens a prompt takes, where the graph does not fix it.
func (c config) length() int {
	if n := c.words.MaxLength; n >= 3 && n < float64(c.model.Text.Length) {
		return int(n)
	}
	return c.model.Text.Length
}

// crop returns the size of what the network sees.
func (c config) crop() image.Point {
	s := c.picture.Size
	if yes(c.picture.CenterCrop) {
		s = c.picture.Crop
	}
	if s.Shortest > 0 {
		return image.Pt(s.Shortest, s.Shortest)
	}
	return image.Pt(s.Width, s.Height)
}

// yes reads a switch that is on unless it is switched off.
func yes(b *bool) bool { return b == nil || *b }

// openTokenizer makes the tokenizer, from older files if there is no tokenizer.json.
func openTokenizer(dir string, c config, fixed int) (*prompt.Tokenizer, error) {
	file, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	if errors.Is(err, fs.ErrNotExist) {
		file, err = olderTokenizer(dir)
	}
	if err != nil {
		return nil, err
	}
	if fixed == 0 {
		fixed = c.length()
	}
	return prompt.NewTokenizer(file, fixed, string(c.words.PadToken))
}

func olderTokenizer(dir string) ([]byte, error) {
	vocab, err := os.ReadFile(filepath.Join(dir, "vocab.json"))
	if err != nil {
		return nil, fmt.Errorf("there is no tokenizer.json, and vocab.json cannot stand for it: %w", err)
	}
	merges, err := os.ReadFile(filepath.Join(dir, "merges.txt"))
	if err != nil {
		return nil, fmt.Errorf("there is no tokenizer.json, and merges.txt cannot stand for it: %w", err)
	}
	return prompt.CLIPFile(vocab, merges)
}
