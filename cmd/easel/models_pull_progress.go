package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/easelbot/easel/generator/model/pull"
)

// pullProgress shows how a pull gets on: a bar on a terminal, else a line for every tenth of the bytes.
type pullProgress struct {
	out      io.Writer
	name     string
	terminal bool
	bar      *progressbar.ProgressBar // nil when not on a terminal, or before the first byte
	kind     pull.Kind                // that the bar shows
	tenths   int64                    // said so far
}

func newPullProgress(out io.Writer, name string) *pullProgress {
	f, ok := out.(*os.File)
	return &pullProgress{out: out, name: name, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// say writes a line, above the bar if there is one.
func (p *pullProgress) say(format string, args ...any) {
	p.end()
	fmt.Fprintf(p.out, "%s: %s\n", p.name, fmt.Sprintf(format, args...))
}

func (p *pullProgress) event(ev pull.Event) {
	switch {
	case ev.Kind == pull.Waiting:
		p.say("%v; again in %v", ev.Cause, ev.Wait.Round(100*time.Millisecond))
	case ev.Total == 0:
	case p.terminal:
		p.draw(ev)
	default:
		p.lines(ev)
	}
}

func (p *pullProgress) draw(ev pull.Event) {
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(ev.Total,
			progressbar.OptionSetWriter(p.out),
			progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
		p.kind = pull.Waiting // which no bar shows
	}
	if p.kind != ev.Kind {
		p.kind = ev.Kind
		p.bar.Describe(doing(ev.Kind) + " " + p.name)
	}
	p.bar.ChangeMax64(ev.Total)
	_ = p.bar.Set64(ev.Done) // a bar that cannot be drawn is no reason to stop
}

func (p *pullProgress) lines(ev pull.Event) {
	if tenths := ev.Done * 10 / ev.Total; tenths > p.tenths || tenths < p.tenths-1 {
		p.tenths = tenths
		fmt.Fprintf(p.out, "%s %s: %d%%, %s of %s\n", doing(ev.Kind), p.name, ev.Done*100/ev.Total, pull.SizeText(ev.Done), pull.SizeText(ev.Total))
	}
}

func doing(kind pull.Kind) string {
	if kind == pull.Checking {
		return "checking"
	}
	return "fetching"
}

func (p *pullProgress) end() {
	if p.bar != nil {
		_ = p.bar.Clear() // likewise
		p.bar = nil
	}
}
