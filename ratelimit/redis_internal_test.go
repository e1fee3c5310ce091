package ratelimit

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var someone = Spender{Tenant: "home}{", Channel: "a:b", Person: "ada"}

func TestRedisKeys(t *testing.T) {
	c := startRedis(t).client()
	limits := Limits{Person: Limit{Burst: 4, PerHour: 60}, Channel: Limit{Burst: 6, PerHour: 2}, Tenant: Limit{Burst: 8}}
	r := NewRedis(c, limits, RedisOptions{})
	if err := errors.Join(r.Take(t.Context(), someone, 3), r.Refund(t.Context(), "job 1", someone, 1)); err != nil {
		t.Fatal(err)
	}
	const tag = "easel:{limit:home%7D%7B}:"
	want := map[string]time.Duration{ // and when it expires; -1: never
		tag + "person:ada":      3 * time.Minute,
		tag + "channel:a%3Ab":   time.Hour + time.Minute,
		tag + "tenant":          -1,
		tag + "refund:job+1":    -1,
		"of nobody else at all": -2,
	}
	for key, ttl := range want {
		if got := c.PTTL(t.Context(), key).Val(); got > ttl || got < ttl-10*time.Second {
			t.Errorf("%s expires in %v, not in %v", key, got, ttl)
		}
	}
	if n := c.DBSize(t.Context()).Val(); n != int64(len(want)-1) {
		t.Errorf("there are %d keys: %q", n, c.Keys(t.Context(), "*").Val())
	}
	if err := r.Refund(t.Context(), "job 2", someone, 2); err != nil {
		t.Fatal(err)
	}
	if left := c.Keys(t.Context(), "*:[pct]*").Val(); len(left) != 0 {
		t.Errorf("buckets that are full are still there: %q", left)
	}
}

func TestRedisForgetsRefunds(t *testing.T) {
	c := startRedis(t).client()
	tests := []struct {
		limits Limits
		want   time.Duration
	}{
		{Limits{Person: Limit{Burst: 1, PerHour: 60}}, time.Hour},
		{Limits{Person: Limit{Burst: 1, PerHour: 60}, Tenant: Limit{Burst: 20, PerHour: 10}}, 2 * time.Hour},
	}
	for i, tt := range tests {
		r := NewRedis(c, tt.limits, RedisOptions{Prefix: fmt.Sprint(i)})
		if err := r.Refund(t.Context(), "job", someone, 1); err != nil {
			t.Fatal(err)
		}
		if got := c.PTTL(t.Context(), r.key(someone, "refund:job")).Val(); got > tt.want || got < tt.want-10*time.Second {
			t.Errorf("%+v: a refund is forgotten after %v, not %v", tt.limits, got, tt.want)
		}
	}
}

// Without a clock of its own the time is Redis's.
func TestRedisTime(t *testing.T) {
	r := NewRedis(startRedis(t).client(), Limits{Person: Limit{Burst: 1, PerHour: 1}}, RedisOptions{})
	if err := r.Take(t.Context(), someone, 1); err != nil {
		t.Fatal(err)
	}
	var denied *DeniedError
	if err := r.Take(t.Context(), someone, 0.5); !errors.As(err, &denied) || denied.Retry > 30*time.Minute || denied.Retry < 29*time.Minute {
		t.Errorf("got %v, not to come back in half an hour", err)
	}
	at, err := r.client.HGet(t.Context(), r.key(someone, "person:ada"), "at").Int64()
	if away := time.Since(time.UnixMicro(at)).Abs(); err != nil || away > time.Minute {
		t.Errorf("the bucket is of %d, %v away from now, %v", at, away, err)
	}
}

// Sixty-four goroutines in two processes, as it were, spend what there is to the last and no further.
func TestRedisIsShared(t *testing.T) {
	s := startRedis(t)
	limits := Limits{Person: Limit{Burst: 3}, Tenant: Limit{Burst: 10}}
	limiters := [2]*Redis{NewRedis(s.client(), limits, RedisOptions{}), NewRedis(s.client(), limits, RedisOptions{})}
	var taken atomic.Int64
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			who := Spender{Tenant: "home", Person: fmt.Sprint(i % 16)}
			for range 5 {
				err := limiters[i%2].Take(t.Context(), who, 0.1)
				var denied *DeniedError
				switch {
				case err == nil:
					taken.Add(1)
				case !errors.As(err, &denied):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if taken.Load() != 100 {
		t.Errorf("%d tenths were spent of 100", taken.Load())
	}
}

func TestRedisStrangeAnswers(t *testing.T) {
	r := NewRedis(nil, Limits{Person: Limit{Burst: 1}}, RedisOptions{})
	for _, lacks := range [][]string{{"much"}, {"0", "0"}} {
		var denied *DeniedError
		if err := r.denial(lacks, 1); err == nil || errors.As(err, &denied) {
			t.Errorf("%q: got %v", lacks, err)
		}
	}
}

func TestOpenRedis(t *testing.T) {
	server := startRedis(t)
	c, err := OpenRedis("unix://" + server.dir + "/s")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	eventually(t, func() bool { return c.Ping(t.Context()).Err() == nil })
}

func TestOpenRedisURLs(t *testing.T) {
	for _, url := range []string{"redis://:hunter2@127.0.0.1:6379/2", "rediss://127.0.0.1", "unix:///run/redis.sock"} {
		c, err := OpenRedis(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if o := c.Options(); o.MaxRetries != 0 || o.ReadTimeout != patience || o.DialTimeout != patience {
			t.Errorf("%s: %d retries, %v to read, %v to dial", url, o.MaxRetries, o.ReadTimeout, o.DialTimeout)
		}
		_ = c.Close()
	}
	for _, url := range []string{"", "hunter2", "http://hunter2", "redis://:hunter2@[", "redis://host/hunter2"} {
		if _, err := OpenRedis(url); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", url, err)
		}
	}
}
