#!lua
-- Cancel the replays that wait: the rest of each range, and what was replayed and waits by itself. What is on its way
-- goes on.
--
-- KEYS  1 turns, 2 bell
-- ARGV  1 subscription
-- Returns how many entries there were.
--include newswire_runtime/now.lua
--include newswire_publisher.webhooks/queue.lua
local id, cancelled = ARGV[1], 0
for _, number in ipairs(redis.call('ZRANGE', at(id, 'replaying'), 0, -1)) do
  local entry = read(id, number)
  local slot = entry and slot_of(match(entry, '^%S+'), number)
  local item = slot and item_of(id, slot)
  if item and item.kind == 'replay' and item.number == tonumber(number) then
    put(id, slot, false)
  end
  mark(id, number, 'cancelled')
  cancelled = cancelled + 1
end
for _, range in ipairs(redis.call('LRANGE', at(id, 'replays'), 0, -1)) do
  local first, last, which = match(range, '^(%d+) (%d+) (%S+)$')
  local rest = entries_of(id, first, last, which)
  if rest > 0 then
    mark(id, last, 'cancelled', ',"from":' .. first)
    cancelled = cancelled + rest
  end
end
redis.call('DEL', at(id, 'replaying'), at(id, 'replays'))
flush(id)
return cancelled
