#!lua
-- See what a worker may have to do, all of one moment and by the server's clock.
--
-- KEYS  1 dirty, 2 ends, 3 due, 4 leased, 5 again, 6 leased, 7 checks, 8 checking, 9 bell, 10 the feeds' bell
-- ARGV  1 most feeds, 2 most ends
-- Returns {now (ms), {feed that has changed, …}, {subscription whose lease has ended, …}, when the next one ends,
--          when the first of each of the keys 3 to 8 is due, …, the last entries of both bells}; -1 for never.
--include newswire_runtime/now.lua
local function first(key, above)
  local found = redis.call('ZRANGEBYSCORE', key, above, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return found[2] and tonumber(found[2]) or -1
end
local function last(key)
  local found = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)
  return found[1] and found[1][1] or '0-0'
end
return {
  now,
  redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1),
  redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[2]),
  first(KEYS[2], '(' .. now),
  first(KEYS[3], '-inf'),
  first(KEYS[4], '-inf'),
  first(KEYS[5], '-inf'),
  first(KEYS[6], '-inf'),
  first(KEYS[7], '-inf'),
  first(KEYS[8], '-inf'),
  last(KEYS[9]),
  last(KEYS[10]),
}
