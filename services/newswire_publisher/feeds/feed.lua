#!lua
-- Put one version of an article into a feed, or take the article out.
--
-- KEYS  as FeedKeys names them: 1 items, 2 recent, 3 changes, 4 gone, 5 tombstones, 6 ranks,
--       7 state, 8 marks, 9 bell, 10 subscribers, 11 dirty
-- ARGV  1 feed, 2 article's key, 3 rank, 4 'put' or 'take', 5 published (ms), 6 moment of the version (ms),
--       7 tombstone (JSON, for 'take'), 8 'live', or 'again' where the feed's filter is applied anew:
--       the version that the feed knows then counts too, 9 articles in a page of the archive, 10 most tombstones kept
-- Returns the feed's generation if it changed, 0 if it knew this version or a newer one.

--include newswire_runtime/newer.lua
--include newswire_runtime/now.lua

local key, rank = ARGV[2], ARGV[3]
local seen = redis.call('HGET', KEYS[6], key)
if seen and not newer(rank, seen) and not (ARGV[8] == 'again' and seen == rank) then
  return 0
end
redis.call('HSET', KEYS[6], key, rank)

local state = redis.call('HMGET', KEYS[7], 'generation', 'modified', 'newest')
local generation = tonumber(state[1] or '0') + 1
local moment = tonumber(ARGV[6])
if ARGV[4] == 'put' then
  if seen == rank and redis.call('ZSCORE', KEYS[1], key) then
    return 0
  end
  if redis.call('ZADD', KEYS[1], ARGV[5], key) == 1 then
    local arrivals = redis.call('HINCRBY', KEYS[7], 'arrivals', 1)
    if arrivals % tonumber(ARGV[9]) == 0 then
      redis.call('ZADD', KEYS[8], ARGV[5], ARGV[5])
    end
  end
  redis.call('ZADD', KEYS[2], moment, key)
  if redis.call('ZREM', KEYS[4], key) == 1 then
    redis.call('HDEL', KEYS[5], key)
  end
else
  if redis.call('ZREM', KEYS[1], key) == 0 then
    return 0
  end
  redis.call('ZREM', KEYS[2], key)
  redis.call('ZADD', KEYS[4], generation, key)
  redis.call('HSET', KEYS[5], key, ARGV[7])
  local surplus = redis.call('ZCARD', KEYS[4]) - tonumber(ARGV[10])
  if surplus > 0 then
    local old = redis.call('ZPOPMIN', KEYS[4], surplus)
    for i = 1, #old, 2 do
      redis.call('HDEL', KEYS[5], old[i])
      redis.call('ZREM', KEYS[3], old[i])
      redis.call('HSET', KEYS[7], 'trimmed', old[i + 1])
    end
  end
end
redis.call('ZADD', KEYS[3], generation, key)
-- Last-Modified has whole seconds, and readers are told no second that is yet to come: a change in a second
-- that may have been told already counts for the next one, and then no later change hides behind it.
local second, modified = math.floor(now / 1000), tonumber(state[2] or '0')
if modified < second then
  modified = second
elseif modified == second then
  modified = second + 1
end
redis.call('HSET', KEYS[7], 'generation', generation, 'modified', modified,
  'newest', math.max(tonumber(state[3] or '0'), moment))
redis.call('XADD', KEYS[9], 'MAXLEN', '~', 1000, '*', 'feed', ARGV[1], 'generation', generation)
if redis.call('EXISTS', KEYS[10]) == 1 then
  redis.call('ZADD', KEYS[11], now, ARGV[1])
end
return generation
