#!lua
-- Take a request, in place of one that waits for the same topic and callback.
--
-- KEYS  1 checks, 2 checking, 3 check state, 4 pending, 5 bell, 6 the feed's subscribers, 7 the feed's state,
--       8 count of the requests for the callback's host within a minute
-- ARGV  1 id, 2 call (JSON), 3 most pending, 4 most subscribers of a feed, '0' for a call that adds none
--       5 most requests for one host within a minute
-- Returns 1, 0 if too many wait already, -1 if the feed has too many subscribers, -2 if the host is to be asked too often.
--include newswire_runtime/now.lua
local id = ARGV[1]
if redis.call('HEXISTS', KEYS[4], id) == 0 and redis.call('HLEN', KEYS[4]) >= tonumber(ARGV[3]) then
  return 0
end
local most = tonumber(ARGV[4])
if most > 0 and redis.call('HEXISTS', KEYS[6], id) == 0 and redis.call('HLEN', KEYS[6]) >= most then
  return -1
end
if redis.call('INCR', KEYS[8]) == 1 then
  redis.call('PEXPIRE', KEYS[8], 60000)
elseif tonumber(redis.call('GET', KEYS[8])) > tonumber(ARGV[5]) then
  return -2
end
-- An attempt that is on its way for the former request loses its lease, and so settles nothing.
redis.call('ZREM', KEYS[2], id)
redis.call('HDEL', KEYS[3], 'l:' .. id, 'a:' .. id)
redis.call('HSET', KEYS[4], id, ARGV[2])
redis.call('HSET', KEYS[3], 'g:' .. id, redis.call('HGET', KEYS[7], 'generation') or '0')
redis.call('ZADD', KEYS[1], now, id)
redis.call('XADD', KEYS[5], 'MAXLEN', 1, '*', 'r', 1)
return 1
