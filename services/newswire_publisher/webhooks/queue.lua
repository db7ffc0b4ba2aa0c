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

-- The number of an article's newest entry.
local function newest_of(id, key)
  local seen = redis.call('HGET', at(id, 'seen'), key)
  return seen and tonumber(string.match(seen, '^%S+ (%d+)'))
end

local function slot_of(key, number)
  return key == '-' and '#' .. number or key
end

local function item_of(id, slot)
  local item = redis.call('HGET', at(id, 'items'), slot)
  if item then
    local number, lease, attempts, kind, follows = string.match(item, '^(%d+) (%S+) (%d+) (%S+) (%S+)$')
    return { number = tonumber(number), lease = lease, attempts = attempts, kind = kind, follows = follows }
  end
end

local function put(id, slot, item)
  local words = item.number .. ' ' .. item.lease .. ' ' .. item.attempts .. ' ' .. item.kind .. ' ' .. item.follows
  redis.call('HSET', at(id, 'items'), slot, words)
end

local function drop(id, slot)
  redis.call('HDEL', at(id, 'items'), slot)
end

-- Log what became of an entry without an attempt.
local function mark(id, number, outcome, more)
  local words = '{"sequence":' .. number .. ',"outcome":"' .. outcome .. '","at_ms":' .. now .. (more or '') .. '}'
  redis.call('XADD', at(id, 'attempts'), '*', 'attempt', words)
end

local function look_at(id, moment)
  redis.call('ZADD', turns, 'LT', moment, id)
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
