#!lua
-- Settle one attempt: done with this push, or again later; and log it.
--
-- KEYS  1 waiting, 2 leased, 3 items, 4 state, 5 turns, 6 attempts, 7 bell
-- ARGV  1 subscription, 2 number, 3 lease token, 4 'done' or 'retry', 5 when to retry (ms),
--       6 nothing to this endpoint before (ms, 0: no pause), 7 attempt (JSON), 8 oldest attempt kept (ms)
-- Returns 1, or 0 if the lease was lost: the attempt is logged, and whoever holds the push decides.
local number = ARGV[2]
redis.call('XADD', KEYS[6], 'MINID', '~', ARGV[8], '*', 'attempt', ARGV[7])
if redis.call('HGET', KEYS[3], 'l:' .. number) ~= ARGV[3] then
  return 0
end
--include newswire_runtime/now.lua
--include newswire_publisher.webhooks/turn.lua
redis.call('ZREM', KEYS[2], number)
redis.call('HDEL', KEYS[3], 'l:' .. number)
local key = redis.call('HGET', KEYS[3], 'k:' .. number)
local follows = redis.call('HGET', KEYS[3], 'n:' .. key)
if ARGV[4] == 'retry' and not follows then
  redis.call('ZADD', KEYS[1], ARGV[5], number)
else
  redis.call('HDEL', KEYS[3], 'a:' .. number, 'k:' .. number, 'p:' .. key)
  if follows then
    redis.call('HDEL', KEYS[3], 'n:' .. key)
    redis.call('HSET', KEYS[3], 'p:' .. key, follows)
    redis.call('ZADD', KEYS[1], now, follows)
  end
end
if tonumber(ARGV[6]) > 0 then
  redis.call('HSET', KEYS[4], 'pause', ARGV[6])
end
local pause = tonumber(redis.call('HGET', KEYS[4], 'pause') or '0')
local turn = set_turn(KEYS[5], ARGV[1], KEYS[1], KEYS[2], pause, false)
if turn and turn <= now then
  redis.call('XADD', KEYS[7], 'MAXLEN', 1, '*', 'r', 1)
end
return 1
