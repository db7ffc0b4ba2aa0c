#!lua
-- Settle attempts: done with each push, or again later; and log them.
--
-- KEYS  1 turns, 2 bell
-- ARGV  1 attempts (JSON array of arrays: subscription, number, lease token, what, when to retry (ms), no push
--       before (ms, 0: no pause), first pause of the circuit (ms, 0: says nothing of the endpoint), attempt),
--       2 oldest attempt kept (ms), 3 failures in a row that open the circuit, 4 its longest pause (ms)
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

-- The endpoint took something: whatever its circuit held back may go.
local function succeeded(id, place)
  local state = redis.call('HMGET', at(id, 'state'), 'failing', 'opens')
  if state[1] then
    redis.call('HDEL', at(id, 'state'), 'failing', 'fails', 'opens', 'half', 'open')
    if state[2] then
      note(place, 'recovered', state[1])
      look_at(id, now)
    end
  end
end

local function failed(id, place, first_pause)
  local fails = redis.call('HINCRBY', at(id, 'state'), 'fails', 1)
  redis.call('HSETNX', at(id, 'state'), 'failing', now)
  local state = redis.call('HMGET', at(id, 'state'), 'failing', 'half', 'open', 'opens')
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

-- The endpoint is gone: whatever waits is cancelled, and it gets nothing until it is enabled.
local function cancel(id)
  local state = redis.call('HMGET', at(id, 'state'), 'cursor', 'sequence')
  local last = tonumber(state[2] or '0')
  redis.call('HSET', at(id, 'state'), 'on', 0, 'cursor', last, 'parked', 0)
  for _, item in ipairs(redis.call('HKEYS', at(id, 'items'))) do
    if string.find(item, '^f:') or (string.find(item, '^%d') and not redis.call('ZSCORE', at(id, 'leased'), item)) then
      redis.call('HDEL', at(id, 'items'), item)
    elseif string.find(item, '^b:') then
      local number = redis.call('HGET', at(id, 'items'), item)
      if not redis.call('ZSCORE', at(id, 'leased'), number) then
        redis.call('HDEL', at(id, 'items'), item)
      end
    end
  end
  for _, place in ipairs({ 'kills', 'express', 'retry', 'replaying', 'replays', 'ahead' }) do
    redis.call('DEL', at(id, place))
  end
  if tonumber(state[1] or '0') < last then
    mark(id, last, 'cancelled', ',"from":' .. tonumber(state[1] or '0') + 1)
  end
end

local function taken(id, number, key)
  if key ~= '' then
    local seen = redis.call('HGET', at(id, 'seen'), key)
    if seen then
      redis.call('HSET', at(id, 'seen'), key, seen .. ' ' .. number .. ':' .. now)
    end
  end
  redis.call('ZREM', at(id, 'failed'), number)
end

for place, attempt in ipairs(cjson.decode(ARGV[1])) do
  local id, number, token, what, again, pause, first_pause, text = unpack(attempt)
  local lease, attempts, kind, key = item_of(id, number)
  if lease == token or redis.call('EXISTS', at(id, 'state')) == 1 then -- else it was deleted
    redis.call('XADD', at(id, 'attempts'), 'MINID', '~', oldest, '*', 'attempt', text)
  end
  if lease ~= token then
    note(place, 'lost')
  else
    redis.call('ZREM', at(id, 'leased'), number)
    local is_released = release(id, key)
    local newest = what == 'retry' and key ~= '' and newest_of(id, key)
    if what == 'retry' and not is_released and not (newest and newest > number) then
      redis.call('HSET', at(id, 'items'), number, '- ' .. attempts .. ' ' .. kind .. ' ' .. key)
      requeue(id, number, kind, again)
      look_at(id, kind == 'kill' and again or math.max(again, pause))
    else
      drop(id, number, key)
      if what == 'retry' then
        mark(id, number, 'superseded')
      elseif what == 'exhausted' then
        redis.call('ZADD', at(id, 'failed'), number, number)
      elseif what == 'delivered' then
        taken(id, number, key)
      end
    end
    if pause > 0 then
      redis.call('HSET', at(id, 'state'), 'pause', pause)
    end
    if what == 'delivered' then
      succeeded(id, place)
    elseif first_pause > 0 then
      failed(id, place, first_pause)
    end
    if what == 'gone' then
      cancel(id)
    elseif is_released or redis.call('HGET', at(id, 'state'), 'full') == '1' then
      look_at(id, now)
      redis.call('XADD', bell, 'MAXLEN', 1, '*', 'r', 1)
    end
  end
end
return noted
