package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"
)

// A request to the REST API.
type request struct {
	method string
	path   string // below the version: "channels/1/messages"
	bucket string // whose rate limit it counts to; empty: a limit of its own
	body   any    // nil: none
	files  []*discordgo.File
	spare  bool // only if the limit leaves room for others, and never twice
}

// errNoRoom is why a spare request was not made.
var errNoRoom = errors.New("the rate limit has no room to spare")

const maxTries = 5 // of a request that meets the rate limit

// call makes a request, waits out rate limits while ctx allows it, and decodes the answer into what is not nil.
func (a *Adapter) call(ctx context.Context, r request, into any) error {
	kind, body, err := encode(r)
	if err != nil {
		return fmt.Errorf("encoding a request: %w", err)
	}
	for try := 1; ; try++ {
		answer, err := a.once(ctx, r, kind, body)
		var limited *discordgo.RateLimitError
		if errors.As(err, &limited) && !r.spare && try < maxTries {
			if err := sleep(ctx, limited.RetryAfter); err != nil {
				return fmt.Errorf("waiting for Discord's rate limit: %w", err)
			}
			continue
		}
		if err != nil {
			return redact(err)
		}
		if into == nil {
			return nil
		}
		return json.Unmarshal(answer, into)
	}
}

func encode(r request) (kind string, body []byte, err error) {
	if r.body == nil {
		return "", nil, nil
	}
	for _, f := range r.files {
		if _, err := f.Reader.(io.Seeker).Seek(0, io.SeekStart); err != nil {
			return "", nil, err
		}
	}
	if len(r.files) > 0 {
		return discordgo.MultipartBodyWithJSON(r.body, r.files)
	}
	body, err = json.Marshal(r.body)
	return "application/json", body, err
}

// once makes a request in its bucket, without discordgo's own repeats, which heed no context.
func (a *Adapter) once(ctx context.Context, r request, kind string, body []byte) ([]byte, error) {
	limits := a.session.Ratelimiter
	if r.bucket == "" {
		limits = discordgo.NewRatelimiter()
	}
	bucket, err := lock(ctx, limits, r)
	if err != nil {
		return nil, err
	}
	return a.session.RequestWithLockedBucket(r.method, discordgo.EndpointAPI+r.path, kind, body, bucket, 0,
		discordgo.WithContext(ctx), discordgo.WithRetryOnRatelimit(false), discordgo.WithRestRetries(0))
}

// lock takes a request's bucket. discordgo waits for it without a context, so it waits beside us.
func lock(ctx context.Context, limits *discordgo.RateLimiter, r request) (*discordgo.Bucket, error) {
	if r.spare {
		b := limits.GetBucket(r.bucket)
		if !b.TryLock() {
			return nil, errNoRoom
		}
		if limits.GetWaitTime(b, 2) > 0 {
			b.Unlock()
			return nil, errNoRoom
		}
		b.Remaining--
		return b, nil
	}
	locked := make(chan *discordgo.Bucket)
	go func() {
		b := limits.LockBucket(r.bucket)
		select {
		case locked <- b:
		case <-ctx.Done():
			b.Remaining++
			b.Unlock()
		}
	}()
	select {
	case b := <-locked:
		return b, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for Discord's rate limit: %w", ctx.Err())
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// redact takes the address out of an error, for an interaction's token may stand in it.
func redact(err error) error {
	var limited *discordgo.RateLimitError
	if errors.As(err, &limited) {
		return fmt.Errorf("discord's rate limit is reached, come back in %s", limited.RetryAfter)
	}
	var transport *url.Error
	if errors.As(err, &transport) {
		return fmt.Errorf("discord cannot be reached: %w", transport.Err)
	}
	return err
}

// status is the HTTP status of an error; 0: it has none.
func status(err error) int {
	var rest *discordgo.RESTError
	if errors.As(err, &rest) && rest.Response != nil {
		return rest.Response.StatusCode
	}
	return 0
}

// code is Discord's own code of an error; 0: it has none.
func code(err error) int {
	var rest *discordgo.RESTError
	if errors.As(err, &rest) && rest.Message != nil {
		return rest.Message.Code
	}
	return 0
}

// A transport sends discordgo's requests where the options say. discordgo's own addresses are variables of the whole
// process, so they stay as they are.
type transport struct {
	base    *http.Transport
	api     *url.URL // nil: Discord's own
	gateway string   // empty: as the API says
}

func newTransport(o Options) (*transport, error) {
	t := &transport{base: http.DefaultTransport.(*http.Transport).Clone(), gateway: o.GatewayURL}
	t.base.MaxIdleConnsPerHost = 32 // many commands are answered at once
	if o.APIURL == "" {
		return t, nil
	}
	api, err := url.Parse(o.APIURL)
	if err != nil || api.Host == "" {
		return nil, errors.New("discord.api_url is no address; write it like http://127.0.0.1:1234/api")
	}
	t.api = api
	return t, nil
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.gateway != "" && r.URL.Path == "/api/v"+discordgo.APIVersion+"/gateway" {
		return t.answerGateway(r)
	}
	if t.api != nil {
		r = r.Clone(r.Context())
		path := strings.TrimRight(t.api.Path, "/") + strings.TrimPrefix(r.URL.Path, "/api")
		r.URL.Scheme, r.URL.Host, r.URL.Path, r.URL.RawPath, r.Host = t.api.Scheme, t.api.Host, path, "", t.api.Host
	}
	return t.base.RoundTrip(r)
}

func (t *transport) answerGateway(r *http.Request) (*http.Response, error) {
	body, err := json.Marshal(map[string]string{"url": t.gateway})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// CloseIdleConnections lets [http.Client.CloseIdleConnections] reach the connections.
func (t *transport) CloseIdleConnections() { t.base.CloseIdleConnections() }
