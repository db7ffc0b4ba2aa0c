#!lua
-- The commit of one hop, for a batch of entries (design, invariant 2).
--
-- For each entry: if XACK says 1, apply its effects; else another worker has
-- done so already, and nothing happens. A mark is the rank of the newest
-- version of an article that this stage handed on: an entry whose rank is not
-- above its mark is acknowledged without effects, so that also a group that
-- was lost and made again from the stream's start repeats nothing.
--
-- KEYS  1 input stream, 2 marks (hash), 3… every key that an effect touches
-- ARGV  1 group, 2 number of entries, then for each entry:
--         id, how often it was delivered, mark field ('' for none), rank ('version:ms'), number of effects,
--         then for each effect: number of words, command, key's place in KEYS, words…
-- Returns for each entry: 1 done, 0 done by another before, 2 stale, or the
-- error text of an effect that failed: its mark is what it was, and the entry
-- is pending again with its count of deliveries, so that it wears out like any
-- other that fails. Effects before the failed one stay: write first what may fail.

local function newer(rank, than)
  local version, ms = string.match(rank, '^(%d+):(-?%d+)$')
  local old_version, old_ms = string.match(than, '^(%d+):(-?%d+)$')
  version, ms = tonumber(version), tonumber(ms)
  old_version, old_ms = tonumber(old_version), tonumber(old_ms)
  return version > old_version or (version == old_version and ms > old_ms)
end

local stream, marks, group = KEYS[1], KEYS[2], ARGV[1]
local at, results = 3, {}

for entry = 1, tonumber(ARGV[2]) do
  local id, deliveries, field, rank, effects = unpack(ARGV, at, at + 4)
  local mark = false
  at = at + 5
  local outcome = redis.call('XACK', stream, group, id)
  if outcome == 1 and field ~= '' then
    mark = redis.call('HGET', marks, field)
    if mark and not newer(rank, mark) then
      outcome = 2
    else
      redis.call('HSET', marks, field, rank)
    end
  end
  for _ = 1, tonumber(effects) do
    local words = tonumber(ARGV[at])
    if outcome == 1 then
      local call = { ARGV[at + 1], KEYS[tonumber(ARGV[at + 2])] }
      for i = 3, words do
        call[i] = ARGV[at + i]
      end
      local reply = redis.pcall(unpack(call))
      if type(reply) == 'table' and reply.err then
        outcome = reply.err
        redis.call('XCLAIM', stream, group, 'handoff', 0, id, 'RETRYCOUNT', deliveries, 'FORCE', 'JUSTID')
        if mark then
          redis.call('HSET', marks, field, mark)
        elseif field ~= '' then
          redis.call('HDEL', marks, field)
        end
      end
    end
    at = at + words + 1
  end
  results[entry] = outcome
end

return results
