package main

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// A discordLine is a connection of the program with the gateway.
type discordLine struct {
	mu  sync.Mutex // of writing
	bot *websocket.Conn
}

func (l *discordLine) send(kind int, data []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bot.WriteMessage(kind, data)
}

// A discordEvent is what goes over the gateway.
type discordEvent struct {
	Op int
	T  string
	D  json.RawMessage
}

// resume is an opcode that the twin does not know. Discord may refuse it at any time, and then a bot identifies itself anew.
const (
	discordResume  = 6
	discordInvalid = `{"op":9,"d":false}`
)

// gateway leads to the twin's. No intent was asked for, so only what needs none comes through: the twin tells everything.
func (d *discordProxy) gateway(w http.ResponseWriter, r *http.Request) {
	bot, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return // it has been answered
	}
	defer func() { _ = bot.Close() }()
	twin, res, err := websocket.DefaultDialer.Dial(d.twin.gateway(), nil)
	if err != nil {
		return
	}
	res.Body.Close()
	defer func() { _ = twin.Close() }()
	line := &discordLine{bot: bot}
	defer d.gone(line)
	go func() {
		line.toTwin(twin)
		_, _ = twin.Close(), bot.Close() // which ends the other direction
	}()
	d.toBot(line, twin)
}

func (l *discordLine) toTwin(twin *websocket.Conn) {
	for {
		kind, data, err := l.bot.ReadMessage()
		if err != nil {
			return
		}
		var e discordEvent
		if json.Unmarshal(data, &e) == nil && e.Op == discordResume {
			err = l.send(kind, []byte(discordInvalid))
		} else {
			err = twin.WriteMessage(kind, data)
		}
		if err != nil {
			return
		}
	}
}

func (d *discordProxy) toBot(line *discordLine, twin *websocket.Conn) {
	for {
		kind, data, err := twin.ReadMessage()
		if err != nil {
			return
		}
		var e discordEvent
		if err := json.Unmarshal(data, &e); err != nil {
			return
		}
		switch {
		case e.T == "INTERACTION_CREATE":
			d.deliver(discordDelivery{line, e.D, data})
			continue
		case e.Op == 0 && e.T != "READY":
			continue
		}
		if line.send(kind, data) != nil {
			return
		}
		if e.T == "READY" {
			d.mu.Lock()
			d.line = line
			d.mu.Unlock()
		}
	}
}

// A discordDelivery is an interaction on its way to the program.
type discordDelivery struct {
	line              *discordLine
	interaction, data []byte
}

// together does what makes the twin begin an interaction. The twin takes some milliseconds for each, so what many people do
// at the same moment is held back until it has begun them all, and then delivered at once.
func (d *discordProxy) together(begin func() error) error {
	d.mu.Lock()
	d.acting++
	d.mu.Unlock()
	err := begin()
	d.mu.Lock()
	d.acting--
	d.mu.Unlock()
	d.deliver()
	return err
}

func (d *discordProxy) deliver(more ...discordDelivery) {
	d.mu.Lock()
	d.held = append(d.held, more...)
	var list []discordDelivery
	if d.acting == 0 {
		list, d.held = d.held, nil
	}
	d.mu.Unlock()
	for _, x := range list {
		d.begun(x.interaction)
		_ = x.line.send(websocket.TextMessage, x.data) // it may have been killed
	}
}

// newest is the line that was made last, if it is still there.
func (d *discordProxy) newest() *discordLine {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.line
}

func (d *discordProxy) gone(line *discordLine) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.line == line {
		d.line = nil
	}
}

// A discordInteraction is something that somebody did. The proxy's lock guards it, until it is acknowledged.
type discordInteraction struct {
	id, user     string
	began, ended time.Time
	acknowledged chan struct{}
	deferred     bool // a deferral holds the place of its answer
	hidden       bool // that place is for one person
}

// took is how long the acknowledgement took.
func (i *discordInteraction) took() time.Duration { return i.ended.Sub(i.began) }

// interaction is that of an ID, whoever hears of it first.
func (d *discordProxy) interaction(id string) *discordInteraction {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.interactions[id] == nil {
		d.interactions[id] = &discordInteraction{id: id, acknowledged: make(chan struct{})}
	}
	return d.interactions[id]
}

// begun notes an interaction that is handed to the program.
func (d *discordProxy) begun(data []byte) {
	var what struct {
		ID, Token string
		Member    struct{ User struct{ ID string } }
	}
	if json.Unmarshal(data, &what) != nil {
		return
	}
	i := d.interaction(what.ID)
	d.mu.Lock()
	defer d.mu.Unlock()
	i.user, i.began, d.tokens[what.Token] = what.Member.User.ID, time.Now(), i
}

// heard notes that an interaction was acknowledged at a time.
func (d *discordProxy) heard(i *discordInteraction, at time.Time, deferred, hidden bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i.ended.IsZero() {
		i.ended, i.deferred, i.hidden = at, deferred, hidden
		close(i.acknowledged)
	}
}

// TestDiscordResume: the twin's gateway would leave a resume unanswered.
func TestDiscordResume(t *testing.T) {
	s := newDiscordStage(t)
	bot, res, err := websocket.DefaultDialer.Dial("ws"+s.url[len("http"):]+"/gateway/?v=9&encoding=json", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	defer func() { _ = bot.Close() }()
	if err := bot.WriteJSON(map[string]any{"op": discordResume, "d": map[string]any{}}); err != nil {
		t.Fatal(err)
	}
	for {
		var e discordEvent
		if err := bot.ReadJSON(&e); err != nil {
			t.Fatal(err)
		}
		if e.Op == 9 {
			return
		}
	}
}
