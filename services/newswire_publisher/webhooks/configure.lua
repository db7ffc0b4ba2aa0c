#!lua
-- Bring an endpoint's settings to its queue; an older revision changes nothing.
--
-- KEYS  1 turns, 2 bell
-- ARGV  1 subscription, 2 revision, 3 on (1 or 0), 4 concurrency, 5 gap between pushes (ms, 0: none),
--       6 burst, 7 ordered (1 or 0), 8 oldest age (ms, 0: any), 9 anew (1 or 0): it is
--       made now, or comes back; else what was deleted a moment ago stays so
-- Returns 1 if they were taken, 0 if newer ones are known.
--include newswire_runtime/now.lua
--include newswire_publisher.webhooks/queue.lua
local id = ARGV[1]
local known = redis.call('HGET', at(id, 'state'), 'revision')
if known and tonumber(known) >= tonumber(ARGV[2]) then
  return 0
end
if ARGV[9] == '1' then
  if redis.call('DEL', at(id, 'gone')) == 1 then
    redis.call('DEL', at(id, 'log'), at(id, 'seen')) -- kept for the receipts, and about to go
  end
elseif redis.call('EXISTS', at(id, 'gone')) == 1 then
  return 0
end
redis.call('HSET', at(id, 'state'), 'revision', ARGV[2], 'on', ARGV[3], 'concurrency', ARGV[4], 'gap', ARGV[5],
  'burst', ARGV[6], 'ordered', ARGV[7], 'age', ARGV[8], 'plain', 0)
-- The next push by an old, low rate may lie far ahead: by the new one it is a gap away at most.
local next = tonumber(redis.call('HGET', at(id, 'state'), 'next') or '0')
if next > now + tonumber(ARGV[5]) then
  redis.call('HSET', at(id, 'state'), 'next', string.format('%.3f', now + ARGV[5]))
end
look_at(id, now)
flush_looks()
ring()
return 1
