-- What the steps of a post queue share. Each step's script includes this text.
--
-- KEYS  1 posts (hash of id to JSON), 2 seen (hash of article key to JSON), 3 ready (sorted set of id
--       by turn), 4 timed (sorted set of id by ms: ends of leases, and of waits before a retry),
--       5 index (sorted set of id by ms of creation), 6 counts (hash: posts by state, and 'number')
--
-- A post's state alone says which sets it lies in; `move` keeps both together. What is known
-- of an article is one `entry`:
--   rank     the newest version seen          queued, sending   ids of its posts in these states
--   held     id of the offer that waits for the leases of older versions to end
--   live     what is out, or may be (`uncertain`: the lease was lost): {id, action, remote_id, remote_url}
--   offer    id of the newest offer, `jobs` how many posts it has made
--
-- Invariant: an article has posts of one version at most in 'queued', and one 'held' at most.

local POSTS, SEEN, READY, TIMED, INDEX, COUNTS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local AHEAD = -1e15 -- a recall's turn comes before every post's

--include newswire_runtime/now.lua

--include newswire_runtime/newer.lua

local function load(id)
  local body = redis.call('HGET', POSTS, id)
  return body and cjson.decode(body) or nil
end

local function entry_of(key)
  local body = redis.call('HGET', SEEN, key)
  local entry = body and cjson.decode(body) or {}
  entry.live, entry.queued, entry.sending = entry.live or {}, entry.queued or {}, entry.sending or {}
  return entry
end

local function keep(key, entry)
  redis.call('HSET', SEEN, key, cjson.encode(entry))
end

local function drop(list, id)
  for i = #list, 1, -1 do
    if list[i] == id or (type(list[i]) == 'table' and list[i].id == id) then
      table.remove(list, i)
    end
  end
end

local function find(list, id)
  for _, item in ipairs(list) do
    if item.id == id then
      return item
    end
  end
end

local function move(post, state)
  if post.state then
    redis.call('HINCRBY', COUNTS, post.state, -1)
  end
  redis.call('HINCRBY', COUNTS, state, 1)
  if not post.number then
    post.number, post.created, post.attempts = redis.call('HINCRBY', COUNTS, 'number', 1), now, 0
    redis.call('ZADD', INDEX, now, post.id)
  end
  post.state, post.changed = state, now
  redis.call('HSET', POSTS, post.id, cjson.encode(post))
  redis.call('ZREM', READY, post.id)
  redis.call('ZREM', TIMED, post.id)
  if state == 'sending' then
    redis.call('ZADD', TIMED, post.lease_until, post.id)
  elseif state == 'queued' and post.not_before then
    redis.call('ZADD', TIMED, post.not_before, post.id)
  elseif state == 'queued' then
    redis.call('ZADD', READY, post.takes and AHEAD + post.number or post.number, post.id)
  end
end

local function forget(post)
  redis.call('HINCRBY', COUNTS, post.state, -1)
  redis.call('HDEL', POSTS, post.id)
  redis.call('ZREM', INDEX, post.id)
end

local function queue(entry, post)
  move(post, 'queued')
  table.insert(entry.queued, post.id)
end

-- What becomes of a post that a newer offer overtakes.
local function overtake(post, offer)
  move(post, (offer.takes and not post.takes) and 'cancelled' or 'superseded')
end

local function aim(post, target)
  post.of, post.uncertain = target.id, target.uncertain
  post.target_id, post.target_url = target.remote_id, target.remote_url
end

-- Queue one post of an offer; the first takes the offer's own id.
local function make(entry, offer, action, text, target)
  local post = {}
  for name, value in pairs(offer) do
    post[name] = value
  end
  entry.jobs = (entry.jobs or 0) + 1
  if entry.jobs > 1 then
    post = { id = offer.id .. '~' .. entry.jobs }
    for _, name in ipairs({ 'account', 'key', 'uri', 'rank', 'trace_id', 'takes', 'headline', 'language', 'link',
      'first_text', 'after_action', 'after_text' }) do
      post[name] = offer[name]
    end
  end
  post.action, post.text, post.planned = action, text, true
  if target then
    aim(post, target)
  end
  queue(entry, post)
end

-- The post that a correction refers to: the newest that is surely out, else the newest that may be.
local function newest(live)
  local maybe
  for i = #live, 1, -1 do
    if live[i].action == 'post' then
      if not live[i].uncertain then
        return live[i]
      end
      maybe = maybe or live[i]
    end
  end
  return maybe
end

-- Decide what an offer does, now that no older version is being sent.
local function plan(entry, offer)
  local before = entry.jobs or 0
  if offer.takes then
    for _, target in ipairs(offer.after_action and entry.live or {}) do
      if offer.after_action ~= 'notice' or target.action == 'post' then
        make(entry, offer, offer.after_action, offer.after_text, target)
      end
    end
  else
    local target = newest(entry.live)
    if not target or target.uncertain then
      make(entry, offer, 'post', offer.first_text, target)
    elseif offer.after_action then
      make(entry, offer, offer.after_action, offer.after_text, target)
    end
  end
  if offer.state == 'held' and entry.jobs == before then
    forget(offer) -- nothing was out, or nothing is wanted: no post comes of it
  end
end

local function hold(entry, offer)
  offer.action, offer.text = offer.after_action or 'post', offer.after_text or offer.first_text or ''
  move(offer, 'held')
  entry.held = offer.id
end

-- Queue what waited for the leases of older versions, once there are none.
local function release(entry)
  if entry.held and #entry.sending == 0 then
    local offer = load(entry.held)
    entry.held = nil
    plan(entry, offer)
  end
end

-- Nobody knows what a lost lease did: what it was to send may be out, what it was to take back may be gone.
local function doubt(entry, post)
  if post.takes then
    local target = find(entry.live, post.of)
    if target then
      target.uncertain = true
    end
  elseif (post.action == 'post' or post.action == 'reply') and not find(entry.live, post.id) then
    table.insert(entry.live, { id = post.id, action = post.action, uncertain = true })
  end
end

local function lose(post)
  local entry = entry_of(post.key)
  drop(entry.sending, post.id)
  doubt(entry, post)
  if entry.held then
    overtake(post, load(entry.held))
  else
    queue(entry, post)
  end
  release(entry)
  keep(post.key, entry)
end

-- End the leases and the waits whose time has come.
local function sweep()
  while true do
    local ids = redis.call('ZRANGEBYSCORE', TIMED, '-inf', now, 'LIMIT', 0, 100)
    for _, id in ipairs(ids) do
      local post = load(id)
      if post.state == 'sending' then
        lose(post)
      else
        post.not_before = nil
        move(post, 'queued')
      end
    end
    if #ids < 100 then
      return
    end
  end
end
