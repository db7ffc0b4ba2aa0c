#!lua
-- Put one version of an article into a feed, or take the article out.
--
-- KEYS  1 items (sorted set of article key to ms), 2 state (hash), 3 ranks (hash of article key to rank)
-- ARGV  1 article's key, 2 rank, 3 'put' or 'take', 4 score (ms), 5 moment of the change (ms), 6 most items kept
-- Returns 1 if the feed changed, 0 if it knew this version or a newer one.

--include newswire_runtime/newer.lua

local seen = redis.call('HGET', KEYS[3], ARGV[1])
if seen and not newer(ARGV[2], seen) then
  return 0
end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
if ARGV[3] == 'put' then
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
  local surplus = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[6])
  if surplus > 0 then
    for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, surplus - 1)) do
      redis.call('ZREM', KEYS[1], key)
    end
  end
elseif redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then
  return 0
end
local updated = tonumber(redis.call('HGET', KEYS[2], 'updated') or '0')
redis.call('HSET', KEYS[2], 'updated', math.max(updated + 1, tonumber(ARGV[5])))
redis.call('HINCRBY', KEYS[2], 'generation', 1)
return 1
