#!lua
-- Let a log that has not come as far go on after a number.
--
-- KEYS  1 state
-- ARGV  1 the number that it must have, 2 the number to go on after, no lower
-- Returns 1, or 0 if it has come as far: what is in use is never touched.
local known = tonumber(redis.call('HGET', KEYS[1], 'sequence') or '0')
if known >= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'sequence', ARGV[2])
-- What waits is still pushed; where nothing does, nothing is missing.
if tonumber(redis.call('HGET', KEYS[1], 'cursor') or '0') >= known then
  redis.call('HSET', KEYS[1], 'cursor', ARGV[2])
end
return 1
