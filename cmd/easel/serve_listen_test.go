package main

import (
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestListenErrorsSayWhatToDo(t *testing.T) {
	taken := freePort(t)
	t.Cleanup(func() { _ = taken.Close() })
	for _, c := range []struct {
		address string
		err     error // nil: the real one
		want    []string
	}{
		{taken.Addr().String(), nil, []string{taken.Addr().String() + " is in use", "perhaps another easel", "EASEL_LISTEN"}},
		{"192.0.2.1:8321", nil, []string{"192.0.2.1:8321 is no address of this machine", "127.0.0.1:8321"}},
		{"127.0.0.1:80", syscall.EACCES, []string{"127.0.0.1:80 may not be listened on", "below 1024"}},
		{"studio.invalid:8321", &net.DNSError{Name: "studio.invalid"}, []string{`there is no host "studio.invalid"`, "EASEL_LISTEN"}},
		{"127.0.0.1:8321", errors.New("out of luck"), []string{"127.0.0.1:8321 cannot be listened on (out of luck)", "EASEL_LISTEN"}},
	} {
		err := listenError(c.address, c.err)
		if c.err == nil {
			_, err = listen(t.Context(), c.address)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want it to say %q", c.address, err, want)
			}
		}
	}
}

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		bound  net.TCPAddr
		public string
		want   []string
	}{
		{net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8321}, "", []string{"127.0.0.1:8321", "[::1]:8321", "localhost:8321"}},
		{net.TCPAddr{IP: net.IPv6loopback, Port: 80}, "", []string{"127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:80", "localhost", "localhost:80"}},
		{
			net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 8321},
			"https://easel.example.org/",
			[]string{"10.0.0.7:8321", "127.0.0.1:8321", "[::1]:8321", "easel.example.org", "localhost:8321"},
		},
	} {
		got := hosts(&c.bound, c.public)
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, c.want) {
			t.Errorf("%v: got %q, want %q", &c.bound, got, c.want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.7:1": false} {
		a, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := loopback(a); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
}
