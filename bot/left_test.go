package bot_test

import (
	"testing"
	"time"

	"github.com/easelbot/easel/bot"
)

func TestLeftText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                      "",
		300 * time.Millisecond: ", about 1 s left",
		11 * time.Second:       ", about 12 s left",
		100 * time.Second:      ", about 2 min left",
		59 * time.Minute:       ", about 59 min left",
		-time.Second:           "",
	} {
		if got := bot.LeftText(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
