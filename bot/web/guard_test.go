package web

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// errFullDisk is what a write returns when the disk is full.
var errFullDisk error = syscall.ENOSPC

func TestHosts(t *testing.T) {
	v := newHouse(t, func(c *Channel) {
		c.options.Hosts = []string{"127.0.0.1", "Localhost:8080", "::1"}
	}).visitor(t)
	for host, status := range map[string]int{
		"127.0.0.1":          http.StatusOK,
		"127.0.0.1:1":        http.StatusOK,
		"localhost:8080":     http.StatusOK,
		"LOCALHOST:8080":     http.StatusOK,
		"[::1]:8080":         http.StatusOK,
		"localhost:8081":     http.StatusMisdirectedRequest,
		"localhost":          http.StatusMisdirectedRequest,
		"evil.example":       http.StatusMisdirectedRequest,
		"127.0.0.1.evil.net": http.StatusMisdirectedRequest,
		"evil.net:8080":      http.StatusMisdirectedRequest,
		"127.0.0.1:80:8080":  http.StatusMisdirectedRequest,
		"127.0.0.1@evil.net": http.StatusMisdirectedRequest,
	} {
		for _, path := range []string{"/", "/api/session", "/static/icon.svg"} {
			a := v.send("GET", path, "", "Host", host)
			if a.status != status {
				t.Errorf("%s of %s: %d, want %d", path, host, a.status, status)
			}
			if a.status == http.StatusMisdirectedRequest && problemOf(t, a).Code != "host" {
				t.Errorf("%s of %s: %s", path, host, a.body)
			}
		}
	}
}

func TestOrigins(t *testing.T) {
	v := newHouse(t).visitor(t)
	for _, test := range []struct {
		headers []string
		status  int
	}{
		{nil, http.StatusOK}, // no browser
		{[]string{"Origin", v.house.url}, http.StatusOK},
		{[]string{"Origin", v.house.url, "Sec-Fetch-Site", "same-origin"}, http.StatusOK},
		{[]string{"Origin", "http://evil.example"}, http.StatusForbidden},
		{[]string{"Origin", "http://127.0.0.1:1"}, http.StatusForbidden},
		{[]string{"Origin", "null"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
	} {
		a := v.send("POST", "/api/session", `{"name":"Ada"}`, test.headers...)
		if a.status != test.status {
			t.Errorf("%v: %d %s, want %d", test.headers, a.status, a.body, test.status)
		}
	}
}

func TestHeaders(t *testing.T) {
	v := newHouse(t).visitor(t)
	for _, path := range []string{"/", "/static/app.js", "/api/session", "/nothing", "/pictures/x/0.png"} {
		h := v.send("GET", path, "").header
		for name, want := range headers {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	for _, unsafe := range []string{"unsafe", "http:", "*"} {
		if strings.Contains(headers["Content-Security-Policy"], unsafe) {
			t.Errorf("the policy allows %q", unsafe)
		}
	}
}
