#!lua
-- Lease pushes of the endpoints whose turn it is, each at most what its own limits leave.
--
-- KEYS  1 turns, 2 bell
-- ARGV  1 room for pushes, 2 most of one endpoint while many wait, 3 lease (ms), 4 lease token, 5 most endpoints to look at,
--       6 fair share: with so much on its way an endpoint gets nothing but kills
-- Returns [ms until the next turn or -1, the bell's last entry, [entry, …],
-- ['SUBSCRIPTION REVISION N ATTEMPT KIND PLACE N …', …]] as JSON, REVISION that of the settings, KIND live, kill or replay,
-- and PLACE that of the entry, from 1. One word, because reading many costs the client more than the pushes; and an entry
-- once, because an article goes to many.

--include newswire_runtime/now.lua
--include newswire_publisher.webhooks/queue.lua

local room, most, token, looks, share = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local ends = string.format('%.0f', now + tonumber(ARGV[3]))
local rung = redis.call('XREVRANGE', bell, '+', '-', 'COUNT', 1)
local MOST_PASSED = 256 -- entries of one log that one look goes over without sending them

local entries, place_of, granted = {}, {}, {}
local function grant(own, id, number, attempts, kind, entry)
  local place = place_of[entry]
  if not place then
    entries[#entries + 1] = entry
    place = string.format('%d', #entries)
    place_of[entry] = place
  end
  own.granted = (own.granted or (id .. ' ' .. own.revision)) .. ' ' .. number .. ' ' .. attempts .. ' ' .. kind .. ' ' .. place
end

local BOUNDS = { 'on', 'pause', 'open', 'half', 'gap', 'burst', 'next', 'ordered', 'age', 'opens' }
local PLAIN = { on = 1, pause = 0, open = 0, half = 0, gap = 0, burst = 1, next = 0, ordered = false, age = 0, opens = 0 }
local FIELDS = { 'cursor', 'sequence', 'concurrency', 'full', 'lanes', 'doubled', 'held', 'ends', 'flight', 'revision', 'plain' }
local UNSET = { lanes = 1, doubled = math.huge }

local function know_bounds(id, state)
  local values = redis.call('HMGET', at(id, 'state'), unpack(BOUNDS))
  for i, name in ipairs(BOUNDS) do
    state[name] = tonumber(values[i] or '0')
  end
  state.ordered = state.ordered == 1
  local is_free = state.gap == 0 and not state.ordered and state.age == 0
  if state.on == 1 and is_free and state.pause <= now and state.half ~= 1 then
    set(id, 'plain', 1)
  end
end

local function state_of(id)
  local values = redis.call('HMGET', at(id, 'state'), unpack(FIELDS))
  local is_plain = values[#FIELDS] == '1'
  local state = setmetatable({ own = known_of(id) }, is_plain and { __index = PLAIN } or nil)
  for i = 1, 8 do
    local name = FIELDS[i]
    state[name] = tonumber(values[i] or UNSET[name] or 0)
  end
  if state.doubled == math.huge then -- of a log that goes on after a restore: all it has may have newer versions
    state.doubled = state.sequence
    set(id, 'doubled', state.sequence)
  end
  know_flight(state.own, values[9], state.held, state.ends)
  state.own.revision = values[10] or '0'
  if not is_plain then
    know_bounds(id, state)
  end
  return state
end

--include newswire_publisher.webhooks/start.lua

--include newswire_publisher.webhooks/lanes.lua

-- When this endpoint wants to be looked at again. `takes_kills_alone`: the rest waits for what is on its way.
local function next_turn(id, state, special, is_full, takes_kills_alone)
  local moment = state.own.held > 0 and state.own.ends or math.huge
  if is_full then
    return moment
  end
  local live = math.huge
  if special then
    moment = math.min(moment, first_of(id, 'kills'))
    live = first_of(id, 'retry')
  end
  if takes_kills_alone then
    return moment
  end
  if not (state.ordered and live < math.huge) then
    if state.cursor < state.sequence then
      live = now
    elseif special and redis.call('EXISTS', at(id, 'express')) == 1 then
      live = now
    elseif special and redis.call('EXISTS', at(id, 'replays')) == 1 and not waits_for_replay(id, state) then
      live = now
    elseif special then
      live = math.min(live, first_of(id, 'replaying'))
    end
  end
  -- At half a bucket rather than at its first drop, so that a high rate is not a look for each push.
  local paced = state.gap > 0 and math.ceil(state.next + (state.burst - 1) * state.gap / 2) or 0
  return math.min(moment, math.max(live, state.pause, state.half == 1 and state.open or 0, paced))
end

-- Whether a lane has something. When none has, and nothing went ahead of its turn, looks need not ask again.
local function has_special(id, state)
  if state.lanes == 0 then
    return false
  end
  state.ahead = redis.call('EXISTS', at(id, 'ahead')) == 1
  local special =
    redis.call('EXISTS', at(id, 'kills'), at(id, 'express'), at(id, 'retry'), at(id, 'replaying'), at(id, 'replays')) > 0
  if not special and not state.ahead then
    set(id, 'lanes', 0)
  end
  return special
end

local turn_of, idle = {}, {}

local function serve(id)
  local state = state_of(id)
  local own = state.own
  if own.held > 0 and own.ends <= now then
    give_back_ended(id, own)
    flush(id)
    state.lanes = 1
  end
  if state.on ~= 1 then
    if own.held > 0 then -- its leases end all the same
      turn_of[#turn_of + 1] = math.max(own.ends, now)
      turn_of[#turn_of + 1] = id
    else
      idle[#idle + 1] = id
    end
    return
  end
  local held = own.held
  local bound = state.ordered and 1 or state.concurrency
  local fair_bound = math.min(bound, share)
  local special = has_special(id, state)
  state.special = special
  local free = math.min(bound - held, room, most)
  if special and free > 0 then
    free = from_set(id, state, 'kills', 'kill', due(id, 'kills', free), free)
  end
  free = math.min(free, fair_bound - own.held)
  -- A circuit that is open lets nothing but kills through; half open, one probe.
  local is_closed = state.half ~= 1 or (state.open <= now and held == 0)
  if free > 0 and state.pause <= now and is_closed then
    local may = math.min(free, allowed(state), state.half == 1 and 1 or math.huge)
    from_all(id, state, special, may)
  end
  room = room - (own.held - held)
  if state.spent then
    set(id, 'next', string.format('%.3f', state.next))
  end
  local is_full = own.held >= bound
  local takes_kills_alone = own.held >= fair_bound or (state.half == 1 and own.held > 0)
  -- Who settles one of its pushes then lets it be looked at.
  if takes_kills_alone ~= (state.full == 1) then
    set(id, 'full', takes_kills_alone and 1 or 0)
  end
  flush(id)
  granted[#granted + 1] = own.granted
  local turn = next_turn(id, state, special, is_full, takes_kills_alone)
  if turn == math.huge then
    idle[#idle + 1] = id
  else
    turn_of[#turn_of + 1] = math.max(turn, now) -- what is overdue has no right of way
    turn_of[#turn_of + 1] = id
  end
end

local due_now = redis.call('ZRANGEBYSCORE', turns, '-inf', now, 'LIMIT', 0, looks)
most = math.max(most, math.floor(room / math.max(1, #due_now))) -- few share the room
for _, id in ipairs(due_now) do
  if room <= 0 then
    break
  end
  serve(id)
end
run('ZADD', turns, turn_of)
run('ZREM', turns, idle)
local first, wait = redis.call('ZRANGE', turns, 0, 0, 'WITHSCORES'), -1
if first[2] then
  wait = math.max(0, math.ceil(tonumber(first[2]) - now))
end
local function list(words)
  return words[1] and cjson.encode(words) or '[]'
end
return '[' .. wait .. ',"' .. (rung[1] and rung[1][1] or '0-0') .. '",' .. list(entries) .. ',' .. list(granted) .. ']'
