package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/easelbot/easel/bot"
	"github.com/easelbot/easel/imagine"
)

// progress shows how a request gets on: a bar on a terminal, else a line for every tenth of the work.
type progress struct {
	out    io.Writer
	count  int
	bar    *progressbar.ProgressBar // nil when not on a terminal
	tenths int                      // said so far
}

func newProgress(out io.Writer, count int) *progress {
	p := &progress{out: out, count: count}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(1,
			progressbar.OptionSetWriter(out),
			progressbar.OptionSetDescription(p.title()),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30),
			progressbar.OptionSetPredictTime(false),          // the engine knows better
			progressbar.OptionThrottle(100*time.Millisecond), // the engine waits while it is drawn
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

func (p *progress) title() string {
	if p.count == 1 {
		return "painting a picture"
	}
	return fmt.Sprintf("painting %d pictures", p.count)
}

func (p *progress) show(ev imagine.Event) {
	if ev.Total == 0 {
		return
	}
	if p.bar != nil {
		p.bar.Describe(p.title() + bot.LeftText(ev.Left))
		p.bar.ChangeMax(ev.Total)
		_ = p.bar.Set(ev.Calls) // a bar that cannot be drawn is no reason to stop
		return
	}
	if tenths := ev.Calls * 10 / ev.Total; tenths > p.tenths {
		p.tenths = tenths
		fmt.Fprintf(p.out, "%s: %d%%%s\n", p.title(), ev.Calls*100/ev.Total, bot.LeftText(ev.Left))
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear() // likewise
	}
}
