package configs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// forms are what the tag form may ask for. Their errors do not show the text, which may
// have a password in it.
var forms = map[string]func(string) error{
	"address":   checkAddress,
	"origin":    checkOrigin,
	"snowflake": pattern(`^[0-9]{1,20}$`, "expected an ID, which is a number such as 123456789012345678 (in YAML in quotes)"),
	"channel":   pattern(`^[CG][0-9A-Z]{1,30}$`, "expected a channel's ID, such as C0123456789, from the end of the channel's details; a name will not do"),
	"key":       pattern(`^[0-9A-Fa-f]{64}$`, "expected a key of 64 hexadecimal digits"),
	"http":      checkURL("http://127.0.0.1:8080/api", "http", "https"),
	"websocket": checkURL("wss://gateway.example.org", "ws", "wss"),
	"redis":     checkRedis,
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9.-]*$`)

// pattern takes what matches, or nothing.
func pattern(expression, wants string) func(string) error {
	re := regexp.MustCompile(expression)
	return func(text string) error {
		if text != "" && !re.MatchString(text) {
			return errors.New(wants)
		}
		return nil
	}
}

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

// checkURL takes an address with one of the schemes and perhaps a path, or nothing.
func checkURL(example string, schemes ...string) func(string) error {
	return func(text string) error {
		u, err := url.Parse(text)
		if text == "" || err == nil && slices.Contains(schemes, u.Scheme) && u.Hostname() != "" && isPort(u) &&
			u.User == nil && !strings.ContainsAny(text, "?#") {
			return nil
		}
		return fmt.Errorf("expected an address such as %s, without a query or a name to sign in with", example)
	}
}

// checkRedis takes a URL that names a server or a socket, or nothing.
func checkRedis(text string) error {
	u, err := url.Parse(text)
	if text == "" || err == nil && (u.Scheme == "redis" || u.Scheme == "rediss") && u.Hostname() != "" && isPort(u) ||
		err == nil && u.Scheme == "unix" && u.Path != "" {
		return nil
	}
	return errors.New("expected redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH, with USER:PASSWORD@ before the host if need be")
}

func isPort(u *url.URL) bool {
	return isNumber(u.Port()) || u.Port() == "" && !strings.HasSuffix(u.Host, ":")
}
