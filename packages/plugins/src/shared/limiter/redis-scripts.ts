/** Counts in a window that begins with its first event. ARGV: window in ms. Returns count and ms that are left. */
export const FIXED_WINDOW = `
local count = redis.call("INCR", KEYS[1])
local left = redis.call("PTTL", KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1])
  redis.call("PEXPIRE", KEYS[1], left)
end
return {count, left}
`;

/**
 * Counts in the current of two adjoining windows. KEYS: current, previous. ARGV: limit, share of the previous window
 * that still counts, expiry in seconds. Returns whether it was counted, and the counts of both.
 */
export const SLIDING_WINDOW = `
local limit = tonumber(ARGV[1])
local current = tonumber(redis.call("GET", KEYS[1]) or "0")
local previous = tonumber(redis.call("GET", KEYS[2]) or "0")
local carried = math.min(previous, limit) * tonumber(ARGV[2])
if current >= limit or current + carried >= limit then
  return {0, current, previous}
end
current = redis.call("INCR", KEYS[1])
redis.call("EXPIRE", KEYS[1], ARGV[3])
return {1, current, previous}
`;

/**
 * Pours into a leaky bucket. ARGV: rate per second, burst, now in ms, expiry in seconds. Returns whether there was
 * room, and the fill as text, because Redis would cut off its fraction.
 */
export const LEAKY_BUCKET = `
local bucket = redis.call("HMGET", KEYS[1], "fill", "at")
local now = tonumber(ARGV[3])
local fill = 0
if bucket[1] and bucket[2] then
  local leaked = tonumber(ARGV[1]) * math.max(now - tonumber(bucket[2]), 0) / 1000
  fill = math.max(tonumber(bucket[1]) - leaked + 1, 0)
  if fill > tonumber(ARGV[2]) then
    return {0, tostring(fill)}
  end
end
redis.call("HSET", KEYS[1], "fill", tostring(fill), "at", ARGV[3])
redis.call("EXPIRE", KEYS[1], ARGV[4])
return {1, tostring(fill)}
`;

/**
 * Takes a place in a sorted set of occupants by the time at which they count as gone. ARGV: limit, now in ms, expiry
 * in ms, name of the occupant. Returns whether there was a place, and how many are taken.
 */
export const TAKE_SLOT = `
local now = tonumber(ARGV[2])
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
local taken = redis.call("ZCARD", KEYS[1])
if taken >= tonumber(ARGV[1]) then
  return {0, taken}
end
redis.call("ZADD", KEYS[1], now + tonumber(ARGV[3]), ARGV[4])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
return {1, taken + 1}
`;
