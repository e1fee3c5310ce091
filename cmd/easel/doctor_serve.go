package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/easelbot/easel/bot/web"
	"github.com/easelbot/easel/configs"
	"github.com/easelbot/easel/jobs"
	"github.com/easelbot/easel/moderation/review"
	"github.com/easelbot/easel/store"
)

// checkDisk looks at the room for what serve keeps.
func checkDisk(c configs.Config) check {
	free, err := freeSpace(existing(c.DataDir))
	switch {
	case err != nil:
		return failed("disk", fmt.Errorf("the disk of %s cannot be looked at (%w)", c.DataDir, err))
	case free < leastSpace:
		return failed("disk", fmt.Errorf("%d MiB are free where %s is, and serving wants %d; make room, or set data_dir or EASEL_DATA_DIR to another disk",
			free>>20, c.DataDir, leastSpace>>20))
	}
	return passed("disk", "%d MiB free", free>>20)
}

// existing is the nearest folder above a path that is there.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// checkAddress tries whether serve could listen, or finds that it does.
func checkAddress(ctx context.Context, c configs.Config) check {
	l, err := listen(ctx, c.Listen)
	if err == nil {
		_ = l.Close() // it has served its purpose
		return passed("address", "%s is free", c.Listen)
	}
	if url, ok := servedAt(c.DataDir); ok && errors.Is(err, syscall.EADDRINUSE) {
		return passed("address", "easel serves at %s", url)
	}
	return failed("address", err)
}

// servedAt is where the server answers, if one has written down in the data folder that it does.
func servedAt(dir string) (url string, ok bool) {
	b, err := os.ReadFile(filepath.Join(dir, addressFile))
	return strings.TrimSpace(string(b)), err == nil
}

// checkReview counts what waits for a moderator.
func checkReview(ctx context.Context, c configs.Config) check {
	file := filepath.Join(c.DataDir, databaseFile)
	if _, err := os.Stat(file); err != nil {
		return passed("review", "nothing waits for a moderator")
	}
	waiting, owner := 0, ""
	err := openDesk(ctx, c, file, func(d *jobs.Desk) error {
		cases, err := review.Waiting(ctx, d.Store, review.Scope{})
		waiting = len(cases)
		if err == nil {
			owner, err = ownerName(ctx, d.Store)
		}
		return err
	})
	switch {
	case err != nil:
		return failed("review", err)
	case waiting > 0:
		return passed("review", "%d wait for a moderator: decide with easel review list, approve and reject%s", waiting, owner)
	}
	return passed("review", "nothing waits for a moderator%s", owner)
}

func ownerName(ctx context.Context, db *store.DB) (string, error) {
	owner, seen, err := web.Owner(ctx, db)
	if err != nil || owner.ID == "" {
		return "", err
	}
	return fmt.Sprintf("; what waits in the local channel is shown to %q, last here %s", owner.Name, seen.Format(time.DateTime)), nil
}
