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
-- Of an article at most one version is on its way or waits to be tried again (items b:KEY). One that comes
-- meanwhile is parked (f:KEY) and follows it. Only the newest is ever sent (seen): who comes to an older
-- one marks it superseded and sends the newest in its place.
--
-- items  N 'LEASE ATTEMPTS KIND KEY', b:KEY N, f:KEY 'N KIND'; KIND is live, kill or replay
-- seen   KEY 'RANK N taken:ms…': the newest version and its entry, and which entries were taken when

local turns, bell = KEYS[1], KEYS[2]
local prefix = string.sub(turns, 1, -6)

local function at(id, what)
  return prefix .. id .. ':' .. what
end

local function read(id, number)
  local rows = redis.call('XRANGE', at(id, 'log'), number .. '-0', number .. '-0')
  return rows[1] and rows[1][2]
end

-- The number of an article's newest entry.
local function newest_of(id, key)
  local seen = redis.call('HGET', at(id, 'seen'), key)
  return seen and tonumber(string.match(seen, '^%S+ (%d+)'))
end

local function item_of(id, number)
  local item = redis.call('HGET', at(id, 'items'), number)
  if item then
    return string.match(item, '^(%S+) (%d+) (%S+) (.*)$')
  end
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
local function kind_of(entry)
  return WITHDRAWS[entry[10]] and 'kill' or 'live'
end

-- Let what was parked behind an article's push go; return whether anything was.
local function release(id, key)
  local parked = key ~= '' and redis.call('HGET', at(id, 'items'), 'f:' .. key)
  if not parked then
    return false
  end
  local number, kind = string.match(parked, '^(%d+) (%S+)$')
  redis.call('HDEL', at(id, 'items'), 'f:' .. key)
  redis.call('HINCRBY', at(id, 'state'), 'parked', -1)
  requeue(id, number, kind, now)
  return true
end

-- Forget a push that is done with, one way or another.
local function drop(id, number, key)
  redis.call('HDEL', at(id, 'items'), number)
  if key ~= '' and redis.call('HGET', at(id, 'items'), 'b:' .. key) == tostring(number) then
    redis.call('HDEL', at(id, 'items'), 'b:' .. key)
  end
end
