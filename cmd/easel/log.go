package main

import (
	"io"
	"log/slog"

	"github.com/easelbot/easel/configs"
)

// newLogger writes what the operator asked to see. Prompts are not logged.
func newLogger(c configs.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		level = slog.LevelInfo // Validate lets no other level through
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
