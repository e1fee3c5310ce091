package main

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// TestServeTellsOfBadTokens: what Discord or Slack refuse is told at the start, in words, without the token.
func TestServeTellsOfBadTokens(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"message":"401: Unauthorized","code":0}`))
	}))
	t.Cleanup(refusing.Close)
	cmd := exec.CommandContext(t.Context(), program(t), "serve")
	var stderr strings.Builder
	cmd.Stderr, cmd.Env = &stderr, append(newcomer(t), "EASEL_DATA_DIR="+t.TempDir(),
		"EASEL_DISCORD_TOKEN=secret-token", "EASEL_DISCORD_API_URL="+refusing.URL+"/api")
	if got := exitStatus(cmd.Run()); got != 1 {
		t.Errorf("status %d, want 1: %s", got, &stderr)
	}
	if said := stderr.String(); !strings.Contains(said, "discord refuses the token") || strings.Contains(said, "secret-token") {
		t.Errorf("it says %s", said)
	}
}

// TestServeWithoutRedis starts though the Redis that is named is away, and says so.
func TestServeWithoutRedis(t *testing.T) {
	s := serving(t, t.TempDir(), "EASEL_REDIS_URL=redis://127.0.0.1:1/0")
	if status, body := s.get(t, "/readyz"); status != http.StatusOK || !strings.Contains(body, `"limits":"this process counts alone`) {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if status, _ := s.get(t, "/slack/events"); status != http.StatusNotFound {
		t.Errorf("Slack's door is open without Slack: %d", status)
	}
}
