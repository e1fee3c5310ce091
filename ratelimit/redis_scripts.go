package ratelimit

import "github.com/redis/go-redis/v9"

// bucketLua is what the scripts share.
//
//	clock(text)               -> the time in microseconds: text, or Redis's own if that is empty
//	missing(key, rate, now)   -> the credits missing in a bucket of rate credits an hour; one of the future is moved to now
//	put(key, spent, rate, now)   writes what is missing now, to expire a minute after it has come back
//
// Times are whole microseconds, which a double holds exactly until the year 2255. Numbers are written with all their digits, which Lua's own tostring does not.
const bucketLua = `
local function clock(text)
  if text ~= '' then return tonumber(text) end
  local t = redis.call('TIME')
  return t[1] * 1000000 + t[2]
end

local function put(key, spent, rate, now)
  if spent <= 0 then
    redis.call('DEL', key)
    return
  end
  redis.call('HSET', key, 'spent', string.format('%.17g', spent), 'at', string.format('%.0f', now))
  local ms = spent / rate * 3600000 + 60000
  if ms < 1e13 then
    redis.call('PEXPIRE', key, string.format('%.0f', ms))
  else
    redis.call('PERSIST', key)
  end
end

local function missing(key, rate, now)
  local b = redis.call('HMGET', key, 'spent', 'at')
  if not b[1] then return 0 end
  local spent, at = tonumber(b[1]), tonumber(b[2])
  if now < at then
    put(key, spent, rate, now)
    return spent
  end
  return math.max(0, spent - rate * (now - at) / 3600000000)
end
`

// takeScript takes credits from every bucket, or from none.
//
// Input:
//
//	KEYS[1..n] -> the buckets
//	ARGV[1]    -> now in microseconds of Unix time; "" is Redis's clock
//	ARGV[2]    -> credits
//	ARGV[3]    -> the part of a burst that rounding may overspend
//	ARGV[2+2i], ARGV[3+2i] -> burst and credits an hour of bucket i
//
// Output: an empty list if the credits were taken, else for each bucket what it lacks, "0" if nothing.
var takeScript = redis.NewScript(bucketLua + `
local now, credits, slack = clock(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local spent, lacks, denied = {}, {}, false
for i, key in ipairs(KEYS) do
  local burst, rate = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
  spent[i] = missing(key, rate, now) + credits
  local lack = spent[i] - burst
  if lack > slack * burst then
    denied = true
  else
    lack = 0
  end
  lacks[i] = string.format('%.17g', lack)
end
if denied then return lacks end
for i, key in ipairs(KEYS) do
  put(key, spent[i], tonumber(ARGV[3 + 2 * i]), now)
end
return {}
`)

// refundScript puts credits back into every bucket, once a job.
//
// Input:
//
//	KEYS[1]      -> the job's mark
//	KEYS[2..n+1] -> the buckets
//	ARGV[1]      -> now in microseconds of Unix time; "" is Redis's clock
//	ARGV[2]      -> credits
//	ARGV[3]      -> milliseconds to remember the job for; 0 is for ever
//	ARGV[3+i]    -> credits an hour of bucket i
//
// Output: 1, or 0 if the job's refund had been made.
var refundScript = redis.NewScript(bucketLua + `
if redis.call('SETNX', KEYS[1], 1) == 0 then return 0 end
if ARGV[3] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
local now, credits = clock(ARGV[1]), tonumber(ARGV[2])
for i = 2, #KEYS do
  local rate = tonumber(ARGV[2 + i])
  put(KEYS[i], missing(KEYS[i], rate, now) - credits, rate, now)
end
return 1
`)
