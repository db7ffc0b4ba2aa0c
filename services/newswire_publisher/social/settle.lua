#!lua
-- Take what came of a lease. The keys are those of common.lua.
--
-- A lease that ran out counts until the post is leased again or overtaken. If it was overtaken, and turns
-- out to be sent all the same, that is remembered, and the post taken back if the story was.
--
-- ARGV  1 post's id, 2 lease, 3 'sent' or 'failed', 4 remote id, 5 remote url, 6 error, 7 retry in (ms) or ''
-- Returns {1, state} if it is settled, now or by the same lease before; {0} without such a post; {2, state} if
-- the lease is outdated.

local id, lease, outcome, remote_id, remote_url, failure = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local retry = tonumber(ARGV[7])
if remote_id == '' then remote_id = nil end
if remote_url == '' then remote_url = nil end

local post = load(id)
if not post then
  return { 0 }
end
if post.settled == lease then
  return { 1, post.settled_as }
end
local entry = entry_of(post.key)

local function publish()
  local live = find(entry.live, post.id)
  if not live then
    live = { id = post.id, action = post.action }
    table.insert(entry.live, live)
  end
  live.uncertain, live.remote_id, live.remote_url = nil, remote_id or live.remote_id, remote_url or live.remote_url
  return live
end

local function recall(target_id)
  drop(entry.live, target_id)
  local target = load(target_id)
  if target and (target.state == 'sent' or target.state == 'superseded' or target.state == 'cancelled') then
    move(target, 'recalled')
  end
end

-- A post that was given up turns out to be there: what was planned in doubt is planned in knowledge.
local function learn()
  local live = publish()
  post.remote_id, post.remote_url = remote_id, remote_url
  redis.call('HSET', POSTS, id, cjson.encode(post))
  local aimed = false
  for _, job_id in ipairs({ unpack(entry.queued) }) do
    local job = load(job_id)
    if job.of == id then
      aimed = true
      aim(job, live)
      if job.action ~= 'post' then
        move(job, 'queued')
      elseif job.after_action then
        job.action, job.text = job.after_action, job.after_text
        move(job, 'queued')
      else
        drop(entry.queued, job_id)
        move(job, 'superseded')
      end
    end
  end
  local offer = entry.offer and load(entry.offer)
  if not aimed and not entry.held and offer and offer.takes and offer.after_action then
    make(entry, offer, offer.after_action, offer.after_text, live)
  end
  keep(post.key, entry)
end

if post.lease ~= lease or (post.state ~= 'sending' and post.state ~= 'queued') then
  local overtaken = post.state == 'superseded' or post.state == 'cancelled'
    or (post.state == 'recalled' and post.remote_id ~= remote_id)
  if overtaken and post.lease == lease and outcome == 'sent' and (post.action == 'post' or post.action == 'reply') then
    learn()
  end
  return { 2, post.state }
end

drop(entry.queued, id)
drop(entry.sending, id)
post.settled, post.error, post.not_before = lease, nil, nil
if outcome == 'sent' then
  post.settled_as, post.remote_id, post.remote_url = 'sent', remote_id, remote_url
  move(post, 'sent')
  if post.takes then
    recall(post.of)
  elseif post.action == 'edit' then
    local target = find(entry.live, post.of)
    if target then
      target.remote_id, target.remote_url = remote_id or target.remote_id, remote_url or target.remote_url
    end
  else
    publish()
  end
else
  post.error = failure
  if entry.held then
    local offer = load(entry.held)
    post.settled_as = (offer.takes and not post.takes) and 'cancelled' or 'superseded'
    overtake(post, offer)
  elseif retry then
    post.settled_as, post.not_before = 'queued', now + retry
    queue(entry, post)
  else
    post.settled_as = 'failed'
    move(post, 'failed')
  end
end
release(entry)
keep(post.key, entry)
return { 1, post.settled_as }
