#!lua
-- Lease pushes of the endpoints whose turn it is, each at most what its own limits leave.
--
-- KEYS  1 turns, 2 bell
-- ARGV  1 room for pushes, 2 most of one endpoint while many wait, 3 lease (ms), 4 lease token, 5 most endpoints to look at
-- Returns [ms until the next turn or -1, the bell's last entry, [entry, …], ['SUBSCRIPTION N ATTEMPT KIND PLACE N …', …]]
-- as JSON, KIND live, kill or replay, and PLACE that of the entry, from 1. One word, because reading many costs the
-- client more than the pushes; and an entry once, because an article goes to many.

--include newswire_runtime/now.lua
--include newswire_publisher.webhooks/queue.lua

local room, most, token, looks = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[4], tonumber(ARGV[5])
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
  own.granted = (own.granted or id) .. ' ' .. number .. ' ' .. attempts .. ' ' .. kind .. ' ' .. place
end

local BOUNDS = { 'on', 'pause', 'open', 'half', 'gap', 'burst', 'next', 'ordered', 'age', 'opens' }
local PLAIN = { on = 1, pause = 0, open = 0, half = 0, gap = 0, burst = 1, next = 0, ordered = false, age = 0, opens = 0 }
local FIELDS = { 'cursor', 'sequence', 'concurrency', 'full', 'lanes', 'doubled', 'held', 'ends', 'flight', 'plain' }
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
  if not is_plain then
    know_bounds(id, state)
  end
  return state
end

--include newswire_publisher.webhooks/start.lua

-- How many may go now by the rate: a bucket that fills by one each `gap` ms, and holds `burst`.
local function allowed(state)
  if state.gap == 0 then
    return math.huge
  end
  local next = math.max(state.next, now - (state.burst - 1) * state.gap)
  return math.floor((now - next) / state.gap) + 1
end

local function from_set(id, state, place, kind, numbers, free)
  for _, number in ipairs(numbers) do
    redis.call('ZREM', at(id, place), number)
    if start(id, state, tonumber(number), kind) then
      free = free - 1
    end
  end
  return free
end

local function from_log(id, state, free)
  local passed, cursor, ahead = 0, state.cursor, at(id, 'ahead')
  while free > 0 and state.cursor < state.sequence and passed < MOST_PASSED do
    local rows = redis.call('XRANGE', at(id, 'log'), state.cursor + 1 .. '-0', '+', 'COUNT', free)
    if not rows[1] then
      state.cursor = state.sequence
    end
    if state.cursor < state.doubled then
      local keys = {}
      for i, row in ipairs(rows) do
        keys[i] = match(row[2][2], '^%S+')
      end
      prefetch(id, keys) -- of notices, '-', there is nothing
    end
    for _, row in ipairs(rows) do
      local text = match(row[1], '^%d+')
      local number = tonumber(text)
      state.cursor = number
      passed = passed + 1
      if state.ahead and redis.call('SREM', ahead, number) == 1 then
        state.ahead = redis.call('EXISTS', ahead) == 1
      elseif start(id, state, number, nil, row[2][2], text) then
        free = free - 1
      end
    end
  end
  if state.cursor ~= cursor then
    set(id, 'cursor', state.cursor)
  end
  return free
end

-- A replay: ranges of the log, 'FIRST LAST failed' or 'FIRST LAST all', after everything else.
local function from_replays(id, state, free)
  local passed = 0
  while free > 0 and passed < MOST_PASSED do
    local range = redis.call('LINDEX', at(id, 'replays'), 0)
    if not range then
      return free
    end
    local first, last, which = match(range, '^(%d+) (%d+) (%S+)$')
    first, last = tonumber(first), tonumber(last)
    local numbers = {}
    if which == 'failed' then
      numbers = redis.call('ZRANGEBYSCORE', at(id, 'failed'), first, last, 'LIMIT', 0, free)
    else
      for i, row in ipairs(redis.call('XRANGE', at(id, 'log'), first .. '-0', last .. '-0', 'COUNT', free)) do
        numbers[i] = match(row[1], '^%d+')
      end
    end
    for _, number in ipairs(numbers) do
      first, passed = tonumber(number) + 1, passed + 1
      if start(id, state, tonumber(number), 'replay') then
        free = free - 1
      end
    end
    if #numbers == 0 or first > last then
      redis.call('LPOP', at(id, 'replays'))
    else
      redis.call('LSET', at(id, 'replays'), 0, string.format('%.0f %.0f %s', first, last, which))
    end
  end
  return free
end

local function due(id, place, count)
  return count > 0 and redis.call('ZRANGEBYSCORE', at(id, place), '-inf', now, 'LIMIT', 0, count) or {}
end

local function first_of(id, place)
  local first = redis.call('ZRANGE', at(id, place), 0, 0, 'WITHSCORES')
  return tonumber(first[2] or math.huge)
end

-- Whether a replay's failing push holds up the rest of it.
local function waits_for_replay(id, state)
  return state.ordered and redis.call('EXISTS', at(id, 'replaying')) == 1
end

-- When this endpoint wants to be looked at again. `is_probed`: one probe is on its way, and all but kills wait for it.
local function next_turn(id, state, special, is_full, is_probed)
  local moment = state.own.held > 0 and state.own.ends or math.huge
  if is_full then
    return moment
  end
  local live = math.huge
  if special then
    moment = math.min(moment, first_of(id, 'kills'))
    live = first_of(id, 'retry')
  end
  if is_probed then
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

-- Everything but kills. An ordered endpoint's failing push holds up the rest. A circuit that is half open tries by
-- turns what has not failed yet and what has: neither may hold up the other, if the endpoint takes only one of them.
local function from_all(id, state, special, free)
  local function from_express()
    if special and free > 0 then
      free = from_set(id, state, 'express', 'live', redis.call('ZRANGE', at(id, 'express'), 0, free - 1), free)
    end
  end
  local function from_retry()
    if special then
      free = from_set(id, state, 'retry', 'live', due(id, 'retry', free), free)
    end
  end
  if state.ordered then
    from_retry()
    if special and redis.call('EXISTS', at(id, 'retry')) == 1 then
      return free
    end
    from_express() -- from before it was ordered
    free = from_log(id, state, free)
  else
    local is_fresh_first = state.half == 1 and state.opens % 2 == 1
    from_express()
    if not is_fresh_first then
      from_retry()
    end
    free = from_log(id, state, free)
    if is_fresh_first then
      from_retry()
    end
  end
  if special and free > 0 and state.cursor >= state.sequence then
    free = from_set(id, state, 'replaying', 'replay', due(id, 'replaying', free), free)
    if not waits_for_replay(id, state) then
      free = from_replays(id, state, free)
    end
  end
  return free
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
  local special = has_special(id, state)
  state.special = special
  local free = math.min(bound - held, room, most)
  local before = free
  if special and free > 0 then
    free = from_set(id, state, 'kills', 'kill', due(id, 'kills', free), free)
  end
  -- A circuit that is open lets nothing but kills through; half open, one probe.
  local is_closed = state.half ~= 1 or (state.open <= now and held == 0)
  if free > 0 and state.pause <= now and is_closed then
    local may = math.min(free, allowed(state), state.half == 1 and 1 or math.huge)
    local left = from_all(id, state, special, may)
    free = free - (may - left)
  end
  room = room - (before - free)
  if state.spent then
    set(id, 'next', string.format('%.3f', state.next))
  end
  local is_full, is_probed = own.held >= bound, state.half == 1 and own.held > 0
  -- Who settles one of its pushes then lets it be looked at.
  if (is_full or is_probed) ~= (state.full == 1) then
    set(id, 'full', (is_full or is_probed) and 1 or 0)
  end
  flush(id)
  granted[#granted + 1] = own.granted
  local turn = next_turn(id, state, special, is_full, is_probed)
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
