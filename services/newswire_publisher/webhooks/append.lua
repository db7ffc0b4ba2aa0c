#!lua
-- Append one version of an article to a subscription's log, and queue its push.
--
-- The log is gap-free: entry N has the id N-0. Of each article at most one push waits
-- or is on its way; a newer version takes the place of one that waits, and follows one
-- that is on its way. So an integrator gets an article's versions in order, and a retry
-- never sends what a newer version has replaced.
--
-- KEYS  1 log, 2 state, 3 seen (article key to rank), 4 waiting (sorted set, ms), 5 items (hash),
--       6 turns (sorted set, ms), 7 bell, 8 attempts
-- ARGV  1 subscription, 2 article's key, 3 rank, 4 'retract' or 'show', 5 '1' if the entry is wanted,
--       6 '1' if it is pushed, 7 the entry's fields (JSON array of strings)
-- Items hold  a:N attempts, k:N article's key, l:N lease, p:KEY its push, n:KEY the one that follows.
-- Returns the entry's number, or 0 if there is none.

--include newswire_runtime/newer.lua

local key, rank, act = ARGV[2], ARGV[3], ARGV[4]
local seen = redis.call('HGET', KEYS[3], key)
if seen and not newer(rank, seen) then
  return 0
end
redis.call('HSET', KEYS[3], key, rank)
if (act == 'retract' and not seen) or ARGV[5] ~= '1' then
  return 0 -- what nobody got need not be taken back; the rank keeps an older version out
end

local number = redis.call('HINCRBY', KEYS[2], 'sequence', 1)
redis.call('XADD', KEYS[1], number .. '-0', unpack(cjson.decode(ARGV[7])))
if ARGV[6] ~= '1' then
  return number
end

--include newswire_runtime/now.lua
redis.call('HSET', KEYS[5], 'k:' .. number, key)
local before = redis.call('HGET', KEYS[5], 'p:' .. key)
local replaced
if before and redis.call('HEXISTS', KEYS[5], 'l:' .. before) == 1 then
  replaced = redis.call('HGET', KEYS[5], 'n:' .. key)
  redis.call('HSET', KEYS[5], 'n:' .. key, number)
else
  replaced = before
  redis.call('HSET', KEYS[5], 'p:' .. key, number)
  -- A kill overtakes what waits.
  redis.call('ZADD', KEYS[4], act == 'retract' and 0 or now, number)
end
if replaced then
  redis.call('ZREM', KEYS[4], replaced)
  redis.call('HDEL', KEYS[5], 'a:' .. replaced, 'k:' .. replaced)
  redis.call('XADD', KEYS[8], '*', 'attempt', '{"sequence":' .. replaced .. ',"outcome":"superseded"}')
end
local pause = tonumber(redis.call('HGET', KEYS[2], 'pause') or '0')
local turn = math.max(now, pause)
local set = redis.call('ZSCORE', KEYS[6], ARGV[1])
if not set or tonumber(set) > turn then
  redis.call('ZADD', KEYS[6], turn, ARGV[1])
end
redis.call('XADD', KEYS[7], 'MAXLEN', 1, '*', 'r', 1)
return number
