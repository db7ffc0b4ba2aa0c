#!lua
-- Settle one delivery.
--
-- KEYS  1 due, 2 again, 3 leased, 4 state, 5 the feed's state, 6 its subscribers, 7 ends, 8 bell,
--       9 checks, 10 pending
-- ARGV  1 id, 2 lease token, 3 'delivered', 'retry' or 'over', 4 generation that was sent, 5 delay (ms),
--       6 outcome (JSON), 7 what the callback is to be told (JSON, '' for nothing), 8 digest of what was sent
-- Returns 1, or 0 if the lease was lost: whoever has it decides.
--include newswire_runtime/now.lua
--include newswire_publisher.hub/forget.lua
local id = ARGV[1]
if redis.call('HGET', KEYS[4], 'l:' .. id) ~= ARGV[2] then
  return 0
end
if ARGV[3] == 'over' or redis.call('HEXISTS', KEYS[6], id) == 0 then
  forget(id, KEYS[6], KEYS[7], KEYS[1], KEYS[2], KEYS[3], KEYS[4])
  if ARGV[7] ~= '' and redis.call('HSETNX', KEYS[10], id, ARGV[7]) == 1 then
    redis.call('ZADD', KEYS[9], now, id)
    redis.call('XADD', KEYS[8], 'MAXLEN', 1, '*', 'r', 1)
  end
  return 1
end
redis.call('ZREM', KEYS[3], id)
redis.call('HDEL', KEYS[4], 'l:' .. id)
redis.call('HSET', KEYS[4], 'o:' .. id, ARGV[6])
if ARGV[3] == 'retry' then
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[5]), id)
  return 1
end
redis.call('HDEL', KEYS[4], 'a:' .. id)
redis.call('HSET', KEYS[4], 'g:' .. id, ARGV[4], 'd:' .. id, ARGV[8])
if (redis.call('HGET', KEYS[5], 'generation') or '0') ~= ARGV[4] then
  redis.call('ZADD', KEYS[1], now, id)
  redis.call('XADD', KEYS[8], 'MAXLEN', 1, '*', 'r', 1)
end
return 1
