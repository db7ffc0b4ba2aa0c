#!lua
-- Settle attempts: done with each push, or again later; and log them.
--
-- KEYS  1 turns, 2 bell
-- ARGV  1 attempts (JSON array of arrays: subscription, number, article's key or '-', lease token, what, when to
--       retry (ms), no push before (ms, 0: no pause), first pause of the circuit (ms, 0: it says nothing of the
--       endpoint), revision of the settings that it was made by), 2 oldest attempt kept (ms), 3 failures in a row that open the circuit, 4 its longest pause (ms),
--       5… what the log of attempts keeps of each
--       What is 'delivered', 'retry', 'exhausted' or 'gone'.
-- Returns {place in the array, 'lost' | 'opened' | 'recovered' | 'failing', failing since (ms)} for each of note.
-- An attempt whose lease was lost is logged, and whoever holds the push decides.

--include newswire_runtime/now.lua
--include newswire_publisher.webhooks/queue.lua

local oldest, opens_at, longest = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local noted = {}

local function note(place, what, since)
  noted[#noted + 1] = { place, what, tonumber(since or '0') }
end

-- What this call knows of an endpoint: 'full' if something waits for a place, 'failing' if its last attempt failed.
local function state_of(id)
  local own = known_of(id)
  if not own.state then
    local values = redis.call('HMGET', at(id, 'state'), 'full', 'failing')
    own.state = { full = values[1] == '1', failing = values[2] }
  end
  return own.state
end

-- The endpoint took something: whatever its circuit held back may go.
local function succeeded(id, place)
  local state = state_of(id)
  if state.failing then
    local opens = redis.call('HGET', at(id, 'state'), 'opens')
    redis.call('HDEL', at(id, 'state'), 'failing', 'fails', 'opens', 'half', 'open')
    if opens then
      note(place, 'recovered', state.failing)
      look_at(id, now)
    end
    state.failing = nil
  end
end

local function failed(id, place, first_pause)
  local fails = redis.call('HINCRBY', at(id, 'state'), 'fails', 1)
  redis.call('HSETNX', at(id, 'state'), 'failing', now)
  local state = redis.call('HMGET', at(id, 'state'), 'failing', 'half', 'open', 'opens')
  state_of(id).failing = state[1]
  local opens = tonumber(state[4] or '0')
  local is_open = state[2] and tonumber(state[3]) > now
  if fails >= opens_at and not is_open then
    local pause = math.min(first_pause * 2 ^ math.min(opens, 20), longest)
    redis.call('HSET', at(id, 'state'), 'half', 1, 'open', string.format('%.0f', now + pause), 'opens', opens + 1)
    note(place, opens == 0 and 'opened' or 'failing', state[1])
  else
    note(place, 'failing', state[1])
  end
end

-- The endpoint is gone: whatever waits is cancelled. That it gets nothing more is the settings' to say; until
-- they do, the next 410 cancels again.
local function cancel(id)
  flush(id)
  local state = redis.call('HMGET', at(id, 'state'), 'cursor', 'sequence')
  local cursor, last = tonumber(state[1] or '0'), tonumber(state[2] or '0')
  redis.call('HSET', at(id, 'state'), 'cursor', last, 'parked', 0)
  local cancelled = {}
  for _, slot in ipairs(redis.call('HKEYS', at(id, 'items'))) do
    local item = item_of(id, slot)
    if item.follows ~= '-' then
      cancelled[tonumber(string.match(item.follows, '^%d+'))] = true
      item.follows = '-'
    end
    if item.lease == '-' then
      cancelled[item.number] = true
      drop(id, slot)
    else
      put(id, slot, item)
    end
  end
  for _, lane in ipairs({ 'kills', 'express', 'retry', 'replaying' }) do
    for _, number in ipairs(redis.call('ZRANGE', at(id, lane), 0, -1)) do
      cancelled[tonumber(number)] = true
    end
  end
  for _, place in ipairs({ 'kills', 'express', 'retry', 'replaying', 'replays', 'ahead' }) do
    redis.call('DEL', at(id, place))
  end
  for number in pairs(cancelled) do
    mark(id, number, 'cancelled')
  end
  if cursor < last then
    mark(id, last, 'cancelled', ',"from":' .. cursor + 1)
  end
end

local function taken(id, number, key, kind)
  local seen = key ~= '-' and seen_of(id, key)
  if seen then
    tell_seen(id, key, seen .. ' ' .. number .. ':' .. now)
  end
  if kind == 'replay' then
    redis.call('ZREM', at(id, 'failed'), number)
  end
end

-- Return whether anything else of the article may go now.
local function decide(id, number, key, item, what, again, pause)
  local slot = slot_of(key, number)
  lease(id, slot, nil)
  local is_released = release(id, item)
  local is_newest = what ~= 'retry' or key == '-' or (newest_of(id, key) or 0) <= number
  if what == 'retry' and not is_released and is_newest then
    item.lease = '-'
    put(id, slot, item)
    requeue(id, number, item.kind, again)
    look_at(id, item.kind == 'kill' and again or math.max(again, pause))
    return false
  end
  drop(id, slot)
  if what == 'retry' then
    mark(id, number, 'superseded')
  elseif what == 'exhausted' then
    redis.call('ZADD', at(id, 'failed'), number, number)
  elseif what == 'delivered' then
    taken(id, number, key, item.kind)
  end
  return is_released
end

local attempts = cjson.decode(ARGV[1])
local slots, keys = {}, {}
for _, attempt in ipairs(attempts) do
  local id, number, key = attempt[1], attempt[2], attempt[3]
  if not slots[id] then
    slots[id], keys[id] = {}, {}
  end
  table.insert(slots[id], slot_of(key, number))
  if key ~= '-' then
    table.insert(keys[id], key)
  end
end
for id in pairs(slots) do
  prefetch(id, slots[id], keys[id])
end
local rings = false
for place, attempt in ipairs(attempts) do
  local id, number, key, token, what, again, pause, first_pause, revision = unpack(attempt)
  local item = item_of(id, slot_of(key, number))
  local is_ours = item and item.number == number and item.lease == token
  if is_ours or redis.call('EXISTS', at(id, 'state')) == 1 then -- else it was deleted
    redis.call('XADD', at(id, 'attempts'), 'MINID', '~', oldest, '*', 'attempt', ARGV[4 + place])
  end
  if not is_ours then
    note(place, 'lost')
  else
    if what == 'gone' and tonumber(redis.call('HGET', at(id, 'state'), 'revision') or '0') > revision then
      what, again = 'retry', now -- its address is another one by now
    end
    local is_released = decide(id, number, key, item, what, again, pause)
    if pause > tonumber(pause > 0 and redis.call('HGET', at(id, 'state'), 'pause') or '0') then
      redis.call('HSET', at(id, 'state'), 'pause', pause)
    end
    if what == 'delivered' then
      succeeded(id, place)
    elseif first_pause > 0 then
      failed(id, place, first_pause)
    end
    if what == 'gone' then
      cancel(id)
    elseif is_released or state_of(id).full then
      look_at(id, now)
      rings = true
    end
  end
end
for id in pairs(slots) do
  flush(id)
end
if rings then
  redis.call('XADD', bell, 'MAXLEN', 1, '*', 'r', 1)
end
return noted
