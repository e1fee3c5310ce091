package ratelimit

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// patience is how long Redis may take to answer. People wait for the acknowledgement.
const patience = 200 * time.Millisecond

// OpenRedis returns a client for a URL such as redis://:PASSWORD@HOST:6379/0, rediss:// for TLS, or unix:///PATH/redis.sock. It connects when it is first
// used, gives up after 200 ms and retries nothing, since [Fallback] does better. It also silences the library's own log for the whole process: what it says there
// comes back as an error too. No error shows the URL, which may have a password in it.
func OpenRedis(url string) (*redis.Client, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("ratelimit: the Redis URL cannot be read: expected redis://HOST:PORT/DATABASE, rediss://… or unix:///PATH")
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = patience, patience, patience, patience
	o.ContextTimeoutEnabled = true
	o.MaxRetries, o.DialerRetries = -1, 1
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	redis.SetLogger(silence{})
	return redis.NewClient(o), nil
}

// silence is a log that nobody reads.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
