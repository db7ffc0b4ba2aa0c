-- How take.lua starts one push, or finds that it is not to be sent; and what becomes of one whose worker is gone.

-- Its worker is gone: what it had goes out again, unless a newer version has come.
local function give_back(id, out)
  local number = tonumber(out.number)
  if release(id, out) or (newest_of(id, out.slot) or 0) > number then
    mark(id, out.number, 'superseded')
  else
    -- Whether there was an attempt is not known.
    put(id, out.slot, { number = number, attempts = math.max(0, tonumber(out.attempts) - 1), kind = out.kind })
    requeue(id, out.number, out.kind, now)
  end
end

local function give_back_ended(id, own)
  local ended, first = {}, math.huge
  for slot, _, _, ends in string.gmatch(own.flight, '\n(%S+) (%d+) (%S+) (%d+)[^\n]*') do
    if tonumber(ends) <= now then
      ended[#ended + 1] = flying(own, slot)
    else
      first = math.min(first, tonumber(ends))
    end
  end
  for _, out in ipairs(ended) do
    land(own, out.slot)
    give_back(id, out)
  end
  own.ends, own.has_flown = first, true
end

-- Let a version follow the one that is on its way.
local function park(id, own, out, number, kind)
  if out.follows == '-' then
    redis.call('HINCRBY', at(id, 'state'), 'parked', 1)
  else
    mark(id, match(out.follows, '^%d+'), 'superseded')
  end
  land(own, out.slot)
  launch(own, out.slot, out.number, out.token, out.ends, out.attempts, out.kind, number .. ':' .. kind)
end

-- Whether the newest version of an article has its own place, in the log or in a lane.
local function has_place(id, state, newest)
  return state.ordered or newest <= state.cursor or redis.call('SISMEMBER', at(id, 'ahead'), newest) == 1
end

-- Whether something else of the article stands in the way of this entry, which then is not sent now.
local function is_held_up(id, state, slot, number, kind)
  local out = flying(state.own, slot)
  if out then
    if tonumber(out.number) ~= number and (kind ~= 'replay' or out.follows == '-') then
      park(id, state.own, out, number, kind)
    end
    return true
  end
  local item = state.special and item_of(id, slot)
  if item and item.number ~= number then
    withdraw(id, slot, item) -- left from before its address was taken away
  elseif item and kind == 'replay' and item.kind ~= 'replay' then
    return true -- it has its own time
  end
  return false
end

local function go(id, state, slot, number, attempts, kind, entry)
  launch(state.own, slot, number, token, ends, attempts, kind, '-')
  grant(state.own, id, number, attempts, kind, entry)
  if state.gap > 0 and kind ~= 'kill' then -- a kill neither waits for the rate nor uses it up
    state.next = math.max(state.next, now - (state.burst - 1) * state.gap) + state.gap
    state.spent = true
  end
  return true
end

-- Lease a push; return whether it was. `entry` and `text`, the number as it is written, if they are known.
local function start(id, state, number, kind, entry, text)
  entry = entry or read(id, number)
  if not entry then
    mark(id, number, 'exhausted', ',"detail":"the entry is kept no more"')
    return false
  end
  local key, type, moment = match(entry, '^(%S+) (%S+) (%d+)')
  kind = kind or kind_of(type)
  text = text or string.format('%.0f', number)
  local slot, flight = slot_of(key, text), state.own.flight
  if number > state.doubled and not state.special and state.age == 0 and not find(flight, '\n' .. slot .. ' ', 1, true) then
    return go(id, state, slot, text, '1', kind, entry) -- nearly always
  end
  if find(flight, '\n' .. slot .. ' ' .. text .. ' ', 1, true) then
    return false -- it is on its way
  end
  if kind == 'replay' then
    redis.call('ZREM', at(id, 'replaying'), number)
  end
  local newest = number
  if number <= state.doubled and key ~= '-' then
    newest = newest_of(id, key) or number
  end
  if newest > number then
    mark(id, number, 'superseded', ',"by":' .. newest)
    local item = state.special and item_of(id, slot)
    if item and item.number == number then
      put(id, slot, false)
    end
    if kind == 'replay' then
      redis.call('ZREM', at(id, 'failed'), number)
      return false
    elseif has_place(id, state, newest) then
      return false
    end
    go_ahead(id, newest)
    state.ahead = true
    number, text, entry = newest, string.format('%.0f', newest), read(id, newest)
    key, type, moment = match(entry, '^(%S+) (%S+) (%d+)')
    kind = kind_of(type)
  end
  if is_held_up(id, state, slot, number, kind) then
    return false
  end
  local item = state.special and item_of(id, slot)
  if item then
    put(id, slot, false)
  end
  if state.age > 0 and kind == 'live' and tonumber(moment) + state.age < now then
    mark(id, number, 'expired')
    give_up(id, { number })
    return false
  end
  return go(id, state, slot, text, (item and item.attempts or 0) + 1, kind, entry)
end
