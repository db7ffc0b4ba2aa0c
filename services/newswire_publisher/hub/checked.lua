#!lua
-- Settle one call that asked a callback, or told it something.
--
-- KEYS  1 checks, 2 checking, 3 check state, 4 pending, 5 bell, 6 the feed's subscribers, 7 the feed's state,
--       8 ends, 9 due, 10 again, 11 leased, 12 state
-- ARGV  1 id, 2 lease token, 3 'subscribe', 'unsubscribe', 'retry', 'deny' or 'done', 4 delay or lease (ms),
--       5 the subscription, or what the callback is to be told (JSON)
-- Returns 1, or 0 if a later request has taken the place of this one.
--include newswire_runtime/now.lua
--include newswire_publisher.hub/forget.lua
local id, verb = ARGV[1], ARGV[3]
if redis.call('HGET', KEYS[3], 'l:' .. id) ~= ARGV[2] then
  return 0
end
redis.call('ZREM', KEYS[2], id)
redis.call('HDEL', KEYS[3], 'l:' .. id)
if verb == 'retry' then
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[4]), id)
  return 1
end
local requested = redis.call('HGET', KEYS[3], 'g:' .. id) or '0'
redis.call('HDEL', KEYS[3], 'a:' .. id, 'g:' .. id)
if verb == 'deny' then
  redis.call('HSET', KEYS[4], id, ARGV[5])
  redis.call('ZADD', KEYS[1], now, id)
  redis.call('XADD', KEYS[5], 'MAXLEN', 1, '*', 'r', 1)
  return 1
end
redis.call('HDEL', KEYS[4], id)
if verb == 'unsubscribe' then
  forget(id, KEYS[6], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12])
elseif verb == 'subscribe' then
  redis.call('HSET', KEYS[6], id, ARGV[5])
  redis.call('ZADD', KEYS[8], now + tonumber(ARGV[4]), id)
  redis.call('HSETNX', KEYS[12], 'g:' .. id, requested)
  local failed = redis.call('ZREM', KEYS[10], id) == 1 -- it answers again
  if failed then
    redis.call('HDEL', KEYS[12], 'a:' .. id)
  end
  local generation = redis.call('HGET', KEYS[7], 'generation') or '0'
  if generation ~= redis.call('HGET', KEYS[12], 'g:' .. id) and not redis.call('ZSCORE', KEYS[11], id) then
    redis.call('ZADD', KEYS[9], now, id)
    redis.call('XADD', KEYS[5], 'MAXLEN', 1, '*', 'r', 1)
  end
end
return 1
