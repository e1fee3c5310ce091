package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/bot/web"
	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/jobs/local"
	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/text"
	"github.com/easelbot/easel/ratelimit"
	"github.com/easelbot/easel/store"
)

// sweepEvery is how often the gallery's folder is rid of files that nothing names any more.
const sweepEvery = time.Hour

// A house is everything behind the door: the embedded Easel, with SQLite, files, limits in memory, an engine in this process
// and the local channel.
type house struct {
	gallery *gallery.Gallery
	saga    *jobs.Saga
	bot     *bot.Bot
	channel *web.Channel
	health  health

	platforms []*platform
	hooks     func(*bot.Bot) http.Handler // what platforms call over HTTP, or nil

	closers []func() error // in the order in which things were opened
	log     *slog.Logger
}

// furnish opens everything, and if something fails closes it again. What is quick to fail comes first.
func furnish(ctx context.Context, c configs.Config, words *text.Judge, data *dataFolder, hosts []string, log *slog.Logger) (*house, error) {
	h := &house{log: log}
	if err := h.open(ctx, c, words, data, hosts); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *house) open(ctx context.Context, c configs.Config, words *text.Judge, data *dataFolder, hosts []string) error {
	db, err := store.Open(ctx, data.file(databaseFile))
	if err != nil {
		return err
	}
	h.closers = append(h.closers, db.Close)
	if h.gallery, err = gallery.Open(db, data.file(picturesFolder)); err != nil {
		return err
	}
	painting := jobs.Options{
		Store: db, Gallery: h.gallery, Screener: words,
		Waiting: c.Engine.Queue, Log: h.log, Now: time.Now, Room: data.room,
	}
	limits, err := h.openLimits(c, &painting)
	if err != nil {
		return err
	}
	if err := h.openEngines(c, &painting); err != nil {
		return err
	}
	h.saga = jobs.New(painting)
	h.channel = web.New(db, h.gallery, web.Options{Version: version, Hosts: hosts, Log: h.log, Screen: screenLines(words)})
	channels, err := h.openPlatforms(ctx, c)
	if err != nil {
		return err
	}
	h.bot = bot.New(h.saga, h.gallery, painting.Planner, channels, h.log)
	h.health = health{now: time.Now, probes: map[string]probe{
		"channel": well, "engine": well, "store": storeProbe(db), "disk": diskProbe(data.dir),
	}}
	if limits != nil {
		h.health.probes["limits"] = limits
	}
	for _, p := range h.platforms {
		h.health.probes[p.name] = p.check
	}
	return nil
}

// openLimits counts limits in memory, or in Redis where one is named; then there is a probe of it.
func (h *house) openLimits(c configs.Config, o *jobs.Options) (probe, error) {
	memory := ratelimit.NewMemory(limitsOf(c.Limits), time.Now)
	o.Limiter = memory
	if c.Redis.URL == "" {
		return nil, nil
	}
	client, err := ratelimit.OpenRedis(c.Redis.URL)
	if err != nil {
		return nil, &usageError{err}
	}
	h.closers = append(h.closers, client.Close)
	shared := ratelimit.NewFallback(ratelimit.NewRedis(client, limitsOf(c.Limits), ratelimit.RedisOptions{}), memory, h.log)
	o.Limiter = shared
	return func(context.Context) error {
		if shared.Health() != nil {
			return degraded{errors.New("this process counts alone, because Redis is away")}
		}
		return nil
	}, nil
}

// openEngines loads the models: those that paint and the one that looks at what was painted.
func (h *house) openEngines(c configs.Config, o *jobs.Options) error {
	folders, err := openModels(c)
	if err != nil {
		return err
	}
	for _, f := range folders {
		if generator.NeedsPicture(f) {
			return fmt.Errorf("the model %s paints only from pictures, and nobody can give it one in a channel; choose another (model, models)", f.Name)
		}
	}
	engine, err := openEngine(c, h.log, folders...)
	if err != nil {
		return err
	}
	h.closers = append(h.closers, engine.Close)
	filter, err := openFilter(c)
	if err != nil {
		return err
	}
	h.closers = append(h.closers, filter.Close)
	o.Planner, o.Queue, o.Inspector = engine, local.New(engine, c.Engine.MaxLanes), filter
	return nil
}

func limitsOf(l configs.Limits) ratelimit.Limits {
	return ratelimit.Limits{Person: ratelimit.Limit(l.Person), Channel: ratelimit.Limit(l.Channel), Tenant: ratelimit.Limit(l.Tenant)}
}

// screenLines judges what people write outside of prompts.
func screenLines(s jobs.Screener) func(noun, text string) error {
	return func(noun, text string) error {
		if v := s.Screen(text, ""); v.Action != moderation.Allow {
			return &bot.Error{Code: "refused", Text: v.Polite(noun)}
		}
		return nil
	}
}

// well is the probe of a part that is well as long as the process lives.
func well(context.Context) error { return nil }

// rooms are what the door leads to.
func (h *house) rooms() *rooms {
	r := &rooms{channel: h.handler(), ready: h.health.check}
	if h.hooks != nil {
		r.hooks = h.hooks(h.bot)
	}
	return r
}

func (h *house) handler() http.Handler { return h.channel.Handler(h.bot) }

// run keeps the house's loops going until ctx is done or one fails.
func (h *house) run(ctx context.Context) error {
	loops, ctx := errgroup.WithContext(ctx)
	loops.Go(func() error { return h.saga.Run(ctx, h.bot) })
	loops.Go(func() error { return h.sweep(ctx) })
	h.runPlatforms(ctx, loops)
	return loops.Wait()
}

// sweep tidies the gallery now and then. A failure is no reason to stop.
func (h *house) sweep(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		removed, err := h.gallery.Sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			h.log.Warn("the gallery could not be swept", "error", err)
		case removed > 0:
			h.log.Info("the gallery was swept", "files", removed)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// hush ends the streams of events, for which a shutdown would wait.
func (h *house) hush() { h.channel.Close() }

// close frees everything, what was opened last first.
func (h *house) close() error {
	var errs []error
	for _, c := range slices.Backward(h.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}
