package ratelimit

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A redisServer is a redis-server of the test's own, on a socket in a folder of its own. It forgets everything when it is killed.
type redisServer struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
}

// startRedis starts a server, and skips the test where there is none to start; in CI that is a failure.
func startRedis(t *testing.T) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("install redis-server: %v", err)
		}
		t.Skipf("install redis-server to run this test: %v", err)
	}
	dir, err := os.MkdirTemp("", "redis") //nolint:usetesting // t.TempDir may be too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	s := &redisServer{t: t, dir: dir}
	t.Cleanup(func() {
		s.kill()
		_ = os.RemoveAll(dir)
	})
	s.start()
	return s
}

// client returns a patient client: on a busy machine no test fails for time.
func (s *redisServer) client() *redis.Client {
	s.t.Helper()
	c := redis.NewClient(&redis.Options{
		Network: "unix", Addr: filepath.Join(s.dir, "s"), ReadTimeout: time.Minute, PoolTimeout: time.Minute,
		ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1,
	})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// start starts the server and waits until it answers.
func (s *redisServer) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", filepath.Join(s.dir, "s"), "--dir", s.dir, "--save", "", "--appendonly", "no")
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	c := s.client()
	eventually(s.t, func() bool { return c.Ping(s.t.Context()).Err() == nil })
}

// kill kills the server as kill -9 does.
func (s *redisServer) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// eventually waits for what is to become true within half a minute.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	end, tick := time.After(30*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("it did not happen within half a minute")
		}
	}
}

// StartRedis is for the tests outside the package.
func StartRedis(t *testing.T) *redis.Client {
	t.Helper()
	return startRedis(t).client()
}
