package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/easelbot/easel/bot"
)

// headers go with every answer: nothing is loaded from elsewhere, framed, sniffed or told to other sites.
var headers = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
}

// guard lets only those requests through that are meant for this channel and come from its own page.
func (c *Channel) guard(next http.Handler) http.Handler {
	hosts := map[string]bool{}
	for _, host := range c.options.Hosts {
		hosts[strings.ToLower(host)] = true
	}
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		switch {
		case !named(hosts, r.Host):
			c.fail(w, r, misdirected(r.Host))
		case origin.Check(r) != nil:
			c.fail(w, r, errOrigin)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// named tells whether a request's host is one of those, with its port or without.
func named(hosts map[string]bool, host string) bool {
	host = strings.ToLower(host)
	alone := url.URL{Host: host}
	return hosts[host] || hosts[alone.Hostname()]
}

func misdirected(host string) error {
	return &bot.Error{Code: "host", Text: fmt.Sprintf("Easel does not answer to the name %.80q. Open it by the address it printed when it started.", host)}
}

// An endpoint answers one kind of request, or says what went wrong.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// methods are the endpoints of one address.
type methods map[string]endpoint

// patience is how long a request and its answer may take.
const patience = 30 * time.Second

// route serves an address.
func (c *Channel) route(m methods) http.HandlerFunc {
	allowed := m.allowed()
	return func(w http.ResponseWriter, r *http.Request) {
		answer, ok := m[r.Method]
		if !ok {
			w.Header().Set("Allow", allowed)
			c.fail(w, r, errMethod)
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience)) // a recorder has none
		if err := answer(w, r); err != nil {
			c.fail(w, r, err)
		}
	}
}

// members lets through only those who are known.
func (c *Channel) members(next func(w http.ResponseWriter, r *http.Request, me bot.Person) error) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		me, err := c.person(r)
		if err != nil {
			return err
		}
		if me.ID == "" {
			return errSession
		}
		if r.Method == http.MethodPost {
			if err := c.claim(r.Context(), me); err != nil {
				return err
			}
		}
		return next(w, r, me)
	}
}

// allowed lists the methods for the header Allow.
func (m methods) allowed() string { return strings.Join(slices.Sorted(maps.Keys(m)), ", ") }
