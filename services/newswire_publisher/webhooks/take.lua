#!lua
-- Lease pushes of one subscription that are due, at most as many as it may have at once.
--
-- KEYS  1 waiting, 2 leased (sorted set, ms), 3 items, 4 state, 5 turns, 6 attempts
-- ARGV  1 subscription, 2 concurrency, 3 lease (ms), 4 lease token, 5 most to take now
-- Returns {number, attempts so far, …}: two words for each push.
--include newswire_runtime/now.lua
--include newswire_publisher.webhooks/turn.lua
for _, number in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('ZREM', KEYS[2], number) -- its worker is gone
  redis.call('HDEL', KEYS[3], 'l:' .. number)
  local key = redis.call('HGET', KEYS[3], 'k:' .. number)
  local follows = key and redis.call('HGET', KEYS[3], 'n:' .. key)
  if follows then -- a newer version has replaced it meanwhile
    redis.call('HDEL', KEYS[3], 'a:' .. number, 'k:' .. number, 'n:' .. key)
    redis.call('HSET', KEYS[3], 'p:' .. key, follows)
    redis.call('XADD', KEYS[6], '*', 'attempt', '{"sequence":' .. number .. ',"outcome":"superseded"}')
  end
  redis.call('ZADD', KEYS[1], now, follows or number)
end
local result = {}
local pause = tonumber(redis.call('HGET', KEYS[4], 'pause') or '0')
if pause <= now then
  local room = math.min(tonumber(ARGV[2]) - redis.call('ZCARD', KEYS[2]), tonumber(ARGV[5]))
  if room > 0 then
    for _, number in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, room)) do
      redis.call('ZREM', KEYS[1], number)
      redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), number)
      redis.call('HSET', KEYS[3], 'l:' .. number, ARGV[4])
      result[#result + 1] = number
      result[#result + 1] = redis.call('HINCRBY', KEYS[3], 'a:' .. number, 1)
    end
  end
end
set_turn(KEYS[5], ARGV[1], KEYS[1], KEYS[2], pause, redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[2]))
return result
