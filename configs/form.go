package configs

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// forms are what the tag form may ask for. Their errors do not show the text, which may
// have a password in it.
var forms = map[string]func(string) error{"address": checkAddress, "origin": checkOrigin}

var hostName = regexp.MustCompile(`^[A-Za-z0-9.-]*$`)

// checkAddress takes what [net.Listen] does, with a number for the port: 0 is any free
// one, and no host is every address of the machine.
func checkAddress(text string) error {
	host, port, err := net.SplitHostPort(text)
	if _, no := netip.ParseAddr(host); err != nil || !isNumber(port) || no != nil && !hostName.MatchString(host) {
		return errors.New("expected HOST:PORT such as 127.0.0.1:8321 or [::1]:8321, with a port from 0 to 65535")
	}
	return nil
}

// checkOrigin takes a scheme, a host and perhaps a port, as a browser's address bar has
// them, or nothing.
func checkOrigin(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !isPort(u) ||
		!strings.EqualFold(u.Scheme+"://"+u.Host, strings.TrimSuffix(text, "/")) {
		return errors.New("expected an address such as https://pictures.example.org, without a path, a query or a name to sign in with")
	}
	return nil
}

func isPort(u *url.URL) bool {
	return isNumber(u.Port()) || u.Port() == "" && !strings.HasSuffix(u.Host, ":")
}
