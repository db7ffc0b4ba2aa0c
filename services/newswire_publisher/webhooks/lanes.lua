-- Where take.lua finds what may go next: the log after the cursor, the lanes beside it, and replays.

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
