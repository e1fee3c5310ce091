package discord

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"
)

// Waits of the gateway.
const (
	silence  = 2 * time.Minute // the gateway answers heartbeats about every 40 s
	firstGap = time.Second     // before the first try to connect again, doubled with each
	longGap  = time.Minute
	drain    = 10 * time.Second // for what is still being answered when the adapter ends
)

// Run registers the commands where they have changed, connects, and hands what people do to the conversation until ctx
// ends. Then it takes nothing new, finishes what it began, and returns nil. A connection that breaks is made again; an error
// is what no retry would mend. Run it once.
func (a *Adapter) Run(ctx context.Context, talk Conversation) error {
	defer a.close()
	if err := a.register(ctx, talk.Options()); err != nil {
		return err
	}
	gone := make(chan struct{}, 1)
	a.session.AddHandler(func(_ *discordgo.Session, _ *discordgo.Connect) { a.online.Store(true) })
	a.session.AddHandler(func(_ *discordgo.Session, _ *discordgo.Disconnect) {
		a.online.Store(false)
		select {
		case gone <- struct{}{}:
		default:
		}
	})
	a.session.AddHandler(func(_ *discordgo.Session, e *discordgo.InteractionCreate) {
		a.guarded(func(ctx context.Context) { a.interaction(ctx, talk, e.Interaction) })
	})
	return a.stay(ctx, gone)
}

// stay keeps the gateway connected. discordgo would do so whatever the reason and without an end.
func (a *Adapter) stay(ctx context.Context, gone <-chan struct{}) error {
	wait, first := firstGap, true
	for {
		stop := context.AfterFunc(ctx, a.lines.cut) // Open heeds no context
		err := a.session.Open()
		stop()
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was told to end
		case err == nil || errors.Is(err, discordgo.ErrWSAlreadyOpen):
			a.options.Log.Info("connected to Discord")
			wait, first = firstGap, false
			select {
			case <-gone:
			case <-ctx.Done():
				return nil
			}
			a.options.Log.Warn("the connection to Discord is gone, it is made again")
		case first || hopeless(err):
			return fmt.Errorf("connecting to Discord's gateway: %w", redact(err))
		default:
			a.options.Log.Warn("Discord's gateway cannot be reached, it is tried again", "wait", wait, "error", redact(err))
			wait = min(2*wait, longGap)
		}
		if sleep(ctx, wait) != nil {
			return nil //nolint:nilerr // it was told to end
		}
	}
}

// hopeless tells the close codes after which trying again is of no use: token, shard, sharding, version, intents.
func hopeless(err error) bool {
	return websocket.IsCloseError(err, 4004, 4010, 4011, 4012, 4013, 4014)
}

// close ends the connection, then what it had begun.
func (a *Adapter) close() {
	_ = a.session.Close() // it always returns nil
	a.lines.cut()
	a.tasks.end(drain)
	a.session.Client.CloseIdleConnections()
}

// guarded runs f beside the caller; a panic in it ends f alone.
func (a *Adapter) guarded(f func(ctx context.Context)) bool {
	return a.tasks.begin(func(ctx context.Context) {
		defer func() {
			if p := recover(); p != nil {
				a.options.Log.Error("a Discord handler panicked", "panic", p)
			}
		}()
		f(ctx)
	})
}

// tasks are what runs beside the gateway, so that an end can wait for it.
type tasks struct {
	ctx    context.Context // of all of them
	cancel context.CancelFunc
	mu     sync.Mutex
	ended  bool
	group  sync.WaitGroup
}

// begin runs f, unless the tasks have ended.
func (t *tasks) begin(f func(ctx context.Context)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return false
	}
	t.group.Go(func() { f(t.ctx) })
	return true
}

// end lets no task begin any more, waits for the others so long, and then cancels them.
func (t *tasks) end(wait time.Duration) {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	timer := time.AfterFunc(wait, t.cancel)
	t.group.Wait()
	timer.Stop()
	t.cancel()
}

// lines are the gateway's connections. Each read has a deadline, for discordgo sets none and would wait for a server that
// says nothing, with its session locked.
type lines struct {
	mu   sync.Mutex
	open map[net.Conn]bool
	done bool
}

func newLines() *lines { return &lines{open: map[net.Conn]bool{}} }

func (l *lines) dialer() *websocket.Dialer {
	return &websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, HandshakeTimeout: 20 * time.Second,
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return l.add(conn)
		},
	}
}

func (l *lines) add(conn net.Conn) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	l.open[conn] = true
	return &line{conn, l}, nil
}

// cut closes what is open, and what would be opened later.
func (l *lines) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = true
	for conn := range l.open {
		_ = conn.Close()
	}
}

type line struct {
	net.Conn
	lines *lines
}

// Read implements [net.Conn].
func (l *line) Read(p []byte) (int, error) {
	if err := l.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return l.Conn.Read(p)
}

// Close implements [net.Conn].
func (l *line) Close() error {
	l.lines.mu.Lock()
	delete(l.lines.open, l.Conn)
	l.lines.mu.Unlock()
	return l.Conn.Close()
}
