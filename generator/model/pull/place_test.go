package pull

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/easelbot/easel/inference/graph"
	"github.com/easelbot/easel/inference/graph/graphtest"
)

func TestOneAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tiny")
	place, err := Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Take(dir); !errors.Is(err, ErrBusy) {
		t.Errorf("a second pull into the same place: %v", err)
	}
	place.Leave()
	again, err := Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Leave()
}

// TestUnusable: what came as listed and cannot be used never gets into place.
func TestUnusable(t *testing.T) {
	h := newFakeHub(t)
	h.files["model_index.json"] = []byte(`{"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]}`)
	dir := filepath.Join(t.TempDir(), "tiny")
	err := h.pullTiny(t, dir, nil)
	var unusable *UnusableError
	if !errors.As(err, &unusable) || len(unusable.Problems) == 0 || !strings.Contains(err.Error(), "model_index.json") {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(unusable.Dir, large)); err != nil {
		t.Errorf("it was not kept: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it is in place")
	}
}

// TestDefaults: our easel.json is written where the repository has none, and only there.
func TestDefaults(t *testing.T) {
	d := &Defaults{Steps: 3, Guidance: 0, Width: 128, Height: 128, Sampler: "euler_a", Description: "Ours."}
	h := newFakeHub(t)
	dir := filepath.Join(t.TempDir(), "theirs")
	if err := h.pullTiny(t, dir, d); err != nil {
		t.Fatal(err)
	}
	h.arrived(t, dir)
	delete(h.files, "easel.json")
	dir = filepath.Join(t.TempDir(), "ours")
	if err := h.pullTiny(t, dir, d); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "easel.json"))
	var got Defaults
	if err != nil || json.Unmarshal(b, &got) != nil || got != *d {
		t.Errorf("%s, %v", b, err)
	}
}

// TestMend: damage is found, and only what is damaged is fetched again.
func TestMend(t *testing.T) {
	h := newFakeHub(t)
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := h.pullTiny(t, dir, nil); err != nil {
		t.Fatal(err)
	}
	record, err := ReadRecord(dir)
	if err != nil || record.Source() != (Source{repo, "main"}) || record.Commit != commit || record.Licence != "mit" || len(record.Files) != len(h.files) {
		t.Fatalf("%+v, %v", record, err)
	}
	expect := func(hashes bool, want ...string) {
		t.Helper()
		got, err := record.Damage(t.Context(), dir, hashes, quiet)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("damage %q, %v; want %q", got, err, want)
		}
	}
	expect(true)
	rotten := slices.Clone(h.files[large])
	rotten[1000] ^= 1
	err = errors.Join(os.WriteFile(filepath.Join(dir, large), rotten, 0o644), os.Remove(filepath.Join(dir, "vae_decoder/config.json")),
		os.Truncate(filepath.Join(dir, "scheduler/scheduler_config.json"), 3), os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	expect(false, "scheduler/scheduler_config.json has 3 bytes, not 328", "vae_decoder/config.json is missing")
	expect(true, "scheduler/scheduler_config.json has 3 bytes, not 328", large+" has another content", "vae_decoder/config.json is missing")
	place, err := Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := place.SetAside(); err != nil {
		t.Fatal(err)
	}
	place.Leave()
	if err := h.pullTiny(t, dir, nil); err != nil {
		t.Fatal(err)
	}
	h.arrived(t, dir)
	if n := len(h.requests("text_encoder/model.onnx")); n != 1 {
		t.Errorf("what was not damaged was asked for %d times", n)
	}
	if _, err := os.Stat(filepath.Join(dir, "notes.txt")); err != nil {
		t.Errorf("what others put there is gone: %v", err)
	}
}

func TestRecordIsNotBelieved(t *testing.T) {
	for name, text := range map[string]string{
		"no record": "", "no JSON": "{", "no source": `{"repo":"..","revision":"main"}`,
		"paths": `{"repo":"ada/tiny","revision":"main","files":[{"path":"../../etc/passwd"}]}`,
	} {
		dir := t.TempDir()
		if text != "" {
			if err := os.WriteFile(filepath.Join(dir, recordFile), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ReadRecord(dir); !errors.Is(err, ErrNotPulled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadRecord(filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// TestLinksLeadNowhere: a link that somebody planted among the parts is not written through.
func TestLinksLeadNowhere(t *testing.T) {
	h := newFakeHub(t)
	dir := filepath.Join(t.TempDir(), "tiny")
	victim := t.TempDir()
	aside := filepath.Join(filepath.Dir(dir), ".pull", "tiny")
	if err := errors.Join(os.MkdirAll(aside, 0o755), os.Symlink(victim, filepath.Join(aside, "unet"))); err != nil {
		t.Fatal(err)
	}
	if err := h.pullTiny(t, dir, nil); err == nil {
		t.Error("it was written through a link out of the folder")
	}
	if entries, err := os.ReadDir(victim); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestNoRoom(t *testing.T) {
	h := newFakeHub(t)
	hub := h.hub(t, "")
	offer := &Offer{Source: Source{repo, "main"}, Commit: commit, Files: []File{{Path: large, Size: 1 << 60, SHA256: sum}}}
	place, err := Take(filepath.Join(t.TempDir(), "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	defer place.Leave()
	if err := place.Fetch(t.Context(), hub, offer, nil, quiet); err == nil || !strings.Contains(err.Error(), "make room") {
		t.Errorf("%v", err)
	}
	if n := len(h.requests(large)); n > 0 {
		t.Errorf("it was asked for %d times", n)
	}
}

// TestWeightsOfUnusualNames: what a graph names is fetched, whatever it is called, and what none names and nothing needs is not.
func TestWeightsOfUnusualNames(t *testing.T) {
	h := newFakeHub(t)
	s, err := graph.Read(bytes.NewReader(h.files[large]))
	if err != nil {
		t.Fatal(err)
	}
	s.External = []string{"onnx__MatMul_1 50%", "parts/two.w", "weights.pb"}
	h.files[large] = graphtest.Model(s)
	for _, name := range s.External {
		h.files["unet/"+name] = []byte(name)
	}
	h.files["unet/other.safetensors"] = []byte("for other programs")
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := h.pullTiny(t, dir, nil); err != nil {
		t.Fatal(err)
	}
	if n := len(h.requests("unet/other.safetensors")); n > 0 {
		t.Error("it fetched weights for other programs")
	}
	delete(h.files, "unet/other.safetensors")
	h.arrived(t, dir)
}

func TestInterrupted(t *testing.T) {
	h := newFakeHub(t)
	hub := h.hub(t, "")
	offer, err := hub.Offer(t.Context(), Source{repo, "main"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	place, err := Take(filepath.Join(t.TempDir(), "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	defer place.Leave()
	ctx, cancel := context.WithCancel(t.Context())
	err = place.Fetch(ctx, hub, offer, nil, func(ev Event) {
		if ev.File == large && ev.Kind == Fetching {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
