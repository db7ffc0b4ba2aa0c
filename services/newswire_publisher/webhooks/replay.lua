#!lua
-- Queue entries once more: a range of the log after all live traffic, or one entry now.
--
-- KEYS  1 turns, 2 bell
-- ARGV  1 subscription, 2 first, 3 last, 4 'all', 'failed' or 'one'
-- Returns how many entries there are, and 1 if the very same replay waits already; -1 if too many replays wait; -2 and
-- the number of the newest entry of the article if the one entry is an older version of it, which is never sent.
--include newswire_runtime/now.lua
--include newswire_publisher.webhooks/queue.lua
local MOST_REPLAYS = 100
local id, first, which = ARGV[1], tonumber(ARGV[2]), ARGV[4]
local last = math.min(tonumber(ARGV[3]), tonumber(redis.call('HGET', at(id, 'state'), 'sequence') or '0'))
local found = entries_of(id, first, last, which)
if found == 0 then
  return { 0, 0 }
elseif which ~= 'one' then
  local range = string.format('%.0f %.0f %s', first, last, which)
  if redis.call('LPOS', at(id, 'replays'), range) then
    return { found, 1 }
  end
  if redis.call('LLEN', at(id, 'replays')) >= MOST_REPLAYS then
    return { -1, 0 }
  end
  redis.call('RPUSH', at(id, 'replays'), range)
else
  local entry = read(id, first)
  if not entry then
    return { 0, 0 }
  end
  local key = match(entry, '^%S+')
  local newest = key ~= '-' and newest_of(id, key) or first
  if newest > first then
    return { -2, newest }
  end
  for _, place in ipairs({ 'kills', 'retry' }) do
    if redis.call('ZSCORE', at(id, place), first) then
      redis.call('ZADD', at(id, place), now, first)
      found = 0
    end
  end
  if found > 0 then
    redis.call('ZADD', at(id, 'replaying'), now, first)
  end
  found = 1
end
set(id, 'lanes', 1)
look_at(id, now)
flush(id)
flush_looks()
ring()
return { found, 0 }
