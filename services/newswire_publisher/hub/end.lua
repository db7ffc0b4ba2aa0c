#!lua
-- End a subscription.
--
-- KEYS  1 the feed's subscribers, 2 ends, 3 due, 4 again, 5 leased, 6 state, 7 checks, 8 pending, 9 bell
-- ARGV  1 id, 2 'expired' (only if its lease has ended) or 'ended', 3 what the callback is to be told (JSON, '' for nothing)
-- Returns 1, or 0 if there is none to end.
--include newswire_runtime/now.lua
--include newswire_publisher.hub/forget.lua
local id = ARGV[1]
local ends = redis.call('ZSCORE', KEYS[2], id)
if not ends or (ARGV[2] == 'expired' and tonumber(ends) > now) then
  return 0
end
forget(id, KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
if ARGV[3] ~= '' and redis.call('HSETNX', KEYS[8], id, ARGV[3]) == 1 then
  redis.call('ZADD', KEYS[7], now, id)
  redis.call('XADD', KEYS[9], 'MAXLEN', 1, '*', 'r', 1)
end
return 1
