package generator

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelbot/easel/imagine"
)

// A sampler that cannot be is the request's fault, unless the model's own schedule is one that none could follow.
func TestWhoseFaultASamplerIs(t *testing.T) {
	f := folder(t, filepath.Join(families, "sd15"))
	r := Defaults(f)
	r.Prompt = "a fox"
	var invalid *imagine.InvalidError
	r.Steps = 1001
	if err := Check(1<<30, r, f); !errors.As(err, &invalid) {
		t.Errorf("more steps than there can be: %v", err)
	}
	r.Steps, r.Sampler = 20, "another"
	if err := Check(1<<30, r, f); !errors.As(err, &invalid) || !strings.HasPrefix(err.Error(), "sampler: no sampler is called") {
		t.Errorf("unknown: %v", err)
	}
	r.Sampler = "euler"
	f.Scheduler.JSON = []byte(`{"num_train_timesteps": 1000000000}`)
	if err := Check(1<<30, r, f); err == nil || errors.As(err, &invalid) || !strings.HasPrefix(err.Error(), "model sd15: scheduler: ") {
		t.Errorf("broken schedule: %v", err)
	}
}
