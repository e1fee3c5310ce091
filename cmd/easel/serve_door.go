package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// A door is the HTTP server. It answers from the first moment: about health always, with a page that waits while the rooms
// behind it are made ready, and from then on with those.
type door struct {
	server   http.Server
	address  string
	loopback bool // only this machine can come in
	log      *slog.Logger
	rooms    atomic.Pointer[rooms]
	broken   chan error // what ended the server, unless that was close
}

// rooms are what lies behind the door.
type rooms struct {
	channel http.Handler
	hooks   http.Handler // what platforms call, from anywhere; they sign what they send
	ready   func(context.Context) readiness
}

// openDoor begins to answer on a listener.
func openDoor(l net.Listener, log *slog.Logger) *door {
	d := &door{address: l.Addr().String(), loopback: loopback(l.Addr()), log: log, broken: make(chan error, 1)}
	d.show(&rooms{channel: http.HandlerFunc(starting), ready: func(context.Context) readiness { return alone("engine", "starting") }})
	d.server = http.Server{
		Handler:           d.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // of a body that nobody reads, too; streams of events lift it for themselves
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := d.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.broken <- err
		}
	}()
	return d
}

func (d *door) show(r *rooms) { d.rooms.Store(r) }

// leave tells whoever asks that the server is about to go.
func (d *door) leave() {
	r := *d.rooms.Load()
	r.ready = func(context.Context) readiness { return alone("channel", "shutting down") }
	d.show(&r)
}

// close lets nobody in any more and waits for those who are in, until ctx ends; then they are cut off.
func (d *door) close(ctx context.Context) error {
	err := d.server.Shutdown(ctx)
	if ctx.Err() != nil {
		d.log.Warn("requests were cut off, since they did not end")
		err = d.server.Close()
	}
	return err
}

// watch waits until the door breaks, which is an error, or ctx is done.
func (d *door) watch(ctx context.Context) error {
	select {
	case err := <-d.broken:
		return fmt.Errorf("requests can no longer be taken: %w", err)
	case <-ctx.Done():
		return nil
	}
}

func (d *door) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", d.healthz)
	mux.HandleFunc("GET /readyz", d.readyz)
	mux.HandleFunc("/slack/", d.hook)
	if d.loopback {
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { d.rooms.Load().channel.ServeHTTP(w, r) })
	} else {
		mux.HandleFunc("/", forbidden)
	}
	return d.watched(mux)
}

// hook passes a platform's call on.
func (d *door) hook(w http.ResponseWriter, r *http.Request) {
	if hooks := d.rooms.Load().hooks; hooks != nil {
		hooks.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

// healthz says that the process lives. A loop of it that ends unasked ends the process.
func (d *door) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintln(w, fine)
}

func (d *door) readyz(w http.ResponseWriter, r *http.Request) {
	ready := d.rooms.Load().ready(r.Context())
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	if !ready.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(ready) // who asked may be gone
}

// watched writes one debug line for each request, and turns a panic into a 500 and an error in the log.
func (d *door) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, start := &answer{ResponseWriter: w}, time.Now()
		defer func() {
			if p := recover(); p != nil {
				d.panicked(seen, r, p)
			}
			d.log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", seen.code(), "took", time.Since(start))
		}()
		next.ServeHTTP(seen, r)
	})
}

func (d *door) panicked(w *answer, r *http.Request, p any) {
	err, _ := p.(error)
	abort := errors.Is(err, http.ErrAbortHandler) // a handler's way of cutting the connection
	if !abort {
		d.log.Error("a request panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
	}
	if abort || w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintln(w, `{"error":{"code":"failed","message":"Something went wrong on Easel's side; it is in the log."}}`)
}

// An answer remembers its status; 0 until there is one.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets [http.ResponseController] flush and set deadlines.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) code() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}
