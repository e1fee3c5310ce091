package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis keeps the buckets in a Redis server (6 or later), for all processes that use it. Each call is one script, which Redis runs alone, so that
// any number of processes spend no more than the limits together. It is safe for concurrent use.
//
// # Keys
//
// With the prefix "easel", and a tenant "home":
//
//	easel:{limit:home}:person:ada   a bucket: a hash of spent (credits missing) and at (when, in microseconds of Unix time)
//	easel:{limit:home}:channel:art  the same
//	easel:{limit:home}:tenant       the same
//	easel:{limit:home}:refund:JOB   there when the job's refund was made
//
// Names are escaped as in a URL's query. The braces keep a tenant on one slot of a cluster. A bucket's key expires a minute after it is full again, a refund's
// when it may be forgotten; where nothing comes back they stay.
//
// # Time
//
// The time is Redis's own unless [RedisOptions] has a clock: processes whose clocks differ would else give and take credits between them. A jump back is
// noticed bucket by bucket, and what came back to one since its last request may then have to come back again.
//
// A job's refund is remembered within its tenant.
type Redis struct {
	client redis.UniversalClient
	o      RedisOptions
	keep   time.Duration // of refunds; never: for ever
	kinds  []redisKind
}

// RedisOptions may be zero.
type RedisOptions struct {
	Prefix string           // before every key; "" is "easel"
	Now    func() time.Time // the clock; nil is Redis's own
}

// A redisKind is one limit and where its buckets are.
type redisKind struct {
	name  string
	limit Limit
	key   func(Spender) string // within the tenant
}

// NewRedis returns a limiter on the server that client is connected to. The client should not retry commands, as [OpenRedis] sees to: a request whose answer
// is lost would be charged twice. It is the caller's to close.
func NewRedis(client redis.UniversalClient, l Limits, o RedisOptions) *Redis {
	if o.Prefix == "" {
		o.Prefix = "easel"
	}
	r := &Redis{client: client, o: o, keep: time.Hour}
	r.limit("person", l.Person, func(s Spender) string { return "person:" + url.QueryEscape(s.Person) })
	r.limit("channel", l.Channel, func(s Spender) string { return "channel:" + url.QueryEscape(s.Channel) })
	r.limit("tenant", l.Tenant, func(Spender) string { return "tenant" })
	return r
}

func (r *Redis) limit(name string, l Limit, key func(Spender) string) {
	if l == (Limit{}) {
		return
	}
	if l.Burst == 0 {
		l.Burst = l.PerHour
	}
	r.kinds = append(r.kinds, redisKind{name, l, key})
	r.keep = max(r.keep, l.wait(l.Burst))
}

// Take spends credits as [Memory.Take] does. An error that is no [*DeniedError] and no refusal of the amount says that Redis did not answer; whether it
// has taken the credits is then unknown.
func (r *Redis) Take(ctx context.Context, s Spender, credits float64) error {
	if err := valid(credits); err != nil || len(r.kinds) == 0 {
		return err
	}
	args := []any{r.now(), number(credits), number(slack)}
	for _, k := range r.kinds {
		args = append(args, number(k.limit.Burst), number(k.limit.PerHour))
	}
	lacks, err := takeScript.Run(ctx, r.client, r.keys(s), args...).StringSlice()
	if err != nil {
		return fmt.Errorf("ratelimit: take from Redis: %w", err)
	}
	return r.denial(lacks, credits)
}

// denial speaks of what lacks most, nil if nothing does.
func (r *Redis) denial(lacks []string, credits float64) error {
	var worst *DeniedError
	for i, text := range lacks {
		lack, err := strconv.ParseFloat(text, 64)
		if err != nil || i >= len(r.kinds) {
			return fmt.Errorf("ratelimit: Redis answers %.64q for a bucket", text)
		}
		if e := r.kinds[i].denies(lack, credits); e != nil && e.worse(worst) {
			worst = e
		}
	}
	if worst == nil {
		return nil
	}
	return worst
}

// denies says what it means that credits are lacking, nil if none are.
func (k redisKind) denies(lack, credits float64) *DeniedError {
	if lack <= 0 {
		return nil
	}
	e := &DeniedError{Scope: k.name, Cost: credits, Burst: k.limit.Burst}
	if wait := k.limit.wait(lack); wait != never && credits <= (1+slack)*k.limit.Burst {
		e.Retry = inMicroseconds(wait)
	}
	return e
}

// Refund puts back what the spender took for a job, as [Memory.Refund] does. After an error it may be called again.
func (r *Redis) Refund(ctx context.Context, job string, s Spender, credits float64) error {
	if err := valid(credits); err != nil {
		return err
	}
	if job == "" {
		return errors.New("ratelimit: a refund needs the ID of its job")
	}
	keep := int64(0)
	if r.keep != never {
		keep = int64(math.Ceil(r.keep.Seconds() * 1000))
	}
	keys := append([]string{r.key(s, "refund:"+url.QueryEscape(job))}, r.keys(s)...)
	args := []any{r.now(), number(credits), keep}
	for _, k := range r.kinds {
		args = append(args, number(k.limit.PerHour))
	}
	if err := refundScript.Run(ctx, r.client, keys, args...).Err(); err != nil {
		return fmt.Errorf("ratelimit: refund to Redis: %w", err)
	}
	return nil
}

// keys are the spender's buckets.
func (r *Redis) keys(s Spender) []string {
	var keys []string
	for _, k := range r.kinds {
		keys = append(keys, r.key(s, k.key(s)))
	}
	return keys
}

func (r *Redis) key(s Spender, name string) string {
	return r.o.Prefix + ":{limit:" + url.QueryEscape(s.Tenant) + "}:" + name
}

// now is the time for a script, empty for Redis's own.
func (r *Redis) now() string {
	if r.o.Now == nil {
		return ""
	}
	return strconv.FormatInt(r.o.Now().UnixMicro(), 10)
}

// number writes a number so that Lua reads the same one.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// inMicroseconds rounds a wait up to what the scripts can tell apart.
func inMicroseconds(wait time.Duration) time.Duration {
	if rest := wait % time.Microsecond; rest > 0 && wait < never-time.Microsecond {
		wait += time.Microsecond - rest
	}
	return wait
}
