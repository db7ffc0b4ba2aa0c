#!lua
-- Give each subscriber of a feed that has another generation a place among what is due.
-- (A generation that is lower than one sent is that of a feed which was deleted and made anew.)
--
-- One that is on its way is looked at again when it settles; one that failed keeps its delay.
-- A feed that is no more makes all of them due, so that they are told.
--
-- KEYS  1 the feed's state, 2 its subscribers, 3 dirty, 4 due, 5 again, 6 leased, 7 state
-- ARGV  1 feed
-- Returns how many are due now that were not.
--include newswire_runtime/now.lua
local generation = tonumber(redis.call('HGET', KEYS[1], 'generation') or 'inf')
local ids = redis.call('HKEYS', KEYS[2])
local added = 0
for first = 1, #ids, 500 do
  local some, names = {}, {}
  for i = first, math.min(first + 499, #ids) do
    some[#some + 1] = ids[i]
    names[#names + 1] = 'g:' .. ids[i]
  end
  local had = redis.call('HMGET', KEYS[7], unpack(names))
  local failed = redis.call('ZMSCORE', KEYS[5], unpack(some))
  local leased = redis.call('ZMSCORE', KEYS[6], unpack(some))
  local scored = {}
  for i, id in ipairs(some) do
    if not failed[i] and not leased[i] and tonumber(had[i] or '0') ~= generation then
      scored[#scored + 1] = now
      scored[#scored + 1] = id
    end
  end
  if #scored > 0 then
    added = added + redis.call('ZADD', KEYS[4], 'NX', unpack(scored))
  end
end
redis.call('ZREM', KEYS[3], ARGV[1])
return added
