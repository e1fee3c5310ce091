package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A redisServer is one of the test's own. It forgets everything when it is killed.
type redisServer struct {
	dir string
	cmd *exec.Cmd
}

func newRedis(t *testing.T) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("install redis-server: %v", err)
		}
		t.Skipf("install redis-server to run this test: %v", err)
	}
	dir, err := os.MkdirTemp("", "redis") //nolint:usetesting // t.TempDir may be too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	r := &redisServer{dir: dir}
	t.Cleanup(func() {
		r.kill()
		_ = os.RemoveAll(dir)
	})
	r.start(t)
	return r
}

func (r *redisServer) socket() string { return filepath.Join(r.dir, "s") }

func (r *redisServer) start(t *testing.T) {
	t.Helper()
	r.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", r.socket(), "--dir", r.dir, "--save", "", "--appendonly", "no")
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "redis-server listens", func() bool {
		_, err := os.Stat(r.socket())
		return err == nil
	})
}

func (r *redisServer) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	_ = os.Remove(r.socket())
}

// shared is a stage whose limits are counted in Redis.
type shared struct {
	stage
	redis *redisServer
}

func (s shared) env() []string {
	return append(s.stage.env(), "EASEL_REDIS_URL=unix://"+s.redis.socket())
}

// TestStoryOfRedis: Redis dies and comes back with nothing, and still nothing is lost and nobody has more than their limit. Then
// the program dies, and Redis knows what was spent.
func TestStoryOfRedis(t *testing.T) {
	redis := newRedis(t)
	p := newPlay(t, crowdConfig, shared{newWebStage(t), redis})
	p.kills = true
	spend := func(who string, from, to int) {
		t.Helper()
		for k := from; k <= to; k++ {
			prompt := fmt.Sprintf("fox %d of %s", k, who)
			p.imagine(t, who, prompt, map[string]string{"count": "1", "steps": "4"})
			if k > paid {
				p.told(who, "try again in")
			} else {
				p.result(prompt, 1)
			}
		}
	}
	limits := func(want string) {
		t.Helper()
		eventually(t, "/readyz tells of limits: "+want, func() bool {
			status, body := p.s.get(t, "/readyz")
			return status == http.StatusOK && strings.Contains(body, `"limits":"`+want)
		})
	}
	limits("ok")
	spend(ada, 1, 3)
	redis.kill()
	spend(ada, 4, 6)
	limits("this process counts alone")
	redis.start(t)
	limits("ok")
	spend(ada, 7, paid+1)

	spend(bob, 1, 3)
	p.kill()
	spend(bob, 4, paid+1)
	p.s.end(t, syscall.SIGTERM)
}
