-- How take.lua starts one push, or finds that it is not to be sent; and what becomes of one whose worker is gone.

-- Its worker is gone: what it had goes out again, unless a newer version has come.
local function give_back(id, slot)
  lease(id, slot, nil)
  local item = item_of(id, slot)
  if not item then
    return
  end
  if release(id, item) or (newest_of(id, slot) or 0) > item.number then
    drop(id, slot)
    mark(id, item.number, 'superseded')
  else
    item.lease = '-'
    item.attempts = math.max(0, item.attempts - 1) -- whether there was an attempt is not known
    put(id, slot, item)
    requeue(id, item.number, item.kind, now)
  end
end

-- Let a version follow the one that is on its way.
local function park(id, slot, item, number, kind)
  if item.follows == '-' then
    redis.call('HINCRBY', at(id, 'state'), 'parked', 1)
  else
    mark(id, string.match(item.follows, '^%d+'), 'superseded')
  end
  item.follows = number .. ':' .. kind
  put(id, slot, item)
end

-- Whether the newest version of an article has its own place, in the log or in a lane.
local function has_place(id, state, newest)
  return state.ordered or newest <= state.cursor or redis.call('SISMEMBER', at(id, 'ahead'), newest) == 1
end

-- Lease a push; return whether it was. `entry` is the log's, if it is known.
local function start(id, state, number, kind, entry)
  entry = entry or read(id, number)
  if not entry then
    mark(id, number, 'exhausted', ',"detail":"the entry is kept no more"')
    return false
  end
  local key, type, moment = string.match(entry, '^(%S+) (%S+) (%d+)')
  kind = kind or kind_of(type)
  local slot = slot_of(key, number)
  local item = item_of(id, slot)
  if item and item.number == number and item.lease ~= '-' then
    return false -- it is on its way
  end
  local newest = key ~= '-' and newest_of(id, key) or number
  if kind == 'replay' then
    redis.call('ZREM', at(id, 'replaying'), number)
  end
  if newest > number then
    mark(id, number, 'superseded', ',"by":' .. newest)
    if item and item.number == number then
      drop(id, slot)
      if release(id, item) then
        return false
      end
      item = nil
    end
    if kind == 'replay' then
      redis.call('ZREM', at(id, 'failed'), number)
      return false
    elseif has_place(id, state, newest) then
      return false
    end
    redis.call('SADD', at(id, 'ahead'), newest)
    state.ahead = true
    number, entry = newest, read(id, newest)
    key, type, moment = string.match(entry, '^(%S+) (%S+) (%d+)')
    kind = kind_of(type)
  end
  if item and item.number ~= number then
    if kind ~= 'replay' then
      park(id, slot, item, number, kind)
    end
    return false
  elseif item and kind == 'replay' and item.kind ~= 'replay' then
    return false -- it has its own time
  end
  if state.age > 0 and kind == 'live' and tonumber(moment) + state.age < now then
    drop(id, slot)
    mark(id, number, 'expired')
    return false
  end
  item = item or { attempts = 0, follows = '-' }
  item.number, item.lease, item.kind, item.attempts = number, token, kind, item.attempts + 1
  lease(id, slot, now + lease_ms)
  put(id, slot, item)
  result[#result + 1] = { id, number, item.attempts, kind, entry }
  if state.gap > 0 and kind ~= 'kill' then -- a kill neither waits for the rate nor uses it up
    state.next = math.max(state.next, now - (state.burst - 1) * state.gap) + state.gap
    state.spent = true
  end
  return true
end
