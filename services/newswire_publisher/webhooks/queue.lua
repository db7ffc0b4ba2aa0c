-- What the scripts of the webhooks' queue share. All keys of a partition lie in one slot, so that one
-- call can serve many endpoints; an endpoint's keys follow from the partition's (HookKeys has the list).
--
-- A push goes one way, and at any time is in one place:
--
--   log ──cursor──┐
--   kills ────────┤                        ┌─ done
--   express ──────┼─▶ leased ──▶ settled ──┼─ again later: retry, kills, replaying
--   retry ────────┤                        └─ exhausted: failed
--   replaying ────┘
--
-- Of an article at most one version is on its way or waits to be tried again: its item is the article's.
-- One that comes meanwhile is parked in the item and follows. Only the newest is ever sent (seen): who comes
-- to an older one marks it superseded and sends the newest in its place.
--
-- log    N-0 'KEY TYPE MOMENT …': an article's key, or '-' for a notice
-- items  SLOT 'N LEASE ATTEMPTS KIND FOLLOWS': SLOT is the article's key, or '#N' of a notice; LEASE '-' if it
--        waits; KIND live, kill or replay; FOLLOWS 'N:KIND' or '-'
-- seen   KEY 'RANK N taken:ms…': the newest version and its entry, and which entries were taken when

local turns, bell = KEYS[1], KEYS[2]
local prefix = string.sub(turns, 1, -6)

local function at(id, what)
  return prefix .. id .. ':' .. what
end

local function read(id, number)
  local rows = redis.call('XRANGE', at(id, 'log'), number .. '-0', number .. '-0')
  return rows[1] and rows[1][2][2]
end

-- What this call knows of a subscription, and has not written yet: a command costs the server more than the
-- work it does, so that many pushes of one endpoint share their reads and writes. `flush` writes.
local known = {}
local function known_of(id)
  local own = known[id]
  if not own then
    own = { items = {}, seen = {}, leased = {}, changed = {}, told = {} }
    known[id] = own
  end
  return own
end

local function read_item(text)
  if not text then
    return false
  end
  local number, lease, attempts, kind, follows = string.match(text, '^(%d+) (%S+) (%d+) (%S+) (%S+)$')
  return { number = tonumber(number), lease = lease, attempts = attempts, kind = kind, follows = follows }
end

-- Read the items of these slots, and what was seen of these articles, in two commands.
local function prefetch(id, slots, keys)
  local own = known_of(id)
  if slots[1] then
    for i, text in ipairs(redis.call('HMGET', at(id, 'items'), unpack(slots))) do
      if own.items[slots[i]] == nil then
        own.items[slots[i]] = read_item(text)
      end
    end
  end
  if keys[1] then
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
    prefetch(id, {}, { key })
  end
  return own.seen[key]
end

-- The number of an article's newest entry.
local function newest_of(id, key)
  local seen = seen_of(id, key)
  return seen and tonumber(string.match(seen, '^%S+ (%d+)'))
end

local function tell_seen(id, key, text)
  local own = known_of(id)
  own.seen[key], own.told[key] = text, true
end

local function slot_of(key, number)
  return key == '-' and '#' .. number or key
end

local function item_of(id, slot)
  local own = known_of(id)
  if own.items[slot] == nil then
    prefetch(id, { slot }, {})
  end
  return own.items[slot]
end

local function put(id, slot, item)
  local own = known_of(id)
  own.items[slot], own.changed[slot] = item, true
end

local function drop(id, slot)
  put(id, slot, false)
end

-- Lease a push until a moment, or with nil end its lease.
local function lease(id, slot, moment)
  known_of(id).leased[slot] = moment or false
end

local function look_at(id, moment)
  local own = known_of(id)
  own.look = math.min(own.look or moment, moment)
end

local MOST_WORDS = 4000 -- even, and less than Lua's stack takes

local function run(command, key, words)
  for first = 1, #words, MOST_WORDS do
    redis.call(command, key, unpack(words, first, math.min(first + MOST_WORDS - 1, #words)))
  end
end

local function flush(id)
  local own = known_of(id)
  local put_words, dropped, told, leased, ended = {}, {}, {}, {}, {}
  for slot in pairs(own.changed) do
    local item = own.items[slot]
    if item then
      put_words[#put_words + 1] = slot
      put_words[#put_words + 1] = item.number .. ' ' .. item.lease .. ' ' .. item.attempts .. ' ' .. item.kind .. ' ' .. item.follows
    else
      dropped[#dropped + 1] = slot
    end
  end
  for key in pairs(own.told) do
    told[#told + 1] = key
    told[#told + 1] = own.seen[key]
  end
  for slot, moment in pairs(own.leased) do
    if moment then
      leased[#leased + 1] = moment
      leased[#leased + 1] = slot
    else
      ended[#ended + 1] = slot
    end
  end
  run('HSET', at(id, 'items'), put_words)
  run('HDEL', at(id, 'items'), dropped)
  run('HSET', at(id, 'seen'), told)
  run('ZADD', at(id, 'leased'), leased)
  run('ZREM', at(id, 'leased'), ended)
  if own.look then
    redis.call('ZADD', turns, 'LT', own.look, id)
  end
  own.changed, own.told, own.leased, own.look = {}, {}, {}, nil
end

-- Log what became of an entry without an attempt.
local function mark(id, number, outcome, more)
  local words = '{"sequence":' .. number .. ',"outcome":"' .. outcome .. '","at_ms":' .. now .. (more or '') .. '}'
  redis.call('XADD', at(id, 'attempts'), '*', 'attempt', words)
end

local RETURNS_TO = { live = 'retry', kill = 'kills', replay = 'replaying' }
local function requeue(id, number, kind, moment)
  redis.call('ZADD', at(id, RETURNS_TO[kind]), moment, number)
end

local WITHDRAWS = { ['article.killed'] = true, ['article.withheld'] = true }
local function kind_of(type)
  return WITHDRAWS[type] and 'kill' or 'live'
end

-- Let what is parked in an item go; return whether anything is.
local function release(id, item)
  if item.follows == '-' then
    return false
  end
  local number, kind = string.match(item.follows, '^(%d+):(%S+)$')
  item.follows = '-'
  redis.call('HINCRBY', at(id, 'state'), 'parked', -1)
  requeue(id, number, kind, now)
  return true
end
