#!lua
-- Append one version of an article to the logs of many subscriptions, and queue its pushes.
--
-- A log is gap-free: entry N has the id N-0. What waits for its first push is only the log after the
-- cursor; a kill and an urgent story go into lanes of their own, which pass it.
--
-- KEYS  1 turns (sorted set, ms), 2 bell
-- ARGV  1 article's key ('-' for a notice, which has no versions), 2 rank, 3 'retract' or 'show',
--       4 lane: 0 a kill, 1 to 3 urgent, 4 in turn, 5 the entry,
--       6… subscription and 'push', 'keep' (no address) or 'skip' (the type is not wanted)
-- Returns each entry's number, or 0 if there is none.

--include newswire_runtime/newer.lua
--include newswire_runtime/now.lua
--include newswire_publisher.webhooks/queue.lua

local key, rank, act, lane, entry = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local has_versions = key ~= '-'

-- An older version that waits in a lane, or to be tried again, is not sent any more.
local function replace(id, old_number)
  local item = item_of(id, key)
  if item then
    withdraw(id, key, item)
  end
  local waits = redis.call('ZREM', at(id, 'express'), old_number) + redis.call('ZREM', at(id, 'kills'), old_number)
  if waits > 0 then
    mark(id, old_number, 'superseded')
  end
  local doubled = redis.call('HGET', at(id, 'state'), 'doubled')
  if doubled and tonumber(doubled) < tonumber(old_number) then
    set(id, 'doubled', old_number)
  end
end

-- Whether the subscription was deleted a moment ago, by who did not know it yet: nothing of it begins anew.
local function is_gone(id)
  return redis.call('EXISTS', at(id, 'gone')) == 1
end

local function next_number(id)
  local number = redis.call('HINCRBY', at(id, 'state'), 'sequence', 1)
  if number == 1 then
    if is_gone(id) then
      redis.call('DEL', at(id, 'state'))
      return nil
    end
    set(id, 'doubled', 0)
  end
  return number
end

local function append(id, how)
  local old_number, taken = '0', ''
  if has_versions then
    local seen = seen_of(id, key)
    local old_rank
    if seen then
      old_rank, old_number, taken = match(seen, '^(%S+) (%d+)(.*)$')
      if not newer(rank, old_rank) then
        return 0
      end
    end
    if (act == 'retract' and old_number == '0') or how == 'skip' then
      -- What nobody got need not be taken back; the rank keeps an older version out.
      if seen or not is_gone(id) then
        tell_seen(id, key, rank .. ' ' .. old_number .. taken)
      end
      return 0
    end
  end
  local number = next_number(id)
  if not number then
    return 0
  end
  redis.call('XADD', at(id, 'log'), number .. '-0', 'e', entry)
  if has_versions then
    tell_seen(id, key, rank .. ' ' .. number .. taken)
  end
  if old_number ~= '0' then
    replace(id, old_number)
  end
  if how == 'keep' then
    local cursor = tonumber(redis.call('HGET', at(id, 'state'), 'cursor') or '0')
    if cursor < number - 1 then -- its address was taken away: what waited for it is not sent
      cancel_range(id, cursor + 1, number - 1, {})
      redis.call('DEL', at(id, 'express')) -- that range has them
    end
    set(id, 'cursor', number)
    redis.call('DEL', at(id, 'ahead')) -- the cursor has passed all that it was to leave out
    return number
  end
  if lane == 0 then
    go_ahead(id, number)
    redis.call('ZADD', at(id, 'kills'), now, number)
    look_at(id, now)
    return number
  end
  local state = redis.call('HMGET', at(id, 'state'), 'pause', 'ordered')
  if lane < 4 and state[2] ~= '1' then
    go_ahead(id, number)
    redis.call('ZADD', at(id, 'express'), lane * 1e12 + number, number)
  end
  look_at(id, math.max(now, tonumber(state[1] or '0')))
  return number
end

local result = {}
for i = 6, #ARGV, 2 do
  result[#result + 1] = append(ARGV[i], ARGV[i + 1])
  flush(ARGV[i])
end
flush_looks()
ring()
return result
