package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"syscall"
)

// listen opens the door's socket. Its errors tell the operator what to do.
func listen(ctx context.Context, address string) (net.Listener, error) {
	network := "tcp"
	if host, _, err := net.SplitHostPort(address); err == nil && net.ParseIP(host).To4() != nil {
		network = "tcp4" // else 0.0.0.0 would mean every address of IPv6, too
	}
	l, err := new(net.ListenConfig).Listen(ctx, network, address)
	if err != nil {
		return nil, listenError(address, err)
	}
	return l, nil
}

func listenError(address string, err error) error {
	const instead = "set listen (or EASEL_LISTEN) to"
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use (%w): another program (perhaps another easel) listens there; stop it, or %s another address, such as 127.0.0.1:0 for any free port", address, syscall.EADDRINUSE, instead)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s may not be listened on by this user (%w): ports below 1024 are for the system; %s a port above, such as 127.0.0.1:8321", address, syscall.EACCES, instead)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is no address of this machine; %s one that is, such as 127.0.0.1:8321", address, instead)
	case errors.As(err, &name):
		return fmt.Errorf("%s cannot be listened on: there is no host %q; %s one of this machine's addresses, such as 127.0.0.1:8321", address, name.Name, instead)
	}
	return fmt.Errorf("%s cannot be listened on (%w); %s another, such as 127.0.0.1:8321", address, err, instead)
}

// loopback tells whether only this machine can reach an address.
func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// hosts lists what a browser may call this server in a request's Host header: where it is bound, the names of loopback, and
// the public URL's host. Anything else is a page of somebody else's whose name was made to point here.
func hosts(bound net.Addr, publicURL string) []string {
	_, port, _ := net.SplitHostPort(bound.String())
	names := []string{bound.String()}
	for _, name := range []string{"localhost", "127.0.0.1", "[::1]"} {
		names = append(names, name+":"+port)
		if port == strconv.Itoa(httpPort) { // which browsers leave out
			names = append(names, name)
		}
	}
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" {
		names = append(names, u.Host)
	}
	return names
}

const httpPort = 80
