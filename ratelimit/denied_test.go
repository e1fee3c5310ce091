package ratelimit

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDeniedError(t *testing.T) {
	const soon = 39*time.Second + time.Nanosecond
	tests := []struct {
		e             DeniedError
		polite, terse string
	}{
		{
			DeniedError{"person", soon, 2, 8},
			"You have used up your credits for now; try again in 40 s.",
			"the person has spent its credits; try again in 40 s",
		},
		{
			DeniedError{"channel", soon, 2, 8},
			"This channel has used up its credits for now; try again in 40 s.",
			"the channel has spent its credits; try again in 40 s",
		},
		{
			DeniedError{"tenant", soon, 2, 8},
			"Everybody here together has used up the credits for now; try again in 40 s.",
			"the tenant has spent its credits; try again in 40 s",
		},
		{
			DeniedError{"person", 0, 12, 8},
			"This asks for 12 credits at once and you can spend at most 8; ask for fewer or smaller pictures.",
			"it costs 12 credits, and a person can spend at most 8 at once",
		},
		{
			DeniedError{"channel", 0, 8.00001, 7.99999},
			"This asks for 8.0001 credits at once and this channel can spend at most 7.9999; ask for fewer or smaller pictures.",
			"it costs 8.0001 credits, and a channel can spend at most 7.9999 at once",
		},
		{
			DeniedError{"tenant", 0, 0.1 + 0.2, 0.25},
			"This asks for 0.3 credits at once and everybody here together can spend at most 0.25; ask for fewer or smaller pictures.",
			"it costs 0.3 credits, and a tenant can spend at most 0.25 at once",
		},
		{
			DeniedError{"person", 0, 2, 8},
			"You have too few credits left for this, and they do not come back; ask for fewer or smaller pictures.",
			"the person has spent its credits, and its limit lets none come back",
		},
	}
	for _, tt := range tests {
		if got := tt.e.Polite(); got != tt.polite {
			t.Errorf("%+v\ngot  %s\nwant %s", tt.e, got, tt.polite)
		}
		if got := tt.e.Error(); got != tt.terse {
			t.Errorf("%+v\ngot  %s\nwant %s", tt.e, got, tt.terse)
		}
	}
}

func TestWords(t *testing.T) {
	tests := []struct {
		wait time.Duration
		want string
	}{
		{1, "1 s"},
		{time.Second, "1 s"},
		{time.Second + 1, "2 s"},
		{59 * time.Second, "59 s"},
		{59*time.Second + 1, "1 min"},
		{time.Minute, "1 min"},
		{time.Minute + 1, "2 min"},
		{59 * time.Minute, "59 min"},
		{59*time.Minute + 1, "1 h"},
		{time.Hour + 1, "1 h 1 min"},
		{130 * time.Minute, "2 h 10 min"},
		{23*time.Hour + 59*time.Minute + 1, "1 d"},
		{24*time.Hour + 1, "1 d 1 h"},
		{75 * time.Hour, "3 d 3 h"},
		{math.MaxInt64, "106752 d"},
	}
	for _, tt := range tests {
		if got := words(tt.wait); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.wait, got, tt.want)
		}
	}
}

// Whoever comes back when they are told is not too early, and not much too late.
func TestWordsAreRoundedUp(t *testing.T) {
	short := strings.NewReplacer("min", "m", " ", "")
	rapid.Check(t, func(t *rapid.T) {
		wait := time.Duration(rapid.Int64Range(1, int64(23*time.Hour)).Draw(t, "wait"))
		told, err := time.ParseDuration(short.Replace(words(wait)))
		if late := told - wait; err != nil || late < 0 || late >= max(time.Second, min(time.Minute, wait)) {
			t.Fatalf("%v: %q is %v late, %v", wait, words(wait), late, err)
		}
	})
}
