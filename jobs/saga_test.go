package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/easelbot/easel/gallery"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/jobs/local"
	"github.com/easelbot/easel/moderation"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/ratelimit"
	"github.com/easelbot/easel/store"
)

var (
	here = jobs.Place{Platform: "web", Tenant: "local", Channel: "general", Visibility: gallery.InChannel}
	ada  = jobs.Person{ID: "ada", Name: "Ada"}
	bob  = jobs.Person{ID: "bob", Name: "Bob"}
)

// painter is an engine whose pictures are flat: their colour is their seed. A prompt says how it behaves.
type painter struct {
	mu    sync.Mutex
	tries map[string]int
}

func (*painter) Models() []string { return []string{"flat", "flatter"} }
func (*painter) Defaults(model string) (imagine.Request, error) {
	r := imagine.Request{Model: model, Width: 64, Height: 64, Count: 1, Steps: 20, Guidance: 3, Sampler: "ddim"}
	if model == "flatter" {
		r.Steps = 10
	}
	return r, nil
}
func (*painter) Check(r imagine.Request) error { return r.Validate() }
func (*painter) Calls(r imagine.Request) int   { return r.Steps }

func (p *painter) Paint(ctx context.Context, r imagine.Request, w imagine.Watcher) ([]imagine.Picture, error) {
	p.mu.Lock()
	p.tries[r.Prompt]++
	try := p.tries[r.Prompt]
	p.mu.Unlock()
	if strings.Contains(r.Prompt, "broken") || strings.Contains(r.Prompt, "shaky") && try < 3 {
		return nil, errors.New("out of paint")
	}
	for call := range r.Steps {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		w.Event(imagine.Event{Calls: call + 1, Total: r.Steps, Preview: flat(r, 0)})
	}
	pictures := make([]imagine.Picture, r.Count)
	for k := range pictures {
		seed, variation := r.Seeds(k)
		pictures[k] = imagine.Picture{Index: k, Seed: seed, VariationSeed: variation, Image: flat(r, k)}
	}
	return pictures, nil
}

func flat(r imagine.Request, k int) *image.NRGBA {
	seed, variation := r.Seeds(k)
	m := image.NewNRGBA(image.Rect(0, 0, r.Width, r.Height))
	for i := range m.Pix {
		m.Pix[i] = byte(seed + variation)
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	return m
}

// judge blocks prompts with "forbidden" and holds those with "doubtful"; it holds pictures of an even colour when picky, and all
// when doubtful, and blocks all when strict.
type judge struct{ picky, doubtful, strict bool }

func (judge) Screen(prompt, _ string) moderation.Verdict {
	if strings.Contains(prompt, "forbidden") {
		return moderation.Verdict{Action: moderation.Block, Scores: map[moderation.Category]float64{moderation.Violence: 1}}
	}
	if strings.Contains(prompt, "doubtful") {
		return moderation.Verdict{Action: moderation.Review, Reasons: []moderation.Reason{{Rule: "test/doubt", Category: moderation.Violence, Score: 0.5}}}
	}
	return moderation.Verdict{}
}

func (j judge) Inspect(_ context.Context, m image.Image) (moderation.Verdict, error) {
	v := m.(*image.NRGBA).Pix[0]
	if j.strict {
		return moderation.Verdict{Action: moderation.Block, Scores: map[moderation.Category]float64{moderation.Sexual: 0.9}}, nil
	}
	if j.doubtful || j.picky && v%2 == 0 {
		return moderation.Verdict{Action: moderation.Review, Scores: map[moderation.Category]float64{moderation.Sexual: 0.6}}, nil
	}
	return moderation.Verdict{}, nil
}

// channel is a courier that keeps its messages.
type channel struct {
	mu       sync.Mutex
	failures int // that many calls fail first
	posts    map[string]int
	shown    map[string]jobs.State // the state shown last
	results  map[string]int        // times a message came to show a result
	removed  map[string]bool
	told     map[string]string
	ahead    map[string][]int
	previews map[string]image.Image

	noReview    bool                       // there is no review channel
	reviewHangs bool                       // or it does not answer
	gone        map[string]bool            // messages that somebody has removed
	reviewFails bool                       // or it cannot be reached
	cases       map[string]int             // times each was posted
	decisions   map[string]review.Decision // that each shows
}

func newChannel() *channel {
	return &channel{
		posts: map[string]int{}, shown: map[string]jobs.State{}, results: map[string]int{}, removed: map[string]bool{},
		told: map[string]string{}, ahead: map[string][]int{}, previews: map[string]image.Image{},
		cases: map[string]int{}, decisions: map[string]review.Decision{},
	}
}

func (c *channel) do(f func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failures > 0 {
		c.failures--
		return errors.New("the platform is down")
	}
	f()
	return nil
}

func (c *channel) Post(_ context.Context, j jobs.Job) (string, error) {
	return "m-" + j.ID, c.do(func() { c.posts[j.ID]++; c.show(j) })
}

func (c *channel) Show(_ context.Context, j jobs.Job) error {
	if j.Message != "m-"+j.ID {
		return fmt.Errorf("the message is %q", j.Message)
	}
	if c.gone[j.ID] {
		return fmt.Errorf("showing: %w", jobs.ErrGone)
	}
	return c.do(func() { c.show(j) })
}

func (c *channel) show(j jobs.Job) {
	if j.State == jobs.Delivering && c.shown[j.ID] != jobs.Delivering {
		c.results[j.ID]++
	}
	c.shown[j.ID] = j.State
}

func (c *channel) Remove(_ context.Context, j jobs.Job) error {
	return c.do(func() { c.removed[j.ID] = true })
}

func (c *channel) Tell(_ context.Context, j jobs.Job) error {
	return c.do(func() { c.told[j.ID] = j.Reason })
}

func (c *channel) PostCase(ctx context.Context, held review.Case) (string, error) {
	if c.reviewHangs {
		<-ctx.Done()
		return "", ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.reviewFails:
		return "", errors.New("the review channel cannot be reached")
	case c.noReview:
		return "", nil
	case held.Message != "":
		return held.Message, nil // where it stands
	}
	c.cases[held.ID]++
	return "c-" + held.ID, nil
}

func (c *channel) ShowCase(_ context.Context, held review.Case) error {
	if held.Message != "c-"+held.ID {
		return fmt.Errorf("the case's message is %q", held.Message)
	}
	return c.do(func() { c.decisions[held.ID] = held.Decision })
}

func (c *channel) Progress(j jobs.Job, p jobs.Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Total == 0 {
		c.ahead[j.ID] = append(c.ahead[j.ID], p.Ahead)
	}
	if m := p.Previews[0]; m != nil {
		c.previews[j.ID] = m
	}
}

// house is a saga over a real store and gallery.
type house struct {
	*jobs.Saga
	t       *testing.T
	store   *store.DB
	limiter *purse
	channel *channel
	painter *painter
	stop    func()
}

// purse counts what was taken and given back.
type purse struct {
	*ratelimit.Memory
	mu    sync.Mutex
	taken float64
	back  map[string]float64
}

func (p *purse) Take(ctx context.Context, s ratelimit.Spender, credits float64) error {
	err := p.Memory.Take(ctx, s, credits)
	if err == nil {
		p.mu.Lock()
		p.taken += credits
		p.mu.Unlock()
	}
	return err
}

func (p *purse) Refund(ctx context.Context, job string, s ratelimit.Spender, credits float64) error {
	p.mu.Lock()
	p.back[job] = credits
	p.mu.Unlock()
	return p.Memory.Refund(ctx, job, s, credits)
}

func open(t *testing.T, dir string, limits ratelimit.Limits, j judge, change ...func(*jobs.Options)) *house {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(dir, "easel.db"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gallery.Open(db, filepath.Join(dir, "pictures"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{
		t: t, store: db, channel: newChannel(), painter: &painter{tries: map[string]int{}},
		limiter: &purse{Memory: ratelimit.NewMemory(limits, time.Now), back: map[string]float64{}},
	}
	o := jobs.Options{
		Store: db, Gallery: g, Planner: h.painter, Queue: local.New(h.painter, 2), Screener: j, Inspector: j,
		Limiter: h.limiter, Waiting: 100, Log: slog.New(slog.DiscardHandler), Now: time.Now, Room: func() error { return nil },
	}
	for _, f := range change {
		f(&o)
	}
	h.Saga = jobs.New(o)
	return h
}

// run works until stop is called.
func (h *house) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- h.Run(ctx, h.channel) }()
	h.stop = func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	}
}

func (h *house) close() {
	if h.stop != nil {
		h.stop()
	}
	if err := h.store.Close(); err != nil {
		h.t.Error(err)
	}
}

func (h *house) submit(o jobs.Order) jobs.Job {
	h.t.Helper()
	j, err := h.Submit(context.Background(), o)
	if err != nil {
		h.t.Fatal(err)
	}
	return j
}

func (h *house) job(id string) jobs.Job {
	h.t.Helper()
	j, err := h.Job(context.Background(), here, ada, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return j
}

func ask(key, prompt string, who jobs.Person) jobs.Order {
	count, seed := 4, int64(7)
	return jobs.Order{Key: key, Place: here, Owner: who, Kind: jobs.Imagine, Ask: jobs.Ask{Prompt: prompt, Count: &count, Seed: &seed}}
}

// eventually lets everything happen that will.
func eventually() {
	time.Sleep(2 * time.Minute) //nolint:forbidigo // the bubble's clock: no time passes outside
	synctest.Wait()
}

func inBubble(t *testing.T, limits ratelimit.Limits, j judge, story func(h *house), change ...func(*jobs.Options)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, dir, limits, j, change...)
		defer h.close()
		h.run()
		story(h)
	})
}

func TestAJobEndsInItsPictures(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		t := h.t
		j := h.submit(ask("1", "a fox", ada))
		eventually()
		got := h.job(j.ID)
		if got.State != jobs.Done || got.Took <= 0 || got.Attempts != 1 || got.Finished.IsZero() {
			t.Errorf("the job is %+v", got)
		}
		if h.channel.posts[j.ID] != 1 || h.channel.results[j.ID] != 1 {
			t.Errorf("posted %d times, with %d results", h.channel.posts[j.ID], h.channel.results[j.ID])
		}
		s := gallery.Scope{Tenant: "local", Channel: "general", Viewer: "bob"}
		for k := range 4 {
			file, err := h.Gallery.File(t.Context(), s, j.ID, k)
			if err != nil {
				t.Fatal(err)
			}
			m, err := png.Decode(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if r, _, _, _ := m.At(5, 5).RGBA(); r>>8 != uint32(7+k) {
				t.Errorf("picture %d has colour %d, want its seed, %d", k, r>>8, 7+k)
			}
		}
		if m := h.channel.previews[j.ID]; m == nil || m.Bounds().Dx() > 16 {
			t.Errorf("the preview is %v, want one of 16 tiles at most", m)
		}
	})
}

func TestModels(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		o := ask("1", "a fox", ada)
		o.Ask.Model = "flatter"
		other, usual := h.submit(o), h.submit(ask("2", "a fox", ada))
		eventually()
		if j := h.job(other.ID); j.Model != "flatter" || j.Request.Model != "flatter" || j.Request.Steps != 10 || j.State != jobs.Done {
			h.t.Errorf("the job for another model is %+v", j)
		}
		if j := h.job(usual.ID); j.Model != "flat" || j.Request.Model != "" || j.Request.Steps != 20 || j.State != jobs.Done {
			h.t.Errorf("the job for none in particular is %+v", j)
		}
	})
}

func TestTheSameKeyIsTheSameJob(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		t := h.t
		ids := make([]string, 8)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				j, err := h.Submit(t.Context(), ask("once", "a fox", ada))
				if err != nil {
					t.Error(err)
				}
				ids[i] = j.ID
			})
		}
		all.Wait()
		eventually()
		if slices.Sort(ids); ids[0] != ids[7] || len(h.channel.posts) != 1 {
			t.Errorf("one key made the jobs %v and %d messages", ids, len(h.channel.posts))
		}
		var back float64
		for _, credits := range h.limiter.back {
			back += credits
		}
		if cost := h.job(ids[0]).Credits; !near(h.limiter.taken-back, cost) {
			t.Errorf("%v credits were kept, want %v", h.limiter.taken-back, cost)
		}
	})
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

func TestWhatIsRefusedAtOnceLeavesNothingBehind(t *testing.T) {
	small := ratelimit.Limits{Person: ratelimit.Limit{Burst: 0.1, PerHour: 1}}
	steps := 0
	wrong := ask("3", "a fox", ada)
	wrong.Ask.Steps = &steps
	elsewhere := jobs.Order{Key: "5", Place: here, Owner: ada, Kind: jobs.Vary, Parent: &gallery.Parent{Job: "01ARZ3NDEKTSV4RRFFQ69G5FAV"}}
	full := func(o *jobs.Options) { o.Room = func() error { return jobs.ErrFull } }
	tests := []struct {
		name   string
		order  jobs.Order
		want   any
		change func(*jobs.Options)
	}{
		{"moderation", ask("1", "something forbidden", ada), new(*jobs.RefusedError), nil},
		{"limits", func() jobs.Order { o := ask("2", "a fox", ada); *o.Ask.Count = 64; return o }(), new(*ratelimit.DeniedError), nil},
		{"a bad option", wrong, new(*imagine.InvalidError), nil},
		{"a parent that is not there", elsewhere, gallery.ErrNotFound, nil},
		{"a full disk", ask("6", "a fox", ada), jobs.ErrFull, full},
		{"a full line", ask("7", "a fox", ada), jobs.ErrBusy, func(o *jobs.Options) { o.Waiting = 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var change []func(*jobs.Options)
			if tt.change != nil {
				change = append(change, tt.change)
			}
			inBubble(t, small, judge{}, func(h *house) {
				t := h.t
				_, err := h.Submit(t.Context(), tt.order)
				switch want := tt.want.(type) {
				case error:
					if !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
				default:
					if err == nil || !errors.As(err, want) {
						t.Errorf("got %v, want a %T", err, want)
					}
				}
				eventually()
				if len(h.channel.posts) > 0 || h.limiter.taken > 0 {
					t.Errorf("%d messages, %v credits taken", len(h.channel.posts), h.limiter.taken)
				}
			}, change...)
		})
	}
}

func TestCancel(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		t := h.t
		running, queued := h.submit(ask("1", "a fox", ada)), h.submit(ask("2", "an owl", ada))
		time.Sleep(510 * time.Millisecond) //nolint:forbidigo // half of the first is painted, on the bubble's clock
		for _, j := range []jobs.Job{running, queued} {
			if err := h.Cancel(t.Context(), here, bob, j.ID); !errors.Is(err, jobs.ErrNotYours) {
				t.Errorf("somebody else's cancel: %v", err)
			}
			if err := h.Cancel(t.Context(), here, ada, j.ID); err != nil {
				t.Error(err)
			}
			if err := h.Cancel(t.Context(), here, ada, j.ID); !errors.Is(err, jobs.ErrTooLate) {
				t.Errorf("cancelled twice: %v", err)
			}
		}
		eventually()
		for id, back := range map[string]float64{running.ID: running.Credits / 2, queued.ID: queued.Credits} {
			if got := h.job(id); got.State != jobs.Cancelled || h.channel.shown[id] != jobs.Cancelled || h.channel.results[id] != 0 {
				t.Errorf("the job is %s and shown as %s, with %d results", got.State, h.channel.shown[id], h.channel.results[id])
			}
			if !near(h.limiter.back[id], back) {
				t.Errorf("%v credits came back, want %v", h.limiter.back[id], back)
			}
		}
	})
}

func TestDelete(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		t := h.t
		done := h.submit(ask("1", "a fox", ada))
		eventually()
		running := h.submit(ask("2", "an owl", ada))
		for _, j := range []jobs.Job{done, running} {
			if err := h.Delete(t.Context(), here, bob, j.ID); !errors.Is(err, jobs.ErrNotYours) {
				t.Errorf("somebody else's delete: %v", err)
			}
			if err := h.Delete(t.Context(), here, ada, j.ID); err != nil {
				t.Error(err)
			}
			if err := h.Delete(t.Context(), here, ada, j.ID); !errors.Is(err, jobs.ErrNotFound) {
				t.Errorf("deleted twice: %v", err)
			}
			if _, err := h.Gallery.File(t.Context(), gallery.Scope{Tenant: "local", Channel: "general", Viewer: "ada"}, j.ID, 0); !errors.Is(err, gallery.ErrNotFound) {
				t.Errorf("its picture: %v", err)
			}
		}
		eventually()
		if !h.channel.removed[done.ID] || !h.channel.removed[running.ID] || h.channel.results[running.ID] != 0 {
			t.Errorf("removed: %v, results: %v", h.channel.removed, h.channel.results)
		}
	})
}

func TestPicturesAreInspected(t *testing.T) {
	t.Run("one by one", func(t *testing.T) {
		inBubble(t, ratelimit.Limits{}, judge{picky: true}, func(h *house) {
			t := h.t
			j := h.submit(ask("1", "a fox", ada))
			eventually()
			entries, err := h.Gallery.OfJob(t.Context(), gallery.Scope{Tenant: "local", Channel: "general", Viewer: "ada"}, j.ID)
			if err != nil {
				t.Fatal(err)
			}
			for k, e := range entries {
				if withheld := (7+k)%2 == 0; withheld != (e.Blob == "") || withheld != (e.Held != "") || withheld != (e.Verdict == "review") {
					t.Errorf("picture %d: blob %q, verdict %s", k, e.Blob, e.Verdict)
				}
			}
			if len(entries) != 4 || h.job(j.ID).State != jobs.Done || len(h.limiter.back) > 0 {
				t.Errorf("%d entries, state %s, refunds %v", len(entries), h.job(j.ID).State, h.limiter.back)
			}
		})
	})
	t.Run("all withheld", func(t *testing.T) {
		inBubble(t, ratelimit.Limits{}, judge{strict: true}, func(h *house) {
			t := h.t
			j := h.submit(ask("1", "a fox", ada))
			eventually()
			if got := h.job(j.ID); got.State != jobs.Refused || !h.channel.removed[j.ID] || h.channel.told[j.ID] == "" || !near(h.limiter.back[j.ID], j.Credits) {
				t.Errorf("state %s, removed %v, told %q, refunds %v", got.State, h.channel.removed, h.channel.told[j.ID], h.limiter.back)
			}
		})
	})
}

func TestPaintingFails(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		t := h.t
		shaky, broken := h.submit(ask("1", "a shaky fox", ada)), h.submit(ask("2", "a broken fox", bob))
		eventually()
		if got := h.job(shaky.ID); got.State != jobs.Done || got.Attempts != 3 {
			t.Errorf("what fails twice is %s after %d attempts", got.State, got.Attempts)
		}
		got := h.job(broken.ID)
		if got.State != jobs.Failed || h.channel.shown[broken.ID] != jobs.Failed || !near(h.limiter.back[broken.ID], broken.Credits) {
			t.Errorf("what always fails is %s, shown as %s, refunds %v", got.State, h.channel.shown[broken.ID], h.limiter.back)
		}
		if strings.Contains(got.Reason, "paint.") || !strings.Contains(got.Cause, "out of paint") {
			t.Errorf("the member reads %q, the operator %q", got.Reason, got.Cause)
		}
	})
}

func TestThePlatformIsDownForAWhile(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		t := h.t
		h.channel.failures = 7
		j := h.submit(ask("1", "a fox", ada))
		eventually()
		if h.job(j.ID).State != jobs.Done || h.channel.posts[j.ID] != 1 || h.channel.results[j.ID] != 1 {
			t.Errorf("state %s, posts %v, results %v", h.job(j.ID).State, h.channel.posts, h.channel.results)
		}
	})
}

func TestPlacesInLine(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		t := h.t
		var last jobs.Job
		for i := range 5 {
			last = h.submit(ask(fmt.Sprint(i), "a fox", ada))
		}
		eventually()
		places := h.channel.ahead[last.ID]
		if len(places) < 3 || places[len(places)-1] != 0 || !slices.IsSortedFunc(places, func(a, b int) int { return b - a }) {
			t.Errorf("the last one's places were %v, want them to fall to 0", places)
		}
	})
}

// TestLongJobsDoNotHoldUpOthers: who has nothing being painted goes in beside long jobs of others.
func TestLongJobsDoNotHoldUpOthers(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		t := h.t
		steps := 1000 // 50 s each
		for i := range 3 {
			o := ask(fmt.Sprint(i), "a long fox", ada)
			o.Ask.Steps = &steps
			h.submit(o)
		}
		short := h.submit(ask("short", "an owl", bob))
		time.Sleep(4 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if got := h.job(short.ID); got.State != jobs.Done {
			t.Errorf("behind long jobs of somebody else it is %s after four seconds", got.State)
		}
		eventually()
	})
}

func TestPickVaryReroll(t *testing.T) {
	inBubble(t, ratelimit.Limits{}, judge{}, func(h *house) {
		t := h.t
		parent := h.submit(ask("1", "a fox", ada))
		eventually()
		press := func(key string, kind jobs.Kind, of jobs.Job, index int) jobs.Job {
			j := h.submit(jobs.Order{Key: key, Place: here, Owner: bob, Kind: kind, Parent: &gallery.Parent{Job: of.ID, Index: index}})
			eventually()
			if got := h.job(j.ID); got.State != jobs.Done || h.channel.results[j.ID] != 1 {
				t.Errorf("%s is %s, with %d results", kind, got.State, h.channel.results[j.ID])
			}
			return h.job(j.ID)
		}
		s := gallery.Scope{Tenant: "local", Channel: "general", Viewer: "bob"}
		picked := press("2", jobs.Pick, parent, 2)
		want, _ := h.Gallery.Picture(t.Context(), s, parent.ID, 2)
		if got, err := h.Gallery.Picture(t.Context(), s, picked.ID, 0); err != nil || got.Blob != want.Blob || got.Owner != "bob" || picked.Credits != 0 {
			t.Errorf("picked %+v, %v", got, err)
		}
		varied := press("3", jobs.Vary, picked, 0)
		if r := varied.Request; r.Count != 4 || r.Seed != 9 || r.Variation.Strength == 0 || len(r.Path) != 0 {
			t.Errorf("the variations are %+v", r)
		}
		again := press("4", jobs.Vary, varied, 1)
		if r := again.Request; r.Seed != 9 || len(r.Path) != 1 || r.Path[0].Seed != varied.Request.Variation.Seed+1 {
			t.Errorf("the variations of a variation are %+v", r)
		}
		rerolled := press("5", jobs.Reroll, parent, 0)
		if r := rerolled.Request; r.Seed == 7 || r.Prompt != "a fox" || r.Count != 4 {
			t.Errorf("painted anew: %+v", r)
		}
		if err := h.Delete(t.Context(), here, ada, parent.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Submit(t.Context(), jobs.Order{Key: "6", Place: here, Owner: bob, Kind: jobs.Pick, Parent: &gallery.Parent{Job: parent.ID}}); !errors.Is(err, gallery.ErrNotFound) {
			t.Errorf("a picture that was deleted: %v", err)
		}
		if _, err := h.Gallery.File(t.Context(), s, picked.ID, 0); err != nil {
			t.Errorf("what was picked before stays: %v", err)
		}
	})
}

func TestTheNextProcessGoesOn(t *testing.T) {
	dir := t.TempDir()
	var ids []string
	synctest.Test(t, func(t *testing.T) {
		h := open(t, dir, ratelimit.Limits{}, judge{})
		defer h.close()
		for i := range 6 {
			ids = append(ids, h.submit(ask(fmt.Sprint(i), "a fox", []jobs.Person{ada, bob}[i%2])).ID)
		}
		h.run()
		time.Sleep(1500 * time.Millisecond) //nolint:forbidigo // one is done and one half, on the bubble's clock
	})
	synctest.Test(t, func(t *testing.T) {
		h := open(t, dir, ratelimit.Limits{}, judge{})
		defer h.close()
		h.run()
		eventually()
		for _, id := range ids {
			if j := h.job(id); j.State != jobs.Done || j.Attempts != 1 {
				t.Errorf("job %s is %s after %d attempts", id, j.State, j.Attempts)
			}
		}
		if n := len(h.channel.results); n != 5 {
			t.Errorf("%d results after the restart, want the five that were open", n)
		}
	})
}

// TestRecovery begins in each state that a crash can leave.
func TestRecovery(t *testing.T) {
	tests := []struct {
		name string
		set  string
		want jobs.State
	}{
		{"queued", `state = 'queued'`, jobs.Done},
		{"running", `state = 'running', attempts = 1`, jobs.Done},
		{"inspecting", `state = 'inspecting', attempts = 4`, jobs.Done},
		{"too often", `state = 'running', attempts = 5`, jobs.Failed},
		{"cancelled", `state = 'cancelled', attempts = 1`, jobs.Cancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				h := open(t, dir, ratelimit.Limits{}, judge{})
				j := h.submit(ask("1", "a fox", ada))
				if _, err := execute(h.store, `UPDATE jobs SET `+tt.set); err != nil {
					t.Fatal(err)
				}
				h.close()
				h = open(t, dir, ratelimit.Limits{}, judge{})
				defer h.close()
				h.run()
				eventually()
				if got := h.job(j.ID); got.State != tt.want {
					t.Errorf("it ends %s, want %s", got.State, tt.want)
				}
				if back, refunded := h.limiter.back[j.ID]; refunded != (tt.want == jobs.Failed) || refunded && !near(back, j.Credits) {
					t.Errorf("refunds: %v", slices.Sorted(maps.Keys(h.limiter.back)))
				}
			})
		})
	}
}
