#!lua
-- Take up one version of an article, before any sink gets it (design, invariants 4 to 6).
--
-- This is where versions are put in order: whoever comes later with an older
-- version is told so. The sinks that are about to get it are written into the
-- ledger in the same step, so that a kill which comes right after finds them.
--
-- KEYS  1 article (hash), 2 ledger (hash of sink to rank), 3 schedule (sorted set, ms),
--       4 due (hash of article key to event), 5 index of what is public (sorted set, ms)
-- ARGV  1 article's key, 2 rank, 3 act, 4 kind: 'show', 'hold' or 'retract',
--       5 article JSON, 6 now (ms), 7 embargo's end or 0 (ms), 8 expiry or 0 (ms),
--       9 event to replay at the embargo's end, 10 event for the expiry, 11 owner,
--       12 'when accepted (ms) trace id', 13 number of sinks, 14… the sinks that match
-- Returns {0} if a newer version is known; else {1, published (ms), moment (ms), act,
-- every sink of the ledger…}.

--include newswire_runtime/newer.lua

local key, rank, act, kind, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[6])
local seen = redis.call('HMGET', KEYS[1], 'rank', 'published', 'moment', 'shown', 'act')
local known, published, moment, shown = seen[1], seen[2], seen[3], seen[4]
if known and newer(known, rank) then
  if shown ~= rank or kind == 'hold' then
    return { 0 }
  end
  -- A newer version is held back, and this one is still what is shown: its deliveries may have been cut short.
  local again = { 1, tostring(published or moment), tostring(moment), seen[5] }
  for _, sink in ipairs(redis.call('HKEYS', KEYS[2])) do
    again[#again + 1] = sink
  end
  return again
end

-- Whatever an older version waited for, this one decides anew.
redis.call('ZREM', KEYS[3], key)
redis.call('HDEL', KEYS[4], key)
redis.call('HSET', KEYS[1], 'rank', rank, 'owner', ARGV[11])

if kind == 'hold' then
  redis.call('HSET', KEYS[1], 'held', ARGV[5])
  redis.call('ZADD', KEYS[3], ARGV[7], key)
  redis.call('HSET', KEYS[4], key, ARGV[9])
  return { 1, published or '0', '0', act }
end

redis.call('HDEL', KEYS[1], 'held')
if shown == rank then
  act = seen[5] -- the same version again after a crash: the same times, the same bytes
else
  -- Times only go forward, also for a version that was handed on late.
  moment = math.max(now, tonumber(moment or '0') + 1)
  if kind == 'show' and (not published) then
    published = moment
    if act == 'correction' or act == 'reinstate' then
      act = 'new' -- nobody has seen an earlier version
    end
  end
  redis.call('HSET', KEYS[1], 'shown', rank, 'moment', moment, 'act', act, 'kind', kind, 'json', ARGV[5],
    'v:' .. rank, ARGV[5], 'm:' .. rank, moment .. ' ' .. act .. ' ' .. kind .. ' ' .. ARGV[12])
end
if published then
  redis.call('HSET', KEYS[1], 'published', published)
end

if kind == 'show' then
  redis.call('ZADD', KEYS[5], published, key)
  if tonumber(ARGV[8]) > 0 then
    redis.call('ZADD', KEYS[3], ARGV[8], key)
    redis.call('HSET', KEYS[4], key, ARGV[10])
  end
  for i = 1, tonumber(ARGV[13]) do
    redis.call('HSET', KEYS[2], ARGV[13 + i], rank)
  end
else
  redis.call('ZREM', KEYS[5], key)
end

local result = { 1, tostring(published or moment), tostring(moment), act }
for _, sink in ipairs(redis.call('HKEYS', KEYS[2])) do
  result[#result + 1] = sink
end
return result
