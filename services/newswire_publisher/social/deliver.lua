#!lua
-- Take one version of an article into the queue. The keys are those of common.lua.
--
-- ARGV  1 the offer as JSON, 2 most posts kept
-- Returns 1 if the version is new to the queue, 0 if it knew this one or a newer one.

local offer, kept = cjson.decode(ARGV[1]), tonumber(ARGV[2])
local entry = entry_of(offer.key)
if entry.rank and not newer(offer.rank, entry.rank) then
  return 0
end
entry.rank, entry.offer, entry.jobs = offer.rank, offer.id, 0
for _, id in ipairs(entry.queued) do
  overtake(load(id), offer)
end
entry.queued = {}
if entry.held then
  overtake(load(entry.held), offer)
  entry.held = nil
end
if #entry.sending > 0 then
  hold(entry, offer)
else
  plan(entry, offer)
end
keep(offer.key, entry)

-- The oldest that are done make room; what an article has out is in its entry, not in these.
local open = { queued = true, sending = true, held = true }
if redis.call('ZCARD', INDEX) > kept then
  for _, id in ipairs(redis.call('ZRANGE', INDEX, 0, 9)) do
    local post = load(id)
    if not open[post.state] then
      forget(post)
    end
  end
end
return 1
