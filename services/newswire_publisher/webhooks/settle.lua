#!lua
-- Settle attempts: done with each push, or again later; log them, and note what is to be followed up.
--
-- KEYS  1 turns, 2 bell, 3 notes
-- ARGV  1 oldest attempt kept (ms), 2 failures in a row that open the circuit, 3 its longest pause (ms), 4 nothing but
--       failures for so long open it too (ms), 5 and for so long disable the endpoint (ms), 6 the attempts, a line each:
--         'SUBSCRIPTION N KEY LEASE delivered RECORD', KEY '-' for a notice, and RECORD what the
--         log of attempts keeps; or 'SUBSCRIPTION N KEY LEASE WHAT AGAIN PAUSE CIRCUIT REVISION ALARM RECORD': WHAT retry,
--         exhausted or gone, AGAIN when to retry (ms), PAUSE until when nothing is pushed (ms, 0: no pause), CIRCUIT its
--         first pause (ms, 0: it says nothing of the endpoint), REVISION of the settings that it was made by, ALARM '1'
--         if people are to be told of it, RECORD JSON
-- An attempt whose lease was lost is logged, and whoever holds the push decides.

--include newswire_runtime/now.lua
--include newswire_publisher.webhooks/queue.lua

oldest_kept = ARGV[1]
local opens_at, longest, hopeless, patience = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

--include newswire_publisher.webhooks/notes.lua

-- What this call knows of an endpoint: 'full' if something waits for a place, 'failing' if its last attempt failed.
local function state_of(id)
  local own = known_of(id)
  if not own.state then
    local values = redis.call('HMGET', at(id, 'state'), 'full', 'failing', 'revision', 'pause', 'flight', 'held', 'ends')
    own.state = { full = values[1] == '1', failing = values[2], revision = tonumber(values[3] or '0'),
      pause = tonumber(values[4] or '0'), is_known = values[3] or values[5] }
    know_flight(own, values[5], values[6], values[7])
  end
  return own.state
end

-- A settling whose answer was lost is sent again: whether this attempt is among the last that were logged.
local SENT_AGAIN_MS, MOST_SEARCHED = 60000, 1000000 -- longer than a lease; bytes of the log
local function is_logged(id, record)
  local own = known_of(id)
  local line, before, bytes = '\n' .. record .. '\n', '+', 0
  while bytes < MOST_SEARCHED do
    local rows = redis.call('XREVRANGE', at(id, 'attempts'), before, now - SENT_AGAIN_MS, 'COUNT', 4)
    if not rows[1] then
      return false
    end
    for _, row in ipairs(rows) do
      if find('\n' .. row[2][2] .. '\n', line, 1, true) then
        return true
      end
      before, bytes = '(' .. row[1], bytes + #row[2][2]
    end
  end
  return false
end

-- The endpoint took something: whatever its circuit held back may go.
local function succeeded(id)
  local state = state_of(id)
  if state.failing then
    local opens = redis.call('HGET', at(id, 'state'), 'opens')
    redis.call('HDEL', at(id, 'state'), 'failing', 'fails', 'opens', 'half', 'open', 'ending', 'rested')
    if opens then
      note(id, 'recovered', { since_ms = tonumber(state.failing) })
      look_at(id, now)
    end
    state.failing = nil
  end
end

-- What opens the circuit is what speaks of the endpoint: `opens_at` entries in a row that failed at their first attempt,
-- or nothing but failures for `hopeless` ms. A later attempt, or a replay, of what it has refused may be the entry's
-- own fault: half open, it is one more failed probe, and the pause does not grow by it. What was on its way when the
-- circuit opened says nothing more.
local function failed(id, out, attempt)
  redis.call('HSETNX', at(id, 'state'), 'failing', now)
  local state = redis.call('HMGET', at(id, 'state'), 'failing', 'half', 'open', 'opens', 'fails')
  local since, opens, fails = tonumber(state[1]), tonumber(state[4] or '0'), tonumber(state[5] or '0')
  state_of(id).failing = state[1]
  if not (state[2] and tonumber(state[3]) > now) then
    if out.attempts == '1' and out.kind ~= 'replay' then
      fails = redis.call('HINCRBY', at(id, 'state'), 'fails', 1)
    end
    if state[2] or fails >= opens_at or now - since >= hopeless then
      local pause = math.min(attempt.circuit * 2 ^ math.max(0, math.min(fails - opens_at, 20)), longest)
      redis.call(
        'HSET', at(id, 'state'), 'plain', 0, 'half', 1, 'open', string.format('%.0f', now + pause), 'opens', opens + 1)
      if opens == 0 then
        note(id, 'opened', { since_ms = since, cause = cause_of(attempt) })
      end
    end
  end
  if now - since - tonumber(redis.call('HGET', at(id, 'state'), 'rested') or '0') >= patience then
    note_end(id, 'hopeless', attempt, since)
  end
end

-- The endpoint is gone: whatever waits is cancelled, but not its kills: they go out once it is enabled again. That it
-- gets nothing more is the settings' to say; until they do, the next 410 cancels again.
local function cancel(id)
  local own = known_of(id)
  flush(id)
  local state = redis.call('HMGET', at(id, 'state'), 'cursor', 'sequence')
  local cursor, last = tonumber(state[1] or '0'), tonumber(state[2] or '0')
  local cancelled, kills, parked = {}, {}, 0
  local function unpark(line, number, kind)
    if kind == 'kill' then
      parked = parked + 1
      kills[tonumber(number)] = true
      return nil
    end
    cancelled[#cancelled + 1] = tonumber(number)
    return line .. '-'
  end
  own.flight, own.has_flown = string.gsub(own.flight, '(\n[^\n]+ )(%d+):(%a+)', unpark), true
  set(id, 'cursor', last)
  set(id, 'parked', parked)
  for _, number in ipairs(redis.call('ZRANGE', at(id, 'kills'), 0, -1)) do
    kills[tonumber(number)] = true
  end
  for _, lane in ipairs({ 'express', 'retry' }) do
    for _, number in ipairs(redis.call('ZRANGE', at(id, lane), 0, -1)) do
      cancelled[#cancelled + 1] = tonumber(number)
    end
  end
  give_up(id, cancelled)
  for _, number in ipairs(redis.call('ZRANGE', at(id, 'replaying'), 0, -1)) do
    cancelled[#cancelled + 1] = tonumber(number)
  end
  local items = redis.call('HGETALL', at(id, 'items'))
  for i = 1, #items, 2 do
    if not find(items[i + 1], ' kill', 1, true) then
      put(id, items[i], false)
    end
  end
  for _, place in ipairs({ 'express', 'retry', 'replaying', 'replays', 'ahead' }) do
    redis.call('DEL', at(id, place))
  end
  for _, number in ipairs(cancelled) do
    mark(id, number, 'cancelled')
  end
  cancel_range(id, cursor + 1, last, kills)
end

local now_text = string.format('%.0f', now)

local function taken(id, number, key, kind)
  local seen = key ~= '-' and seen_of(id, key)
  if seen then
    local first, last = find(seen, ' ' .. number .. ':%d+')
    if first then -- it was sent again: the last time counts
      seen = sub(seen, 1, first - 1) .. sub(seen, last + 1)
    end
    tell_seen(id, key, seen .. ' ' .. number .. ':' .. now_text)
  end
  if kind == 'replay' then
    redis.call('ZREM', at(id, 'failed'), number)
  end
end

-- Put a push off, or be done with it; return whether anything else of the article may go now.
local function decide(id, out, key, what, again, pause)
  local number = tonumber(out.number)
  land(known_of(id), out.slot)
  local is_released = release(id, out)
  if what == 'delivered' then
    taken(id, out.number, key, out.kind)
  elseif what == 'exhausted' or (what == 'gone' and out.kind == 'live') then
    give_up(id, { number })
  elseif what == 'retry' or (what == 'gone' and out.kind == 'kill') then
    if is_released or (key ~= '-' and (newest_of(id, key) or 0) > number) then
      mark(id, number, 'superseded')
    else
      put(id, out.slot, { number = number, attempts = out.attempts, kind = out.kind })
      requeue(id, number, out.kind, again)
      look_at(id, out.kind == 'kill' and again or math.max(again, pause))
    end
  end
  return is_released
end

local DELIVERED = { pause = 0, circuit = 0 }
local function attempt_of(what, rest)
  if what == 'delivered' then
    DELIVERED.record = rest
    return DELIVERED
  end
  local again, pause, circuit, revision, alarm, record = match(rest, '^(%d+) (%d+) (%d+) (%d+) (%d) (.*)$')
  return { again = tonumber(again), pause = tonumber(pause), circuit = tonumber(circuit), revision = tonumber(revision),
    is_alarming = alarm == '1', record = record }
end

-- Settle what is not simply done; return whether anything else of the article may go now, or nil if it is not ours.
local function settle(id, number, key, token, what, rest)
  local state, own, attempt = state_of(id), known_of(id), attempt_of(what, rest)
  local out = flying(own, slot_of(key, number))
  if not out or out.number ~= number or out.token ~= token then
    if state.is_known and not is_logged(id, attempt.record) then -- else it was deleted
      log_attempt(id, attempt.record)
    end
    return nil
  end
  log_attempt(id, attempt.record)
  if what == 'gone' and state.revision > attempt.revision then
    what, attempt.again = 'retry', now -- its address is another one by now
  elseif what == 'gone' then
    attempt.again = now + attempt.circuit -- if it is a kill, which waits until it is taken
  end
  local is_released = decide(id, out, key, what, attempt.again, attempt.pause)
  if attempt.pause > state.pause then
    if state.failing or attempt.circuit > 0 then -- to be left in peace, as it asked, is no failure
      redis.call('HINCRBY', at(id, 'state'), 'rested', string.format('%.0f', attempt.pause - math.max(now, state.pause)))
    end
    set(id, 'pause', attempt.pause)
    set(id, 'plain', 0)
    state.pause = attempt.pause
  end
  if what == 'delivered' then
    succeeded(id)
  elseif attempt.circuit > 0 then
    failed(id, out, attempt)
  end
  if what == 'exhausted' then
    note_entry(id, 'exhausted', out, attempt)
  elseif attempt.is_alarming then
    note_entry(id, 'untaken', out, attempt)
  end
  if what == 'gone' then
    note_end(id, 'gone', attempt)
    cancel(id)
    return nil
  end
  return is_released
end

-- A delivery that nothing waits for is done in few steps: nearly all are. Return whether this is one.
local function settle_plainly(id, number, key, token, record)
  local own = known_of(id)
  local first, last = find(own.flight, '\n' .. slot_of(key, number) .. ' ' .. number .. ' ' .. token .. ' ', 1, true)
  if not first or not match(own.flight, '^%d+ %d+ live %-', last + 1) then
    return false
  end
  land_at(own, first)
  log_attempt(id, record)
  taken(id, number, key, 'live')
  return true
end

local attempts, keys = {}, {}
for id, number, key, token, what, rest in string.gmatch(ARGV[6], '(%S+) (%d+) (%S+) (%S+) (%S+) ([^\n]*)\n') do
  attempts[#attempts + 1] = { id, number, key, token, what, rest }
  local of = keys[id]
  if not of then
    of = {}
    keys[id] = of
  end
  if key ~= '-' then
    of[#of + 1] = key
  end
end
for id in pairs(keys) do
  prefetch(id, keys[id])
end
local rings = false
for _, attempt in ipairs(attempts) do
  local id, what = attempt[1], attempt[5]
  local state, is_ours, is_released = state_of(id), true, false
  if what == 'delivered' and not state.failing and settle_plainly(id, attempt[2], attempt[3], attempt[4], attempt[6]) then
    is_released = false
  else
    is_released = settle(unpack(attempt))
    is_ours = is_released ~= nil
  end
  if is_ours and (is_released or state.full) then
    look_at(id, now)
    rings = true
  end
end
for id in pairs(keys) do
  flush(id)
end
flush_looks()
if rings then
  ring()
end
