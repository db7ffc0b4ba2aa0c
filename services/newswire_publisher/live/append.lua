#!lua
-- Append one version of an article to the live stream's log.
--
-- The log is gap-free: entry N has the id N-0. A version that is not above the newest
-- that the log knows of its article adds nothing, so that a repeat is a no-op.
--
-- KEYS  1 log, 2 state, 3 seen (hash of article key to rank)
-- ARGV  1 article's key, 2 rank, 3 'retract' or 'show', 4 entries to keep about at most,
--       5 entries of before this moment (ms) go, 6… the entry's fields, its moment 'm' first
-- Returns the entry's number, or 0 if there is none.

--include newswire_runtime/newer.lua

local key, rank = ARGV[1], ARGV[2]
local seen = redis.call('HGET', KEYS[3], key)
if seen and not newer(rank, seen) then
  return 0
end
redis.call('HSET', KEYS[3], key, rank)
if ARGV[3] == 'retract' and not seen then
  return 0 -- what nobody got need not be taken back; the rank keeps an older version out
end

local number = redis.call('HINCRBY', KEYS[2], 'sequence', 1)
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], number .. '-0', unpack(ARGV, 6))
-- Ids are numbers, not times: look at the oldest. More than one goes at a time, so that a wire that slows down catches up.
for _, oldest in ipairs(redis.call('XRANGE', KEYS[1], '-', '(' .. number .. '-0', 'COUNT', 4)) do
  if tonumber(oldest[2][2]) < tonumber(ARGV[5]) then
    redis.call('XDEL', KEYS[1], oldest[1])
  end
end
return number
