package pull

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// An againError is a failure that may pass.
type againError struct {
	err  error
	wait time.Duration // at least, before the next attempt
}

func (e *againError) Error() string { return e.err.Error() }
func (e *againError) Unwrap() error { return e.err }

var errStalled = errors.New("no more bytes come")

// broken words what happened to a connection. The address that a redirect led to is left out: it may hold a signature.
func broken(ctx context.Context, err error) error {
	var at *url.Error
	host := "the hub"
	if errors.As(err, &at) {
		err = at.Err
		if u, bad := url.Parse(at.URL); bad == nil {
			host = u.Host
		}
	}
	cause := context.Cause(ctx)
	var untrusted *x509.UnknownAuthorityError
	var name *x509.HostnameError
	var unknown *net.DNSError
	switch {
	case errors.Is(cause, errStalled):
		return &againError{err: fmt.Errorf("%s: %w", host, errStalled)}
	case cause != nil:
		return cause
	case errors.Is(err, errRedirect):
		return err
	case errors.As(err, &untrusted), errors.As(err, &name), errors.As(err, &unknown) && unknown.IsNotFound:
		return fmt.Errorf("%s cannot be reached: %w", host, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the connection was cut")
	}
	return &againError{err: fmt.Errorf("%s: %w", host, err)}
}

// retryAfter reads the header: seconds, or a date. What is neither is no wish.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// persist calls do until it succeeds or fails for good, which an [againError] becomes when that many in a row brought nothing.
func (h *Hub) persist(ctx context.Context, attempts int, say func(Event), do func() (news bool, err error)) error {
	for vain := 0; ; {
		news, err := do()
		var again *againError
		if !errors.As(err, &again) {
			return err
		}
		if news {
			vain = 0
		}
		if vain++; vain >= attempts {
			return fmt.Errorf("%w, %d times in a row; pull again later, and it goes on where it is", again.err, vain)
		}
		wait := max(again.wait, h.rest(vain))
		say(Event{Kind: Waiting, Wait: wait, Cause: again.err})
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// rest doubles with each attempt in vain, up to a minute, and varies by a fifth, so that many who were cut off together do not come back together.
func (h *Hub) rest(vain int) time.Duration {
	d := min(h.pause<<(vain-1), time.Minute)
	return d - time.Duration(rand.Int64N(int64(d)/5+1))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// A watch ends a request's context when nothing happens for too long.
type watch struct {
	stall  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

func newWatch(ctx context.Context, stall time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &watch{stall: stall, timer: time.AfterFunc(stall, func() { cancel(errStalled) }), cancel: cancel}
}

// Stop ends the watch and frees what the context holds.
func (w *watch) Stop() {
	w.timer.Stop()
	w.cancel(context.Canceled)
}

// watched is a body whose bytes keep the watch quiet.
type watched struct {
	body  io.ReadCloser
	ctx   context.Context // to tell a stall from a cut
	watch *watch
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if n > 0 {
		b.watch.timer.Reset(b.watch.stall)
	}
	if err != nil && err != io.EOF { //nolint:errorlint // io.EOF itself is the end; ErrUnexpectedEOF is a cut
		err = broken(b.ctx, err)
	}
	return n, err
}

func (b *watched) Close() error {
	b.watch.Stop()
	return b.body.Close()
}
