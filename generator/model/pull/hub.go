package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultHub is Hugging Face's own address.
const DefaultHub = "https://huggingface.co"

// A Hub is a server that has models. It is safe for use by several goroutines.
type Hub struct {
	base     *url.URL
	client   *http.Client
	withheld bool // there is a token, but no encryption to send it under

	attempts int           // in a row that may bring nothing of a file; half as many for lists
	pause    time.Duration // after the first of them; it doubles
	stall    time.Duration // without a byte until a connection counts as broken
	patience time.Duration // the longest that a server may ask us to wait
}

// NewHub returns the hub at an address, "" meaning [DefaultHub]. The token may be "". It is sent to that address alone, and only
// encrypted or within this machine.
func NewHub(address, token string) (*Hub, error) {
	if address == "" {
		address = DefaultHub
	}
	base, err := url.Parse(strings.TrimRight(address, "/"))
	switch {
	case err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "" || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("the hub's address must be like https://hub.example, perhaps with a path")
	case base.User != nil:
		return nil, errors.New("the hub's address must not hold a user or a password; a token goes into HF_TOKEN or --token-file")
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("the token has spaces, line ends or letters that no token has; copy it again")
	}
	h := &Hub{base: base, attempts: 8, pause: time.Second, stall: 30 * time.Second, patience: 5 * time.Minute}
	if token != "" && base.Scheme == "http" && !loopback(base.Hostname()) {
		token, h.withheld = "", true
	}
	h.client = &http.Client{Transport: newDoorkeeper(base, token), CheckRedirect: checkRedirect}
	return h, nil
}

// Withheld reports that the token is not sent because the hub's address is not encrypted.
func (h *Hub) Withheld() bool { return h.withheld }

// Page is where a person reads about a model, and agrees to its licence.
func (h *Hub) Page(s Source) string { return h.base.JoinPath(s.Repo).String() }

// loopback reports whether a host is this machine.
func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// A doorkeeper shows the token at one door alone: each request passes here, those of redirects too.
type doorkeeper struct {
	base  *url.URL
	token string
	next  http.RoundTripper
}

func newDoorkeeper(base *url.URL, token string) *doorkeeper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true // lengths and ranges are those of the files
	return &doorkeeper{base: base, token: token, next: t}
}

// RoundTrip sends a request, with the token if it goes to the hub itself.
func (d *doorkeeper) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("Authorization")
	r.Header.Del("Referer")
	r.Header.Set("User-Agent", "easel")
	if d.token != "" && r.URL.Scheme == d.base.Scheme && r.URL.Host == d.base.Host {
		r.Header.Set("Authorization", "Bearer "+d.token)
	}
	return d.next.RoundTrip(r)
}

var errRedirect = errors.New("the hub redirects where easel does not follow")

func checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) > 10:
		return fmt.Errorf("%w: more than ten times", errRedirect)
	case via[len(via)-1].URL.Scheme == "https" && r.URL.Scheme != "https":
		return fmt.Errorf("%w: from an encrypted address to one that is not", errRedirect)
	}
	return nil
}

// get asks for something until there is an answer with status 200 or 206. The body fails with [errStalled] when no byte comes for too long.
// Errors are of type [againError] when asking again may help.
func (h *Hub) get(ctx context.Context, u *url.URL, header http.Header) (*http.Response, error) {
	ctx, watch := newWatch(ctx, h.stall)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		watch.Stop()
		return nil, errors.New("the hub's address cannot be used")
	}
	for key, values := range header {
		request.Header[key] = values
	}
	response, err := h.client.Do(request)
	if err != nil {
		defer watch.Stop()
		return nil, broken(ctx, err)
	}
	response.Body = &watched{body: response.Body, ctx: ctx, watch: watch}
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusPartialContent {
		return response, nil
	}
	defer response.Body.Close()
	return nil, h.refusal(response)
}

// A statusError is an answer that asking again would not better.
type statusError struct {
	status int
	code   string // the hub's X-Error-Code
	host   string
}

// Error says which server answered what; those who know what was asked for say more.
func (e *statusError) Error() string {
	return fmt.Sprintf("%s answers %d %s", e.host, e.status, http.StatusText(e.status))
}

func (h *Hub) refusal(r *http.Response) error {
	err := &statusError{status: r.StatusCode, code: r.Header.Get("X-Error-Code"), host: r.Request.URL.Host}
	switch r.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		wait := retryAfter(r.Header.Get("Retry-After"), time.Now())
		if wait > h.patience {
			return fmt.Errorf("%w and asks to come back in %v; pull again then, and it goes on where it is", err, wait.Round(time.Second))
		}
		return &againError{err: err, wait: wait}
	}
	return err
}
