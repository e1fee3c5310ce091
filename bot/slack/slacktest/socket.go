package slacktest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// pingPause is how often sockets are pinged.
const pingPause = 10 * time.Second

// maxAck is how many bytes of an acknowledgement Slack reads; it drops what is longer without a word.
const maxAck = 20_000

// A socket is one that the bot opened.
type socket struct {
	conn   *websocket.Conn
	write  sync.Mutex
	alive  bool          // it has answered a ping since it was asked to
	leave  bool          // nothing more is sent over it
	closed chan struct{} // closed with it
}

func (k *socket) send(v any) error {
	k.write.Lock()
	defer k.write.Unlock()
	return k.conn.WriteJSON(v)
}

func (k *socket) ping() {
	_ = k.conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second))
}

func (s *Server) newTicket(url.Values) (answer, string) {
	ticket := rand.Text()
	s.tickets[ticket] = true
	return answer{"url": "ws" + strings.TrimPrefix(s.http.URL, "http") + "/link?ticket=" + ticket}, ""
}

// open is a socket, from its hello to its end.
func (s *Server) open(w http.ResponseWriter, r *http.Request) {
	ticket := r.FormValue("ticket")
	s.mu.Lock()
	good := s.tickets[ticket]
	delete(s.tickets, ticket)
	s.mu.Unlock()
	if !good {
		http.Error(w, "this address has been used, or never was one", http.StatusForbidden)
		return
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it has been told why
	}
	s.keep(&socket{conn: conn, closed: make(chan struct{})})
}

// keep keeps a socket until it breaks.
func (s *Server) keep(k *socket) {
	defer s.drop(k)
	k.conn.SetPongHandler(func(string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		k.alive = true
		s.change()
		return nil
	})
	s.mu.Lock()
	s.sockets = append(s.sockets, k)
	n := len(s.sockets)
	s.change()
	s.mu.Unlock()
	if k.send(map[string]any{"type": "hello", "num_connections": n, "connection_info": map[string]any{"app_id": "A1"}}) != nil {
		return
	}
	go s.beat(k)
	s.listen(k)
}

// beat pings a socket now and then.
func (s *Server) beat(k *socket) {
	tick := time.NewTicker(pingPause)
	defer tick.Stop()
	for {
		k.ping()
		select {
		case <-tick.C:
		case <-k.closed:
			return
		case <-s.down:
			_ = k.conn.Close()
			return
		}
	}
}

// listen hands acknowledgements to who waits for them.
func (s *Server) listen(k *socket) {
	for {
		_, message, err := k.conn.ReadMessage()
		if err != nil {
			return
		}
		var said struct {
			Envelope string `json:"envelope_id"`
			Payload  json.RawMessage
		}
		if len(message) >= maxAck {
			continue
		}
		err = json.Unmarshal(message, &said)
		ack, bad := acked(said.Payload)
		if err != nil || bad != nil || said.Envelope == "" {
			s.tb.Errorf("Slack could not read %s", message)
			continue
		}
		s.mu.Lock()
		waiting := s.pending[said.Envelope]
		delete(s.pending, said.Envelope)
		s.mu.Unlock()
		if waiting != nil {
			waiting <- ack
		}
	}
}

func (s *Server) drop(k *socket) {
	_ = k.conn.Close()
	close(k.closed)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets = slices.DeleteFunc(s.sockets, func(other *socket) bool { return other == k })
	s.change()
}

// overSocket sends a delivery in an envelope, over one of the sockets, and over another one when that breaks.
func (s *Server) overSocket(ctx context.Context, kind string, payload map[string]any) (Ack, error) {
	answered := make(chan Ack, 1)
	s.mu.Lock()
	id := s.number("envelope-")
	s.pending[id] = answered
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.pending, id)
	}()
	for attempt := 0; ; attempt++ {
		k, err := s.next(ctx, attempt > 0)
		if err != nil {
			return Ack{}, err
		}
		_ = k.send(map[string]any{ // if that fails the socket is closed soon
			"envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": true, "retry_attempt": attempt,
		})
		select {
		case ack := <-answered:
			return ack, nil
		case <-k.closed:
		case <-ctx.Done():
			return Ack{}, ErrTimeout
		}
	}
}

// next is the socket whose turn it is. If there is none it fails, or waits for one.
func (s *Server) next(ctx context.Context, wait bool) (*socket, error) {
	for {
		s.mu.Lock()
		news := s.news
		open := slices.DeleteFunc(slices.Clone(s.sockets), func(k *socket) bool { return k.leave })
		s.turn++
		turn := s.turn
		s.mu.Unlock()
		switch {
		case len(open) > 0:
			return open[turn%len(open)], nil
		case !wait:
			return nil, ErrDispatch
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, ErrTimeout
		}
	}
}

// Connected waits for a bot that has a socket and answers there, which one that was killed does not.
func (s *Server) Connected(tb testing.TB) {
	tb.Helper()
	s.mu.Lock()
	for _, k := range s.sockets {
		k.alive = false
		go k.ping()
	}
	s.mu.Unlock()
	s.until(tb, "a bot is connected", func() bool {
		return slices.ContainsFunc(s.sockets, func(k *socket) bool { return k.alive && !k.leave })
	})
}

// Refresh asks the bot to open a new socket for each that it has, as Slack does every few hours.
func (s *Server) Refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		k.leave = true
		_ = k.send(map[string]any{"type": "disconnect", "reason": "refresh_requested"})
	}
}

// Break breaks the bot's sockets without a word.
func (s *Server) Break() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		k.leave = true
		_ = k.conn.Close()
	}
}
