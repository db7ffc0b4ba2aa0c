#!lua
-- Lease what is due of one queue.
--
-- KEYS  1 waiting (sorted set, ms), 2 leased (sorted set, ms), 3 state (hash), 4 where a lease that ended goes
-- ARGV  1 lease (ms), 2 lease token, 3 most to take
-- Returns {id, attempts with this one, since when it was due (ms), generation and digest of what it has, …}:
-- five words for each.
--include newswire_runtime/now.lua
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('ZREM', KEYS[2], id) -- its worker is gone
  redis.call('HDEL', KEYS[3], 'l:' .. id)
  redis.call('ZADD', KEYS[4], now, id)
end
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local result = {}
for i = 1, #found, 2 do
  local id = found[i]
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[1]), id)
  redis.call('HSET', KEYS[3], 'l:' .. id, ARGV[2])
  result[#result + 1] = id
  result[#result + 1] = redis.call('HINCRBY', KEYS[3], 'a:' .. id, 1)
  result[#result + 1] = found[i + 1]
  local has = redis.call('HMGET', KEYS[3], 'g:' .. id, 'd:' .. id)
  -- An attempt that is not settled as delivered may have arrived all the same: then nothing is known to be the same.
  redis.call('HDEL', KEYS[3], 'd:' .. id)
  result[#result + 1] = has[1] or '0'
  result[#result + 1] = has[2] or ''
end
return result
