-- What the scripts of the webhooks' queue share. All keys of a partition lie in one slot, so that one
-- call can serve many endpoints; an endpoint's keys follow from the partition's (HookKeys has the list).
--
-- A push goes one way, and at any time is in one place:
--
--   log ──cursor──┐
--   kills ────────┤                        ┌─ done
--   express ──────┼─▶ flight ──▶ settled ──┼─ again later: retry, kills, replaying (and what is known of it: items)
--   retry ────────┤                        └─ exhausted: failed
--   replaying ────┘
--
-- Of an article at most one version is on its way, or waits to be tried again. One that comes while another is
-- on its way is parked there and follows. Only the newest is ever sent (seen): who comes to an older one marks
-- it superseded and sends the newest in its place.
--
-- log     N-0 'KEY TYPE MOMENT …': an article's key, or '-' for a notice
-- state   flight: a line 'SLOT N LEASE ENDS ATTEMPTS KIND FOLLOWS' for each push on its way: SLOT is the article's
--         key, or '#N' of a notice; ENDS when the lease does (ms); KIND live, kill or replay; FOLLOWS 'N:KIND' or '-'
--         held: how many lines; ends: when the first lease ends, or earlier
--         lanes: '1' if a lane may have something; doubled: no entry after this one has a newer version
--         plain: '1' if nothing but its concurrency bounds the endpoint: no rate, order, age, pause, circuit
-- items   SLOT 'N ATTEMPTS KIND': what waits to be tried again
-- seen    KEY 'RANK N taken:ms…': the newest version and its entry, and which entries were taken when
-- failed  N: what was given up; a kill never is
-- attempts  'RECORD↵RECORD…': what one call logs of an endpoint is one entry. A record is JSON, or of a plain delivery
--         'N ATTEMPT AT MS STATUS'
--
-- A command costs the server more than the work it does: what a call knows of a subscription it reads once, and
-- `flush` writes it. An endpoint that has nothing but its log costs a look three commands, a settling five.

local turns, bell = KEYS[1], KEYS[2]
local prefix = string.sub(turns, 1, -6)
local find, sub, match = string.find, string.sub, string.match

local function at(id, what)
  return prefix .. id .. ':' .. what
end

local function read(id, number)
  local rows = redis.call('XRANGE', at(id, 'log'), number .. '-0', number .. '-0')
  return rows[1] and rows[1][2][2]
end

-- What this call knows of a subscription, and has not written yet.
local known = {}
local function known_of(id)
  local own = known[id]
  if not own then
    own = { items = {}, seen = {}, changed = {}, told = {}, words = {}, rows = {} }
    known[id] = own
  end
  return own
end

local function set(id, name, value)
  local words = known_of(id).words
  words[#words + 1] = name
  words[#words + 1] = value
end

-- Read what was seen of these articles in one command.
local function prefetch(id, keys)
  if keys[1] then
    local own = known_of(id)
    for i, text in ipairs(redis.call('HMGET', at(id, 'seen'), unpack(keys))) do
      if own.seen[keys[i]] == nil then
        own.seen[keys[i]] = text
      end
    end
  end
end

local function seen_of(id, key)
  local own = known_of(id)
  if own.seen[key] == nil then
    own.seen[key] = redis.call('HGET', at(id, 'seen'), key)
  end
  return own.seen[key]
end

-- The number of an article's newest entry.
local function newest_of(id, key)
  local seen = seen_of(id, key)
  return seen and tonumber(match(seen, '^%S+ (%d+)'))
end

local function tell_seen(id, key, text)
  local own = known_of(id)
  own.seen[key], own.told[key] = text, true
end

local function slot_of(key, number)
  return key == '-' and '#' .. number or key
end

-- What waits to be tried again in this slot.
local function item_of(id, slot)
  local own = known_of(id)
  if own.items[slot] == nil then
    local text = redis.call('HGET', at(id, 'items'), slot)
    local number, attempts, kind = match(text or '', '^(%d+) (%d+) (%S+)$')
    own.items[slot] = number and { number = tonumber(number), attempts = tonumber(attempts), kind = kind }
  end
  return own.items[slot]
end

local function put(id, slot, item)
  local own = known_of(id)
  own.items[slot], own.changed[slot] = item, true
end

-- What is on its way to an endpoint, as its state had it.
local function know_flight(own, flight, held, ends)
  own.flight, own.held, own.ends = flight or '', tonumber(held or '0'), tonumber(ends or '0')
end

local LINE = '^\n(%S+) (%d+) (%S+) (%d+) (%d+) (%S+) (%S+)'

-- The push on its way in this slot. Numbers that are only written again stay text: Lua makes text of one in 1 µs.
local function flying(own, slot)
  local first = find(own.flight, '\n' .. slot .. ' ', 1, true)
  if not first then
    return nil
  end
  local _, number, token, ends, attempts, kind, follows = match(own.flight, LINE, first)
  return { slot = slot, number = number, token = token, ends = ends, attempts = attempts, kind = kind, follows = follows }
end

local function launch(own, slot, number, token, ends, attempts, kind, follows)
  own.flight = own.flight .. '\n' .. slot .. ' ' .. number .. ' ' .. token .. ' ' .. ends .. ' ' .. attempts .. ' ' .. kind
    .. ' ' .. follows
  if own.held == 0 or tonumber(ends) < own.ends then
    own.ends = tonumber(ends)
  end
  own.held = own.held + 1
  own.has_flown = true
end

local function land_at(own, first)
  local after = find(own.flight, '\n', first + 1, true)
  own.flight = sub(own.flight, 1, first - 1) .. (after and sub(own.flight, after) or '')
  own.held = own.held - 1
  own.has_flown = true
end

local function land(own, slot)
  land_at(own, find(own.flight, '\n' .. slot .. ' ', 1, true))
end

local looked = {}
local function look_at(id, moment)
  looked[id] = math.min(looked[id] or moment, moment)
end

local MOST_ROWS = 100 -- of one entry: who reads a page reads entries whole
local MOST_WORDS = 4000 -- even, and less than Lua's stack takes

local function run(command, key, words)
  for first = 1, #words, MOST_WORDS do
    redis.call(command, key, unpack(words, first, math.min(first + MOST_WORDS - 1, #words)))
  end
end

local oldest_kept -- of what is known of attempts, if this call is to trim it (ms)

local function log_attempt(id, record)
  local rows = known_of(id).rows
  rows[#rows + 1] = record
end

local function flush(id)
  local own = known_of(id)
  if own.rows[1] then
    for first = 1, #own.rows, MOST_ROWS do
      local rows = table.concat(own.rows, '\n', first, math.min(first + MOST_ROWS - 1, #own.rows))
      if oldest_kept then
        redis.call('XADD', at(id, 'attempts'), 'MINID', '~', oldest_kept, '*', 'a', rows)
      else
        redis.call('XADD', at(id, 'attempts'), '*', 'a', rows)
      end
    end
    own.rows = {}
  end
  if own.has_flown then
    set(id, 'flight', own.flight)
    set(id, 'held', own.held)
    set(id, 'ends', own.held > 0 and own.ends or 0) -- some lines may have ended their way: no later than the first does
  end
  if next(own.changed) then
    local put_words, dropped = {}, {}
    for slot in pairs(own.changed) do
      local item = own.items[slot]
      if item then
        put_words[#put_words + 1] = slot
        put_words[#put_words + 1] = item.number .. ' ' .. item.attempts .. ' ' .. item.kind
      else
        dropped[#dropped + 1] = slot
      end
    end
    run('HSET', at(id, 'items'), put_words)
    run('HDEL', at(id, 'items'), dropped)
    own.changed = {}
  end
  if next(own.told) then
    local told = {}
    for key in pairs(own.told) do
      told[#told + 1] = key
      told[#told + 1] = own.seen[key]
    end
    run('HSET', at(id, 'seen'), told)
    own.told = {}
  end
  if own.words[1] then
    run('HSET', at(id, 'state'), own.words)
    own.words = {}
  end
  own.has_flown = false
end

-- Let the endpoints be looked at that `look_at` has named.
local function flush_looks()
  local words = {}
  for id, moment in pairs(looked) do
    words[#words + 1] = moment
    words[#words + 1] = id
  end
  looked = {}
  for first = 1, #words, MOST_WORDS do
    redis.call('ZADD', turns, 'LT', unpack(words, first, math.min(first + MOST_WORDS - 1, #words)))
  end
end

local function ring()
  redis.call('XADD', bell, 'MAXLEN', 1, '*', 'r', 1)
end

-- Log what became of an entry without an attempt.
local function mark(id, number, outcome, more)
  log_attempt(id, '{"sequence":' .. number .. ',"outcome":"' .. outcome .. '","at_ms":' .. now .. (more or '') .. '}')
end

-- Entries that are given up: what a replay of what failed sends again.
local function give_up(id, numbers)
  local words = {}
  for _, number in ipairs(numbers) do
    words[#words + 1] = number
    words[#words + 1] = number
  end
  run('ZADD', at(id, 'failed'), words)
end

-- How many entries a replay of a range sends: all of it, or what failed.
local function entries_of(id, first, last, which)
  return which == 'failed' and redis.call('ZCOUNT', at(id, 'failed'), first, last) or math.max(0, last - first + 1)
end

local MOST_GIVEN_UP = 100000 -- of one range, its newest: the server does nothing else meanwhile

-- Cancel all of a range of the log but what is to stay.
local function cancel_range(id, first, last, stays)
  local numbers, from = {}, first
  for number = first, last + 1 do
    if number > last or stays[number] then
      if from < number then
        mark(id, number - 1, 'cancelled', ',"from":' .. from)
      end
      from = number + 1
    elseif number > last - MOST_GIVEN_UP then
      numbers[#numbers + 1] = number
    end
  end
  give_up(id, numbers)
end

local RETURNS_TO = { live = 'retry', kill = 'kills', replay = 'replaying' }
local function requeue(id, number, kind, moment)
  redis.call('ZADD', at(id, RETURNS_TO[kind]), moment, number)
  set(id, 'lanes', 1)
end

-- An older version that waits to be tried again is not sent any more.
local function withdraw(id, slot, item)
  for _, place in pairs(RETURNS_TO) do
    redis.call('ZREM', at(id, place), item.number)
  end
  put(id, slot, false)
  mark(id, item.number, 'superseded')
end

-- To send an entry before its turn, so that its turn passes it.
local function go_ahead(id, number)
  redis.call('SADD', at(id, 'ahead'), number)
  set(id, 'lanes', 1)
end

local WITHDRAWS = { ['article.killed'] = true, ['article.withheld'] = true }
local function kind_of(type)
  return WITHDRAWS[type] and 'kill' or 'live'
end

-- Let what is parked behind a push go; return whether anything is.
local function release(id, out)
  if out.follows == '-' then
    return false
  end
  local number, kind = match(out.follows, '^(%d+):(%S+)$')
  redis.call('HINCRBY', at(id, 'state'), 'parked', -1)
  requeue(id, number, kind, now)
  return true
end
