package generator

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/generator/prompt"
	"github.com/easelbot/easel/generator/schedule"
)

// A kit is a model that the engine can paint with: its folder and its tokenizers, and while it is loaded its networks.
type kit struct {
	folder     *model.Folder
	noises     noises
	tokenizers []*prompt.Tokenizer // one for each of its text encoders
	most       int                 // chunks that a prompt may have
	known      schedule.Model
	coding     chan struct{} // the engine's

	// Guarded by Engine.mu.
	nets    *networks     // nil while it is not loaded
	arrived chan struct{} // closed while it is
	scalar  bool          // its denoiser takes one timestep for all lanes
	broken  error         // why it could not be loaded the last time
	until   time.Duration // when that is tried again, on the scheduler's clock
}

// patience is how long a model that cannot be loaded is left alone: each try may turn another model out.
const patience = time.Minute

// networks are a model's, loaded.
type networks struct {
	texts   *textReader
	unet    *denoiser
	decoder *decoder
	encoder *encoder
}

func newKit(f *model.Folder) (*kit, error) {
	noises, err := noisesOf(f)
	if err != nil {
		return nil, err
	}
	k := &kit{folder: f, noises: noises, most: chunksOf(f), known: schedule.Model{Name: f.Name, Bytes: f.Weight()}, arrived: make(chan struct{})}
	for _, text := range f.Texts {
		t, err := newTokenizer(text.Tokenizer)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("model %s: %w", f.Name, err), k.close())
		}
		k.tokenizers = append(k.tokenizers, t)
	}
	return k, nil
}

// close frees the tokenizers; the networks must have been.
func (k *kit) close() error {
	var errs []error
	for _, t := range k.tokenizers {
		errs = append(errs, t.Close())
	}
	return errors.Join(errs...)
}

// load loads the networks, and says how long that took.
func (k *kit) load(o Options) (*networks, time.Duration, error) {
	begin := time.Now()
	n := &networks{encoder: &encoder{folder: k.folder, options: o, turn: k.coding}}
	var loading errgroup.Group
	loading.Go(func() (err error) { n.texts, err = k.openTexts(o); return err })
	loading.Go(func() (err error) { n.unet, err = openDenoiser(k.folder, o); return err })
	loading.Go(func() (err error) { n.decoder, err = openDecoder(k.folder, o); return err })
	if err := loading.Wait(); err != nil {
		return nil, 0, errors.Join(err, n.close())
	}
	return n, time.Since(begin), nil
}

// close frees the networks, once running calls have returned.
func (n *networks) close() error {
	errs := []error{n.encoder.close()}
	if n.texts != nil {
		errs = append(errs, n.texts.close())
	}
	if n.unet != nil {
		errs = append(errs, n.unet.session.Close())
	}
	if n.decoder != nil {
		errs = append(errs, n.decoder.session.Close())
	}
	return errors.Join(errs...)
}
