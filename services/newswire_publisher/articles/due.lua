#!lua
-- Move what has fallen due from the schedule into the publisher's stream, in one step.
--
-- KEYS  1 schedule (sorted set, ms), 2 due (hash of article key to event), 3 the publisher's stream
-- ARGV  1 most to move
-- Returns {moved, milliseconds until the next one, or -1 if there is none}.
--include newswire_runtime/now.lua
local keys = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, key in ipairs(keys) do
  local event = redis.call('HGET', KEYS[2], key)
  if event then
    redis.call('XADD', KEYS[3], '*', 'event', event)
  end
  redis.call('ZREM', KEYS[1], key)
  redis.call('HDEL', KEYS[2], key)
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { #keys, first[2] and math.max(0, tonumber(first[2]) - now) or -1 }
