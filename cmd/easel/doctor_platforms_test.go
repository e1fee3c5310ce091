package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/easelbot/easel/configs"
)

// TestDoctorAsksPlatforms: what Discord, Slack and Redis say of the bot is told, whatever it is, and no secret ever.
func TestDoctorAsksPlatforms(t *testing.T) {
	const hidden = "hidden-secret"
	answers := map[string]string{
		"/api/v9/users/@me": `{"id":"7","username":"painter"}`, "/api/v9/oauth2/applications/@me": `{"id":"7","name":"Painter"}`,
		"/api/auth.test": `{"ok":true,"team":"Home","user":"painter"}`, "/api/apps.connections.open": `{"ok":true,"url":"wss://127.0.0.1:1/` + hidden + `"}`,
	}
	kind := http.NewServeMux()
	for path, body := range answers {
		kind.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	}
	unkind := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // and tells all it was told
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"ok":false,"error":"invalid_auth","message":%q}`, r.Header.Get("Authorization")+r.FormValue("token"))
	})
	tests := []struct {
		server http.Handler
		redis  string
		status int
		want   []string
	}{
		{kind, redisAt(t), 0, []string{`the token is that of "painter"`, `in "Home"`, "Slack opens a socket", "redis          127.0.0.1:"}},
		{unkind, "127.0.0.1:1", 1, []string{"FAIL  discord        discord refuses the token", "FAIL  slack ", "FAIL  redis          127.0.0.1:1 cannot be used", "ok    painting"}},
	}
	for _, tt := range tests {
		server := httptest.NewServer(tt.server)
		t.Cleanup(server.Close)
		for _, args := range [][]string{{"doctor"}, {"doctor", "--json"}} {
			cmd := exec.CommandContext(t.Context(), program(t), args...)
			cmd.Env = append(newcomer(t), "EASEL_DATA_DIR="+t.TempDir(), "EASEL_LOG_LEVEL=debug",
				"EASEL_DISCORD_TOKEN="+hidden, "EASEL_DISCORD_API_URL="+server.URL+"/api",
				"EASEL_SLACK_BOT_TOKEN=xoxb-"+hidden, "EASEL_SLACK_APP_TOKEN=xapp-"+hidden, "EASEL_SLACK_SIGNING_SECRET="+hidden,
				"EASEL_SLACK_API_URL="+server.URL+"/api/", "EASEL_REDIS_URL=redis://:"+hidden+"@"+tt.redis+"/0")
			said, err := cmd.CombinedOutput()
			if got := exitStatus(err); got != tt.status {
				t.Errorf("%q: status %d, want %d:\n%s", args, got, tt.status, said)
			}
			if strings.Contains(string(said), hidden) {
				t.Errorf("%q tells a secret:\n%s", args, said)
			}
			for _, want := range tt.want {
				if len(args) == 1 && !strings.Contains(string(said), want) {
					t.Errorf("%q does not say %q:\n%s", args, want, said)
				}
			}
		}
	}
}

func TestCheckPlatformsAsksNobodyUnasked(t *testing.T) {
	if checks := checkPlatforms(t.Context(), configs.Config{}); len(checks) > 0 {
		t.Errorf("got %v", checks)
	}
}

// redisAt is the address of a Redis that only says hello.
func redisAt(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				go sayHello(conn)
			}
		}
	}()
	return l.Addr().String()
}

// sayHello answers commands in Redis's protocol: an array of strings, each with its length on a line before it.
func sayHello(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		words, err := strconv.Atoi(strings.TrimPrefix(lines.Text(), "*"))
		if err != nil {
			return
		}
		var command string
		for i := range 2 * words {
			if lines.Scan(); i == 1 {
				command = strings.ToUpper(lines.Text())
			}
		}
		switch command {
		case "PING":
			fmt.Fprint(conn, "+PONG\r\n")
		case "AUTH":
			fmt.Fprint(conn, "+OK\r\n")
		default:
			fmt.Fprintf(conn, "-ERR unknown command '%s'\r\n", command)
		}
	}
}
